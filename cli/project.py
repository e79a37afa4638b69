"""Where this checkout's things are, and what its configuration says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import CliError

if TYPE_CHECKING:
    from backend.files import Backend

ROOT = Path(__file__).resolve().parent.parent
LOCAL_TARGET = "local"
# What a stack's file has at its top.
_OF_A_STACK = {"config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment"}


def cloud_file() -> Path:
    """The file that describes the local cloud: RETRAIN_CLOUD_FILE, or .local/cloud/cloud.json."""
    named = os.environ.get("RETRAIN_CLOUD_FILE")
    return Path(named).absolute() if named else ROOT / ".local" / "cloud" / "cloud.json"


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping; empty where the file is missing."""
    from backend.yaml_files import read

    return read(path) if path.exists() else {}


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
    """Where the stack's state is kept; None where that is not a folder of this machine."""
    from backend.files import Backend
    from backend.workspace import backend_folder

    folder = backend_folder(ROOT, project())
    return Backend(folder, str(project()["name"]), stack) if folder else None


def passphrase() -> str | None:
    """An empty one, for whatever runs a stack, where the environment says nothing of one; None where it does."""
    named = {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys()
    return None if named else ""


def declared_keys() -> set[str]:
    """The keys of this project's configuration, as Pulumi.yaml declares them."""
    own = f"{project()['name']}:"
    return {str(key).removeprefix(own) for key in project().get("config") or {}}


def qualified(key: str) -> str:
    """A configuration key with its namespace: `dataVersion` → `<project>:dataVersion`.

    Raises:
        CliError: it is no key of this project: a mistyped one would be ignored without a word.
    """
    full = key if ":" in key else f"{project()['name']}:{key}"
    _refuse_unknown([full], "")
    return full


def _refuse_unknown(keys: Iterable[str], place: str) -> None:
    from clients.errors import ConfigurationError
    from retrain_hooks.host.settings import refuse_alike, refuse_unknown

    try:
        refuse_alike(declared_keys())
        refuse_unknown(keys, declared_keys(), str(project()["name"]), place)
    except ConfigurationError as error:
        raise CliError(error.cause, error.remedy, exit_code=2) from None


def stack_config(stack: str, overrides: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A stack's configuration by qualified key: Pulumi.yaml's defaults, the stack's file, then `overrides`.

    Raises:
        CliError: a key of it is none.
    """
    values: dict[str, Any] = {}
    for key, declared in (project().get("config") or {}).items():
        full = key if ":" in key else f"{project()['name']}:{key}"
        if not isinstance(declared, dict):
            values[full] = declared
        elif (default := declared.get("default", declared.get("value"))) is not None:
            values[full] = default
    file = stack_file(stack)
    content = read_yaml(file)
    for key in content.keys() - _OF_A_STACK:
        raise CliError(
            f"{file.name}: {key!r} is nothing that a stack's file has",
            "write configuration below `config:`, indented",
            exit_code=2,
        )
    own = content.get("config") or {}
    _refuse_unknown(own, file.name)
    return values | own | {qualified(key): value for key, value in (overrides or {}).items()}


def is_local(stack: str, overrides: Mapping[str, str] | None = None) -> bool:
    """Whether the stack's target is the local cloud."""
    return (
        str(stack_config(stack, overrides).get(f"{project()['name']}:target", LOCAL_TARGET)) == LOCAL_TARGET
    )
