"""Plays many histories, in as many worlds as are asked for, and shortens those that fail."""

from __future__ import annotations

import json
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.chaos.histories import History, Step, Update, history
from tests.chaos.invariants import check
from tests.chaos.play import Player
from tests.chaos.world import World

_SHRINK_SECONDS = 90.0


@dataclass
class Outcome:
    """How one history went: *violations* as (kind, text), *shortest* the steps that still show one."""

    seed: int
    index: int
    seconds: float
    figures: dict[str, int]
    violations: list[tuple[str, str]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    shortest: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As a line of the file that a campaign resumes from."""
        return asdict(self)

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Outcome:
        """From such a line."""
        return cls(**(line | {"violations": [(kind, text) for kind, text in line["violations"]]}))


def play(world: World, told: History, name: str, sabotage: str = "") -> Outcome:
    """Play *told* in *world*, with a product broken by *sabotage* perhaps, and check what must hold."""
    began = time.monotonic()
    player = Player(world, name, told.gate)
    player.sabotage, record = sabotage, player.record
    try:
        player.open(told.stacks)
        player.play(told)
        check(player)
    except Exception:  # the campaign goes on, and says so
        record.violate("harness", traceback.format_exc(limit=-4))
    finally:
        try:
            player.close()
        except Exception:
            record.violate("harness", traceback.format_exc(limit=-4))
    seconds = time.monotonic() - began
    figures = {kind: number for kind, number in record.figures.items() if number}
    return Outcome(
        told.seed, told.index, seconds, figures, record.violations, [str(step) for step in told.steps]
    )


@dataclass(frozen=True)
class Mode:
    """What a campaign plays: histories that are *drawn*, *played* so; what can be violated, and what that is called in the
    table (*kinds*): *summed* of them make the last line. *option* is the command's.
    """

    kinds: dict[str, str]
    summed: int
    drawn: Callable[[int, int], History] = history
    played: Callable[..., Outcome] = play
    option: str = ""


TROUBLE = Mode(
    {
        "duplicate": "duplicates",
        "orphan": "orphans",
        "wrong binding": "wrong bindings",
        "ungated": "gated endpoints with a model that was not passed",
        "taken": "taken from others, or refused too late",
        "marks": "marks without things, things without marks",
        "wrong model": "models of other inputs",
        "no convergence": "updates that did not converge",
        "preview": "previews that wrote",
        "secret": "secrets found",
        "outlived": "providers that outlived their engine",
        "harness": "defects of the campaign",
    },
    3,
)


def shortened(
    mode: Mode, world: World, told: History, kinds: set[str], again: Callable[[], str]
) -> list[str]:
    """The fewest steps found, within a bounded time, that still violate one of *kinds*."""
    end = time.monotonic() + _SHRINK_SECONDS
    best = told
    position = len(best.steps) - 1
    while position >= 0 and time.monotonic() < end:
        candidate = replace(best, steps=best.steps[:position] + best.steps[position + 1 :])
        outcome = mode.played(world, candidate, again())
        if kinds & {kind for kind, _text in outcome.violations}:
            best = candidate
        position -= 1
    return [str(step) for step in best.steps]


class Campaign:
    """Histories *first* to *first* + *count* - 1 of *seed*, played by *workers* at a time, or in a *world* that is there."""

    def __init__(
        self,
        count: int,
        seed: int,
        *,
        workers: int = 2,
        resume: Path | None = None,
        first: int = 0,
        world: World | None = None,
        on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
        mode: Mode = TROUBLE,
    ) -> None:
        self.count = count
        self.mode = mode
        self.seed = seed
        self.workers = 1 if world else workers
        self.first = first
        self._resume = resume
        self._world = world
        self._on_outcome = on_outcome
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._names = 0
        self._wanted: Iterator[int] = iter(())
        self.outcomes: dict[int, Outcome] = {}

    def run(self) -> list[Outcome]:
        """All outcomes, in the order of the histories."""
        self.outcomes = self._known()
        indexes = range(self.first, self.first + self.count)
        self._wanted = iter([index for index in indexes if index not in self.outcomes])
        workers = min(self.workers, self.count)
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder, ThreadPoolExecutor(workers) as pool:
            playing = [pool.submit(self._work, Path(folder) / f"world{number}") for number in range(workers)]
            try:
                wait(playing)
            finally:
                # Interrupted: what is being played is ended and not counted.
                self._stopped.set()
        for each in playing:
            each.result()
        return [self.outcomes[index] for index in indexes if index in self.outcomes]

    def _known(self) -> dict[int, Outcome]:
        if self._resume is None or not self._resume.exists():
            return {}
        found = {}
        for line in self._resume.read_text().splitlines():
            try:
                outcome = Outcome.from_json(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue  # the line that an interruption cut
            if outcome.seed == self.seed and self.first <= outcome.index < self.first + self.count:
                found[outcome.index] = outcome
        return found

    def _work(self, directory: Path) -> None:
        world = self._world or World(directory)
        try:
            if world is not self._world:
                world.start()
                # The first job waits for the worker's imports; no history is to be charged with that.
                play(world, History(0, 0, (Step("up", (Update("a", "v1"),)),)), self._name())
            while (index := self._next()) is not None:
                self._one(world, index)
        finally:
            if world is not self._world:
                world.close()

    def _next(self) -> int | None:
        with self._lock:
            return None if self._stopped.is_set() else next(self._wanted, None)

    def _name(self) -> str:
        with self._lock:
            self._names += 1
            return f"h{self.first}x{self._names}"

    def _one(self, world: World, index: int) -> None:
        told = self.mode.drawn(self.seed, index)
        outcome = self.mode.played(world, told, self._name())
        if self._stopped.is_set():
            return
        if outcome.violations:
            kinds = {kind for kind, _text in outcome.violations}
            outcome.shortest = shortened(self.mode, world, told, kinds, self._name)
        with self._lock:
            self.outcomes[index] = outcome
            if self._resume is not None:
                with self._resume.open("a") as lines:
                    lines.write(json.dumps(outcome.to_json()) + "\n")
            self._on_outcome(outcome)


def totals(outcomes: list[Outcome]) -> Counter[str]:
    """The figures of all outcomes together."""
    found: Counter[str] = Counter()
    for outcome in outcomes:
        found.update(outcome.figures)
    return found
