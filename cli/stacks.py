"""Stacks as they are on disk: the file backend's state and locks, which both engines share."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any

from cli.errors import warn
from cli.project import ROOT, project


def backend_url() -> str:
    """Where the state is kept, as an absolute URL."""
    url = os.environ.get("PULUMI_BACKEND_URL") or str(
        (project().get("backend") or {}).get("url") or "file://."
    )
    path = url.removeprefix("file://")
    return f"file://{(ROOT / Path(path).expanduser()).resolve()}" if path != url else url


def backend() -> Path | None:
    """The folder of the file backend; None where the state is kept elsewhere."""
    url = backend_url()
    return Path(url.removeprefix("file://")) / ".pulumi" if url.startswith("file://") else None


def state_file(stack: str) -> Path | None:
    """Where a stack's checkpoint is; None where the state is kept elsewhere."""
    folder = backend()
    return folder and folder / "stacks" / str(project()["name"]) / f"{stack}.json"


def exists(stack: str) -> bool:
    """Whether the stack has a state file."""
    path = state_file(stack)
    return path is not None and path.exists()


def checkpoint(path: Path) -> dict[str, Any]:
    """The `latest` deployment of a checkpoint; empty where there is none."""
    try:
        content = json.loads(path.read_text())
        return dict((content.get("checkpoint") or {}).get("latest") or {})
    except (FileNotFoundError, ValueError, AttributeError):
        return {}


def encryption_salt(stack: str) -> str | None:
    """The salt with which the stack's state keeps its secrets."""
    path = state_file(stack)
    latest = checkpoint(path) if path else {}
    salt = ((latest.get("secrets_providers") or {}).get("state") or {}).get("salt")
    return str(salt) if salt else None


def stacks_with_resources() -> list[str]:
    """The names of the stacks that hold more than their own root."""
    found: list[str] = []
    folder = backend()
    for path in sorted(folder.glob("stacks/*/*.json")) if folder else []:
        resources = checkpoint(path).get("resources")
        if isinstance(resources, list) and any(
            each.get("type") != "pulumi:pulumi:Stack" for each in resources
        ):
            found.append(path.stem)
    return found


def free_dead_locks(stack: str) -> None:
    """Free the stack's locks whose process on this host has ended: a killed CLI leaves its own behind."""
    import psutil

    folder = backend()
    locks = f"locks/organization/{project()['name']}/{stack}/*.json"
    for path in sorted(folder.glob(locks)) if folder else []:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            lock = json.loads(path.read_text())
            if lock.get("hostname") == socket.gethostname() and not psutil.pid_exists(int(lock["pid"])):
                path.unlink(missing_ok=True)
                warn(
                    f"freed the lock of process {lock['pid']} ({lock.get('timestamp', 'no time')}), which has ended"
                )
