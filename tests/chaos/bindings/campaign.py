"""Plays many trials, in as many worlds as are asked for."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from statistics import mean, median

from tests.chaos.bindings import trials
from tests.chaos.bindings.drawn import trial
from tests.chaos.bindings.house import CLASSIC, NEW, House
from tests.chaos.bindings.trials import Outcome
from tests.chaos.world import World

# What can be violated, and what it is called in the table.
_KINDS = {
    trials.FALSE_SUCCESS: "false successes",
    trials.WRONG_REPORT: "wrongly reported",
    trials.UNSEEN_DRIFT: "drifts that were not shown",
    trials.NO_CONVERGENCE: "next updates that did not converge",
    trials.TAKEN: "taken by a move",
    trials.DEFECT: "defects of the campaign",
}


class Campaign:
    """Trials *first* to *first* + *count* - 1 of *seed*, played by *workers* at a time, or in a *world* that is there."""

    def __init__(
        self,
        count: int,
        seed: int,
        *,
        workers: int = 2,
        first: int = 0,
        world: World | None = None,
        on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    ) -> None:
        self._indexes = range(first, first + count)
        self._seed, self._workers = seed, 1 if world else min(workers, count)
        self._world = world
        self._on_outcome = on_outcome
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._wanted: Iterator[int] = iter(self._indexes)
        self.outcomes: dict[int, Outcome] = {}

    def run(self) -> list[Outcome]:
        """All outcomes, in the order of the trials."""
        with (
            tempfile.TemporaryDirectory(prefix="chaos-") as folder,
            ThreadPoolExecutor(self._workers) as pool,
        ):
            playing = [
                pool.submit(self._work, Path(folder) / f"world{number}") for number in range(self._workers)
            ]
            try:
                wait(playing)
            finally:
                self._stopped.set()
        for each in playing:
            each.result()
        return [self.outcomes[index] for index in self._indexes if index in self.outcomes]

    def _work(self, directory: Path) -> None:
        world, houses = self._world or World(directory), dict[str, House]()
        try:
            if world is not self._world:
                world.start()
            for kind in (CLASSIC, NEW):
                houses[kind] = House(world, kind).deploy()
            while (index := self._next()) is not None:
                drawn = trial(self._seed, index)
                outcome = trials.play(houses[drawn.kind], drawn)
                with self._lock:
                    self.outcomes[index] = outcome
                    self._on_outcome(outcome)
        finally:
            for house in houses.values():
                house.close()
            if world is not self._world:
                world.close()

    def _next(self) -> int | None:
        with self._lock:
            return None if self._stopped.is_set() else next(self._wanted, None)


def violations(outcomes: list[Outcome]) -> Counter[str]:
    """How many trials violated each kind."""
    return Counter(kind for outcome in outcomes for kind in {kind for kind, _text in outcome.violations})


def figures(outcomes: list[Outcome]) -> dict[str, str]:
    """The figures by name, in the order in which they are shown."""
    total: Counter[str] = sum((outcome.figures for outcome in outcomes), Counter())
    seconds = [outcome.seconds for outcome in outcomes] or [0.0]
    found = {"bindings": str(len(outcomes))}
    found |= {
        name: str(total[name]) for name in sorted(total, key=lambda name: (name.startswith("fault"), name))
    }
    found["seconds per binding (median, mean, longest)"] = (
        f"{median(seconds):.1f}, {mean(seconds):.1f}, {max(seconds):.1f}"
    )
    counted = violations(outcomes)
    return found | {name: str(counted[kind]) for kind, name in _KINDS.items()}


def last_line(outcomes: list[Outcome]) -> str:
    """``N bindings: F false successes, W wrongly reported, R restored``."""
    counted = violations(outcomes)
    restored = sum(outcome.figures["restored"] for outcome in outcomes)
    return (
        f"{len(outcomes)} bindings: {counted[trials.FALSE_SUCCESS]} false successes, "
        f"{counted[trials.WRONG_REPORT]} wrongly reported, {restored} restored"
    )


def failure(outcome: Outcome) -> str:
    """A trial that violated something, and how to see it again."""
    lines = [f"binding {outcome.index} of seed {outcome.seed} ({outcome.trial}):"]
    lines += [f"  {kind}: {text}" for kind, text in outcome.violations]
    lines.append(f"  again: ./dev chaos --bindings -n 1 --seed {outcome.seed} --first {outcome.index}")
    return "\n".join(lines)
