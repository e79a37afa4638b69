"""The options that several verbs share, each declared once."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

import typer


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
    str, typer.Option("--stack", "-s", help="The stack, whose configuration is Pulumi.STACK.yaml.")
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
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask. The default where there is no terminal.")]
ShowSecrets = Annotated[bool, typer.Option("--show-secrets", help="Show keys as well, fetched now.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="First read how the resources really are.")]
Quiet = Annotated[bool, typer.Option("--expect-no-changes", help="Fail if anything changes.")]
Target = Annotated[
    list[str] | None,
    typer.Option("--target", "-t", metavar="URN", help="Only this resource, `*` allowed; repeatable."),
]
RunProgram = Annotated[
    bool,
    typer.Option(
        "--run-program", help="Run the program first, for its hooks and its providers' configuration."
    ),
]
ClearPendingCreates = Annotated[
    bool,
    typer.Option("--clear-pending-creates", help="Forget what a run that was cut off was creating."),
]
Parallel = Annotated[
    int | None, typer.Option("--parallel", "-p", min=1, help="How many resources at a time, at most.")
]
GoOn = Annotated[
    bool,
    typer.Option("--continue-on-error", help="After a failure leave out only what depends on what failed."),
]
Diff = Annotated[
    bool, typer.Option("--diff", help="Show each change with all its properties, as the CLI does.")
]


Expect = Annotated[
    str | None,
    typer.Option(
        "--expect", metavar="KEY", help="The run key (or its first digits) that was approved; no other."
    ),
]


def with_expected(found: dict[str, str], key: str | None) -> dict[str, str]:
    """This run's configuration, with the run key that is expected; a usage error for what is none."""
    if key is None:
        return found
    if not re.fullmatch("[0-9a-f]{7,64}", key):
        raise typer.BadParameter(
            f"{key!r} is not a run key or its first 7 digits or more", param_hint="--expect"
        )
    return found | {"expectRunKey": key}


def wants_to_be_asked(yes: bool, as_json: bool) -> bool:
    """Whether a verb shows what it would do and asks: on a terminal, unless told not to."""
    from cli.console import is_interactive

    if yes or not is_interactive():
        return False
    if as_json:
        raise typer.BadParameter(
            "needs --yes on a terminal, since it leaves no room for a question", param_hint="--json"
        )
    return True
