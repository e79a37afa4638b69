"""`./dev up`, `preview`, `refresh` and `destroy`: a stack's runs, whose options are each declared once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from cli.options import (
    AsJson,
    ClearPendingCreates,
    Config,
    Diff,
    Engine,
    EngineOption,
    Expect,
    GoOn,
    Parallel,
    Quiet,
    Refresh,
    RunProgram,
    Stack,
    Target,
    Yes,
    overrides,
    wants_to_be_asked,
    with_expected,
)

if TYPE_CHECKING:
    from cli.runners import Runner, Wishes

OPTIONS: dict[str, tuple[Any, Any]] = {
    "stack": (Stack, "dev"),
    "config": (Config, None),
    "engine": (EngineOption, Engine.auto),
    "refresh": (Refresh, False),
    "expect_no_changes": (Quiet, False),
    "diff": (Diff, False),
    "expect": (Expect, None),
    "target": (Target, None),
    "parallel": (Parallel, None),
    "continue_on_error": (GoOn, False),
    "clear_pending_creates": (ClearPendingCreates, False),
    "run_program": (RunProgram, False),
    "as_json": (AsJson, False),
    "yes": (Yes, False),
}
EVERY = {"stack", "config", "engine", "diff", "target", "parallel", "as_json"}


def _verb(*more: str) -> Callable[[Callable[[Runner, Wishes], None]], Callable[..., None]]:
    """A verb that runs a stack, with the options of every such verb and `more`."""

    def decorate(act: Callable[[Runner, Wishes], None]) -> Callable[..., None]:
        @functools.wraps(act)
        def run(**given: Any) -> None:
            from cli.runners import Wishes, open_runner

            stack, config, engine = (given.pop(name) for name in ("stack", "config", "engine"))
            expected = with_expected(overrides(config), given.pop("expect", None))
            ask = "yes" in given and wants_to_be_asked(given.pop("yes"), given["as_json"])
            wishes = Wishes(ask=ask, targets=tuple(given.pop("target") or ()), **given)
            act(open_runner(stack, expected, engine), wishes)

        taken = {name: option for name, option in OPTIONS.items() if name in EVERY.union(more)}
        run.__annotations__ = {name: kind for name, (kind, _) in taken.items()}
        run.__signature__ = Signature(  # type: ignore[attr-defined]
            [
                Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
                for name, (kind, default) in taken.items()
            ]
        )
        return run

    return decorate


@_verb("refresh", "expect_no_changes", "expect", "continue_on_error", "yes")
def up(runner: Runner, wishes: Wishes) -> None:
    """Train what is to be trained, bind it, and show what the endpoint answers."""
    runner.up(wishes)
    if not wishes.as_json:
        from cli.console import out
        from retrain_hooks.report import after_up

        after_up(runner.outputs(), out())


@_verb("refresh", "expect_no_changes", "expect")
def preview(runner: Runner, wishes: Wishes) -> None:
    """Show what `up` would train and bind, old → new; nothing is submitted, nothing is written."""
    runner.preview(wishes)


@_verb("expect_no_changes", "clear_pending_creates", "yes")
def refresh(runner: Runner, wishes: Wishes) -> None:
    """Read how the services really are into the stack's state."""
    runner.refresh(wishes)


@_verb("run_program", "yes")
def destroy(runner: Runner, wishes: Wishes) -> None:
    """Delete what the stack created; data, models and the ledger of runs stay."""
    runner.destroy(wishes)
