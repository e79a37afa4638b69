"""`./dev up`, `preview`, `refresh` and `destroy`: a stack's runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

from cli.errors import warn
from cli.options import overrides, refuse_unasked_take_over, wants_to_be_asked, with_expected
from cli.wishes import Wishes

if TYPE_CHECKING:
    from cli.planning import Planning
    from cli.runners.run import Runner
    from clients.storage import Container

CHANGES = 2
"""The exit status of a preview that finds changes, where it is asked for one."""
EVERY = {"stack", "config", "engine", "diff", "target", "parallel", "no_progress", "as_json"}


def _verb(*more: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A verb that runs a stack, with the options of every such verb and `more`."""

    def decorate(act: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(act)
        def run(**given: Any) -> None:
            from cli.runners import open_runner
            from cli.stacks.names import known
            from cli.stacks.reset import cloud_was_reset

            wishes = Wishes(**given)
            stack = known(wishes.stack, deployed=act.__name__ in ("refresh", "destroy"))
            expected = with_expected(overrides(wishes.config), wishes.expect)
            if "yes" in more:
                if wishes.take_over:
                    refuse_unasked_take_over(wishes.yes)
                    warn("whatever bears this stack's names becomes its own, also what another stack made")
                deletes = act.__name__ == "destroy"
                asked = wants_to_be_asked(wishes.yes, wishes.as_json, deletes=deletes)
                wishes = replace(wishes, ask=asked)
            runner = open_runner(stack, expected, wishes.engine, asked=wishes.asked)
            if "refresh" in more and not wishes.refresh and cloud_was_reset(stack, expected):
                warn(
                    "the local cloud was reset since the last update of this stack: what is gone is found out first"
                )
                wishes = replace(wishes, refresh=True)
            if act.__name__ in ("up", "preview"):
                from cli.planning import Planning

                with closing(
                    Planning(stack, wishes, expected, partial(_registry, stack, expected))
                ) as planning:
                    act(runner, wishes, planning)
            else:
                act(runner, wishes)

        hints = get_type_hints(Wishes, include_extras=True)
        taken = {name: hint for name, hint in hints.items() if name in EVERY.union(more)}
        run.__annotations__ = taken
        run.__signature__ = Signature(  # type: ignore[attr-defined]
            [
                Parameter(name, Parameter.KEYWORD_ONLY, default=getattr(Wishes, name), annotation=hint)
                for name, hint in taken.items()
            ]
        )
        return run

    return decorate


def _registry(stack: str, overrides: dict[str, str]) -> Container:
    """The registry of the stack's target."""
    from cli.services.registry import open_context

    context, target = open_context(stack, overrides)
    return context.registry(target)


_PLANS = ("steps", "summary", "markdown")


@_verb(
    "refresh",
    "expect_no_changes",
    "expect",
    "continue_on_error",
    "take_over",
    "members",
    "yes",
    "plan",
    *_PLANS,
)
def up(runner: Runner, wishes: Wishes, planning: Planning) -> None:
    """Train what is to be trained, bind it, and show what the endpoint answers."""
    runner.up(wishes, planning)
    if not wishes.as_json:
        from cli.console import out
        from cli.services.report import after_up

        after_up(runner.outputs(), out())


@_verb(
    "refresh",
    "expect_no_changes",
    "expect",
    "take_over",
    "members",
    "save_plan",
    "detailed_exitcode",
    *_PLANS,
)
def preview(runner: Runner, wishes: Wishes, planning: Planning) -> None:
    """Show what `up` would train and bind, old → new; nothing is submitted, nothing is written."""
    plan = runner.preview(wishes, planning)
    if wishes.detailed_exitcode and plan.stages:
        raise typer.Exit(CHANGES)


@_verb("expect_no_changes", "clear_pending_creates", "yes")
def refresh(runner: Runner, wishes: Wishes) -> None:
    """Read how the services really are into the stack's state."""
    runner.refresh(wishes)


@_verb("run_program", "yes")
def destroy(runner: Runner, wishes: Wishes) -> None:
    """Delete what the stack created; data, models and the ledger of runs stay."""
    runner.destroy(wishes)
