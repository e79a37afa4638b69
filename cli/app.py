"""The tree of verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from cli.errors import guarded
from cli.verbs import cloud as cloud_verbs

PLAIN: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "no_args_is_help": True}


def build() -> typer.Typer:
    """The command line."""
    app = typer.Typer(help="Retraining as code: train, bind, serve, from one program.", **PLAIN)
    cloud = typer.Typer(help="The local cloud: Azurite, the studio, the azure-native stand-in.", **PLAIN)
    _add(cloud, cloud_verbs.start, cloud_verbs.stop, cloud_verbs.status, cloud_verbs.logs, cloud_verbs.reset)
    app.add_typer(cloud, name="cloud")
    return app


def _add(app: typer.Typer, *verbs: Callable[..., None], **settings: Any) -> None:
    for verb in verbs:
        app.command(verb.__name__.rstrip("_"), **settings)(guarded(verb))
