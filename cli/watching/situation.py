"""How a stack is now, as `watch` asks before each look: its configuration, whether it is deployed, what it serves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from cli.options import Engine
from cli.project import backend_of, project, stack_config
from cli.services.registry import open_context
from cli.watching.watcher import Situation
from retrain_hooks.triggers.declared import declared, judge_policy
from retrain_hooks.triggers.trigger import Scene


def situation(stack: str, engine: Engine) -> Situation:
    """Read it. Raises CliError and ConfigurationError for a configuration that is none."""
    own = f"{project()['name']}:"
    config = {
        key.removeprefix(own): value for key, value in stack_config(stack).items() if key.startswith(own)
    }
    triggers = config.get("triggers") or []
    if isinstance(triggers, str):
        triggers = json.loads(triggers)
    backend = backend_of(stack)
    return Situation(
        declared(triggers),
        judge_policy(config.get("watchPolicy", "ask")),
        backend is None or bool(backend.deployment().get("resources")),
        partial(_scene, stack, engine, config),
    )


def _scene(
    stack: str, engine: Engine, config: Mapping[str, Any], kept: Mapping[str, Any], now: datetime
) -> Scene:
    context, target = open_context(stack, {})
    return Scene(context, target, config, kept, now, partial(_outputs, stack, engine))


def _outputs(stack: str, engine: Engine) -> Mapping[str, Any]:
    from cli.runners import open_runner

    return open_runner(stack, {}, engine, cloud=False).outputs()
