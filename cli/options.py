"""The options that several verbs share, each declared once."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

import typer

from cli.guidance.completing import stacks


class Engine(StrEnum):
    """Which deployment engine runs a verb."""

    auto = "auto"
    pulumi = "pulumi"
    embedded = "embedded"


def overrides(pairs: list[str] | None) -> dict[str, str]:
    """`["a=1", "b=2"]` → `{"a": "1", "b": "2"}`; a usage error for anything else."""
    found: dict[str, str] = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not key.strip() or not equals:
            raise typer.BadParameter(f"{pair!r} is not key=value", param_hint="-c")
        found[key.strip()] = value
    return found


Stack = Annotated[
    str,
    typer.Option(
        "--stack", "-s", autocompletion=stacks, help="The stack, whose configuration is Pulumi.STACK.yaml."
    ),
]
Config = Annotated[
    list[str] | None,
    typer.Option("--config", "-c", metavar="KEY=VALUE", help="Configuration for this run only; repeatable."),
]
EngineOption = Annotated[
    Engine,
    typer.Option("--engine", help="auto: the Pulumi CLI where it is on PATH and new enough, else embedded."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Don't ask. Without a terminal it is needed to delete.")
]
ShowSecrets = Annotated[bool, typer.Option("--show-secrets", help="Show keys as well, fetched now.")]


def with_expected(found: dict[str, str], key: str | None) -> dict[str, str]:
    """This run's configuration, with the run key that is expected; a usage error for what is none."""
    if key is None:
        return found
    if not re.fullmatch("[0-9a-f]{7,64}", key):
        raise typer.BadParameter(
            f"{key!r} is not a run key or its first 7 digits or more", param_hint="--expect"
        )
    return found | {"expectRunKey": key}


def refuse_unasked_take_over(yes: bool) -> None:
    """A usage error where nobody can be asked, and nobody has said yes."""
    from cli.console import is_interactive

    if not yes and not is_interactive():
        raise typer.BadParameter("needs --yes where there is no terminal to ask at", param_hint="--take-over")


def wants_to_be_asked(yes: bool, as_json: bool, *, deletes: bool) -> bool:
    """Whether a verb shows what it would do and asks: on a terminal, unless told not to.

    Elsewhere one that *deletes* is refused: a pipe is no yes.
    """
    from cli.console import is_interactive

    if yes:
        return False
    if not is_interactive():
        if deletes:
            raise typer.BadParameter("needed where there is no terminal to ask at", param_hint="--yes")
        return False
    if as_json:
        raise typer.BadParameter(
            "needs --yes on a terminal, since it leaves no room for a question", param_hint="--json"
        )
    return True
