"""`kill -9` of embedded runs at chosen or random places, and what must hold after each.

    python -m tests.engine.killing 200 --seed 7

Programs at random with creates, updates, replacements and deletes; the provider lives on and keeps its own store.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

import engine
from backend.stacks import problems_of
from engine.events import Diagnostic, Event
from tests.engine.playing import PASSPHRASE, Embedded, run_program
from tests.engine.scenarios import Scenario
from tests.waiting import eventually

NAMES = ("one", "two", "three", "four", "five", "six", "seven")


def killed_run(root: Path, port: int, kind: str, number: int) -> None:
    """An update that kills its own process: at the nth `event` it tells, or the nth time it syncs a `write`."""
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(event: Event) -> None:
        if kind == "event" and not isinstance(event, Diagnostic):
            count()

    if kind == "write":
        sync = os.fsync
        os.fsync = lambda file: (count(), sync(file))[1]  # type: ignore[assignment]
    env = {"PULUMI_DEBUG_PROVIDERS": f"things:{port}"}
    options = engine.Options(program=lambda: run_program(root), env=env)
    engine.up(engine.Workspace.open(root, "dev", passphrase=PASSPHRASE), options, hear)


def breed() -> None:
    """Do updates that are to be killed, each in a process forked from this one, which has done the imports."""
    for line in sys.stdin:
        root, port, kind, number = line.rstrip("\n").split("\t")
        process = os.fork()
        if process == 0:
            killed_run(Path(root), int(port), kind, int(number))
            os._exit(0)
        print(process, flush=True)
        print(os.waitpid(process, 0)[1], flush=True)


class Killer:
    """Runs programs in processes that are killed."""

    def __init__(self) -> None:
        code = "from tests.engine.killing import breed; breed()"
        self._breeder = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )

    def close(self) -> None:
        """End what starts the processes."""
        self._breeder.communicate()

    def kill(self, player: Embedded, kind: str, number: int) -> bool:
        """Run the player's program; whether it was killed, or had ended before.

        A `time` is in milliseconds after its first call of the provider; a `call` waits until so many calls are stuck.
        """
        breeder, things = self._breeder, player.served.things
        assert breeder.stdin
        assert breeder.stdout
        things.begin()
        breeder.stdin.write(f"{player.root}\t{player.served.port}\t{kind}\t{number}\n")
        process = psutil.Process(int(breeder.stdout.readline()))
        if kind == "call":
            assert all(things.waiting.acquire(timeout=30) for _ in range(number))
            process.kill()
        elif kind == "time":
            eventually(lambda: things.calls or not process.is_running(), "the first call")
            for unfinished in psutil.wait_procs([process], timeout=number / 1000)[1]:
                unfinished.kill()
        return int(breeder.stdout.readline()) == signal.SIGKILL


def some_program(rng: random.Random) -> Scenario:
    """A few things, each resting on an earlier one or not; values, replacing ones too, differ from one program to the next."""
    lines: list[str] = []
    there: list[str] = []
    for name in NAMES:
        if rng.random() < 0.25:
            continue
        props: dict[str, Any] = {rng.choice(("value", "fixed")): f"v{rng.randrange(3)}"}
        if rng.random() < 0.3:
            props["dbr"] = True
        rests = f', "from": {rng.choice(there)}.id' if there and rng.random() < 0.6 else ""
        lines.append(f"{name} = Thing({name!r}, {{**{props!r}{rests}}})")
        there.append(name)
    return Scenario("killed", "\n".join(lines))


def check(player: Embedded, program: Scenario) -> str:
    """What must hold after a kill; tells what the next update found (pending operations, by kind)."""
    things = player.served.things
    ws = player.stack.ws
    snapshot = ws.snapshot()  # fails if the checkpoint is none
    assert problems_of(snapshot.resources, ws.stack) == []
    pending = Counter(op for op, _ in snapshot.pending)
    making = {state.urn.rpartition("::")[2] for op, state in snapshot.pending if op == "creating"}
    known = {state.id for state in snapshot.resources}
    lost = {id_ for id_ in things.store if id_ not in known and id_.rpartition("-")[0] not in making}
    assert not lost, f"made and on no record: {lost}"
    update = player.stack.up(player.program)
    assert update.ok, update.failures
    told = [
        e.message
        for e in player.stack.events
        if isinstance(e, Diagnostic) and "pending operations" in e.message
    ]
    assert len(told) == bool(snapshot.pending)
    assert all(f"{state.urn}, interrupted while {op}" in told[0] for op, state in snapshot.pending)
    assert not list(ws.backend.locks.glob("*.json"))
    assert set(player.stack.up(player.program).changes) <= {"same"}
    known = {state.id for state in ws.snapshot().resources}
    orphans = {id_ for id_ in things.store if id_ not in known}
    assert {id_.rpartition("-")[0] for id_ in orphans} <= making
    for id_ in orphans:  # made by a create that was interrupted, and reported
        del things.store[id_]
    assert {id_ for id_ in known if id_ and not id_.count("-") > 1} <= {*things.store}
    assert player.stack.refresh(clear_pending_creates=True).ok
    assert not ws.snapshot().pending
    return ", ".join(f"{count} {op}" for op, count in sorted(pending.items())) or "nothing"


def campaign(kills: int, seed: int, root: Path) -> Counter[str]:
    """As many kills, one after the other on one stack; counts what was pending."""
    found: Counter[str] = Counter()
    rng = random.Random(seed)
    player, killer = Embedded(root), Killer()
    try:
        while found.total() < kills:
            program = some_program(rng)
            player.write(program, 1)
            kind = rng.choice(("event", "write", "time"))
            if killer.kill(player, kind, rng.randrange(1, 250 if kind == "time" else 20)):
                found[f"{kind}: {check(player, program)}"] += 1
    finally:
        killer.close()
        player.close()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for what, count in sorted(campaign(given.kills, given.seed, Path(folder, "stack")).items()):
            print(f"{count:4}  {what}")
