"""Where this checkout's things are, and what its configuration says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import CliError

if TYPE_CHECKING:
    from backend.files import Backend

ROOT = Path(__file__).resolve().parent.parent
LOCAL_TARGET = "local"


def cloud_file() -> Path:
    """The file that describes the local cloud: RETRAIN_CLOUD_FILE, or .local/cloud/cloud.json."""
    named = os.environ.get("RETRAIN_CLOUD_FILE")
    return Path(named).absolute() if named else ROOT / ".local" / "cloud" / "cloud.json"


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping; empty where the file is missing."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise CliError(f"{path.name} is not valid YAML: {error}", f"correct {path.name}") from None
    if content is not None and not isinstance(content, dict):
        raise CliError(f"{path.name} is not a mapping", f"correct {path.name}")
    return content or {}


@cache
def project() -> dict[str, Any]:
    """Pulumi.yaml's content."""
    content = read_yaml(ROOT / "Pulumi.yaml")
    if not content.get("name"):
        raise CliError("Pulumi.yaml is missing or has no name", "git checkout Pulumi.yaml")
    return content


def stack_file(stack: str) -> Path:
    """The stack's file of configuration."""
    return ROOT / f"Pulumi.{stack}.yaml"


def backend_of(stack: str) -> Backend | None:
    """Where the stack's state is kept; None where that is no folder of this machine."""
    from backend.files import Backend
    from backend.workspace import backend_folder

    folder = backend_folder(ROOT, project())
    return Backend(folder, str(project()["name"]), stack) if folder else None


def passphrase() -> str | None:
    """An empty one, for whatever runs a stack, where the environment says nothing of one; None where it does."""
    named = {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys()
    return None if named else ""


def qualified(key: str, stack: str) -> str:
    """A configuration key with its namespace: `dataVersion` → `<project>:dataVersion`.

    Refuses a key of this project that neither Pulumi.yaml declares nor the stack's file sets: a mistyped one would be
    ignored without a word.
    """
    name = str(project()["name"])
    namespace, _, bare = key.rpartition(":")
    full = f"{namespace or name}:{bare}"
    known = {str(each).removeprefix(f"{name}:") for each in project().get("config") or {}}
    if (
        namespace in ("", name)
        and bare not in known
        and full not in (read_yaml(stack_file(stack)).get("config") or {})
    ):
        raise CliError(
            f"there is no configuration key {key!r}", f"use one of: {', '.join(sorted(known))}", exit_code=2
        )
    return full


def stack_config(stack: str, overrides: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A stack's configuration by qualified key: Pulumi.yaml's defaults, the stack's file, then `overrides`."""
    name = str(project()["name"])
    values: dict[str, Any] = {}
    for key, declared in (project().get("config") or {}).items():
        qualified_key = key if ":" in key else f"{name}:{key}"
        if not isinstance(declared, dict):
            values[qualified_key] = declared
        elif (default := declared.get("default", declared.get("value"))) is not None:
            values[qualified_key] = default
    values |= read_yaml(stack_file(stack)).get("config") or {}
    return values | {qualified(key, stack): value for key, value in (overrides or {}).items()}


def is_local(stack: str, overrides: Mapping[str, str] | None = None) -> bool:
    """Whether the stack's target is the local cloud."""
    return (
        str(stack_config(stack, overrides).get(f"{project()['name']}:target", LOCAL_TARGET)) == LOCAL_TARGET
    )
