"""Stacks as they are on disk: the file backend's state and locks, which both engines share."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path

from cli.errors import warn
from cli.project import ROOT, project

BACKEND = ROOT / ".pulumi"


def state_file(stack: str) -> Path:
    """Where a stack's checkpoint is."""
    return BACKEND / "stacks" / str(project()["name"]) / f"{stack}.json"


def checkpoint(path: Path) -> dict[str, object]:
    """The `latest` deployment of a checkpoint; empty where there is none."""
    try:
        content = json.loads(path.read_text())
        return dict((content.get("checkpoint") or {}).get("latest") or {})
    except (FileNotFoundError, ValueError, AttributeError):
        return {}


def stacks_with_resources() -> list[str]:
    """The names of the stacks that hold more than their own root."""
    found: list[str] = []
    for path in sorted((BACKEND / "stacks").glob("*/*.json")):
        resources = checkpoint(path).get("resources")
        if isinstance(resources, list) and any(
            each.get("type") != "pulumi:pulumi:Stack" for each in resources
        ):
            found.append(path.stem)
    return found


def free_dead_locks(stack: str) -> None:
    """Free the stack's locks whose process on this host has ended: a killed CLI leaves its own behind."""
    import psutil

    for path in sorted((BACKEND / "locks" / "organization" / str(project()["name"]) / stack).glob("*.json")):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            lock = json.loads(path.read_text())
            if lock.get("hostname") == socket.gethostname() and not psutil.pid_exists(int(lock["pid"])):
                path.unlink(missing_ok=True)
                warn(
                    f"freed the lock of process {lock['pid']} ({lock.get('timestamp', 'no time')}), which has ended"
                )
