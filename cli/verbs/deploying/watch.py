"""`./dev watch`."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import say
from cli.errors import FAILED
from cli.options import Engine, EngineOption, Stack

if TYPE_CHECKING:
    from cli.watching.records import Records
    from cli.watching.watcher import Situation

_HOW = """  retraining:triggers:
    - newData: {every: 15m}
    - {cron: "0 3 * * *", zone: Europe/Berlin}
  retraining:watchPolicy: ask  # or auto, never"""


def watch(
    stack: Stack = "dev",
    once: Annotated[bool, typer.Option("--once", help="Look at everything once, act, and end.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and why; write nothing.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="What was done and why: a line of JSON each, the oldest first.")
    ] = False,
    pause: Annotated[
        str | None, typer.Option("--pause", metavar="DURATION", help="Do nothing for so long: 90m, 2h, 3d.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="End the pause.")] = False,
    engine: EngineOption = Engine.auto,
) -> None:
    """Retrain a stack whenever one of its `triggers` says so, under its `watchPolicy`."""
    from cli.project import ROOT
    from cli.stacks.names import known
    from cli.watching.records import Records

    stack = known(stack)
    records = Records(ROOT / ".local" / "watch" / stack)
    if sum((history, pause is not None, resume, once or dry_run)) > 1:
        raise typer.BadParameter(
            "--once and --dry-run, --history, --pause and --resume are for runs of their own"
        )
    if history:
        for entry in records.history():
            print(json.dumps(entry, ensure_ascii=False))
    elif pause is not None or resume:
        _pause(records, stack, pause)
    else:
        _watch(records, stack, engine, once=once, dry_run=dry_run)


def _pause(records: Records, stack: str, pause: str | None) -> None:
    from cli.times import local_time
    from clients.clock import SystemClock
    from retrain_hooks.host.inputs import Duration

    if pause is None:
        records.paused_until = None
        say(f"{stack} is not paused")
        return
    until = SystemClock().now() + timedelta(seconds=Duration.parse(pause, "--pause"))
    records.paused_until = until
    say(f"{stack} is paused until {local_time(until)}; what is due by then is done once after that")


def _watch(records: Records, stack: str, engine: Engine, *, once: bool, dry_run: bool) -> None:
    from cli.watching.deploying import Verbs
    from cli.watching.situation import situation
    from cli.watching.watcher import Watcher
    from clients.clock import SystemClock

    there = situation(stack, engine)
    if not there.triggers:
        say(
            f"the stack {stack} declares no triggers, so that nothing retrains it. Declare some in Pulumi.{stack}.yaml:"
        )
        say(_HOW)
        return
    watcher = Watcher(
        stack, records, partial(situation, stack, engine), Verbs(stack, engine), SystemClock(), say
    )
    if dry_run:
        watcher.rehearse()
        return
    with records.alone(), ExitStack() as open_:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if once:
            if not watcher.once():
                raise typer.Exit(FAILED)
            return
        say(f"watching {stack}: {len(there.triggers)} triggers, policy {there.policy}")
        watcher.run(_waiting(there, open_))


def _waiting(there: Situation, open_: ExitStack) -> Callable[[float], bool]:
    """How the loop waits: for hints where a trigger listens for them."""
    from cli.watching.listening import Hints, listening
    from retrain_hooks.triggers import new_data

    hints = Hints()
    for trigger in there.triggers:
        if isinstance(trigger.settings, new_data.Settings) and trigger.settings.listen:
            port = open_.enter_context(listening(trigger.settings.listen, trigger.settings.key_from, hints))
            say(f"hearing events of the storage account at port {port}")
    return hints.wait
