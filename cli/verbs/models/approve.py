"""`./dev approve`, `pin` and `unpin`: which model a stack serves, decided by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import is_interactive, out, want_a_yes
from cli.guidance.completing import run_keys
from cli.options import Engine, EngineOption, Stack, Yes

if TYPE_CHECKING:
    from cli.approving import Act

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")]
Key = Annotated[
    str,
    typer.Argument(
        metavar="[KEY]", autocompletion=run_keys, help="The first digits of the run's key, four or more."
    ),
]


def approve(
    key: Key = "",
    stack: Stack = "dev",
    dry_run: DryRun = False,
    yes: Yes = False,
    engine: EngineOption = Engine.auto,
) -> None:
    """Approve what waits: a model that has passed its gate, or a retraining that `watch` has planned."""
    from cli.approving import approval
    from cli.stacks.names import known

    stack = known(stack)
    _decide(approval(stack, key), f"Approve it for {stack}?", stack, engine, dry_run=dry_run, yes=yes)


def pin(
    key: Key = "",
    stack: Stack = "dev",
    dry_run: DryRun = False,
    yes: Yes = False,
    engine: EngineOption = Engine.auto,
) -> None:
    """Serve a past run's model, whatever the data version says; without KEY the one that is served now."""
    from cli.approving import pin as pinned
    from cli.stacks.names import known

    stack = known(stack)
    _decide(pinned(stack, key), f"Pin it for {stack}?", stack, engine, dry_run=dry_run, yes=yes)


def unpin(
    stack: Stack = "dev", dry_run: DryRun = False, yes: Yes = False, engine: EngineOption = Engine.auto
) -> None:
    """Follow the data version again."""
    from cli.approving import unpin as unpinned
    from cli.stacks.names import known

    stack = known(stack)
    _decide(unpinned(stack), f"Take the pin of {stack} out?", stack, engine, dry_run=dry_run, yes=yes)


def _decide(act: Act, question: str, stack: str, engine: Engine, *, dry_run: bool, yes: bool) -> None:
    """Show what a decision would do, with the plan of the update that follows, ask, and carry it out."""
    from cli.approving import Setting

    for line in act.words:
        out().print(line, markup=False, soft_wrap=True)
    setting = act if isinstance(act, Setting) else None
    if setting and not setting.changes:
        out().print(f"{stack} has it so already: nothing is written", markup=False)
        return
    if not (dry_run or is_interactive()):
        want_a_yes(question, yes=yes)
    if setting:
        from cli.verbs.deploying.deploy import preview

        out().print()
        preview(stack=stack, config=[f"{setting.key}={setting.value}"], engine=engine)
    if dry_run:
        return
    want_a_yes(question, yes=yes)
    act.carry_out()
    if setting:
        out().print(f"written; ./dev up -s {stack} carries it out", markup=False)
    else:
        out().print("approved", markup=False)
