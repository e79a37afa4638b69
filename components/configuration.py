"""The configuration that a program reads: every key of it is one that the project declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime.config import CONFIG, get_config_env

from clients.errors import ConfigurationError
from retrain_hooks.host.settings import refuse_alike, refuse_unknown


def configuration() -> pulumi.Config:
    """The project's configuration.

    Raises RunError, which Pulumi shows without a traceback, for a key that Pulumi.yaml does not declare, wherever it comes
    from: it would be ignored without a word.
    """
    keys = {**(get_config_env() or {}), **CONFIG.get()}
    declared = declared_keys(Path(pulumi.get_root_directory()))
    config = pulumi.Config()
    try:
        refuse_alike(declared)
        refuse_unknown(sorted(keys), declared, pulumi.get_project())
        _judge_triggers(config)
    except ConfigurationError as error:
        raise pulumi.RunError(str(error)) from None
    return config


def _judge_triggers(config: pulumi.Config) -> None:
    """Refuse triggers that `watch` would refuse, in the preview. Raises ConfigurationError."""
    triggers, policy = config.get_object("triggers"), config.get("watchPolicy")
    if triggers or policy not in (None, "ask"):
        from retrain_hooks.triggers.declared import judge_settings  # brings the libraries of all kinds

        judge_settings({"triggers": triggers or [], "watchPolicy": policy or "ask"})


def declared_keys(root: Path) -> set[str]:
    """The project's own keys, as its Pulumi.yaml in *root* declares them."""
    content: Mapping[str, Any] = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8")) or {}
    own = f"{content.get('name')}:"
    return {str(key).removeprefix(own) for key in content.get("config") or {}}
