"""Plays rounds: an update in which a process is killed, and a quiet one that must be right."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import psutil
from azure.core.exceptions import AzureError

from tests.chaos.kills.house import VERSIONS, VICTIMS, House

RED, WRONG, ORPHAN, SECOND, RAW = (
    "quiet updates that were red",
    "served a wrong model",
    "jobs without a record",
    "second jobs for a run",
    "ends without a remedy",
)
KINDS = (RED, WRONG, ORPHAN, SECOND, RAW)
_DEADLINE = 300.0
_LOOK = 0.02
_FURTHER = 1000


@dataclass(frozen=True)
class Round:
    """What is declared, whom it strikes, and when: a *share* of the time that an update takes."""

    index: int
    version: str
    seed: int
    victim: str
    share: float

    def __str__(self) -> str:
        return f"{self.victim} at {self.share:.0%} of an update to {self.version} with seed {self.seed}"


@dataclass
class Outcome:
    """How a round went."""

    round: Round
    figures: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0


def drawn(count: int, seed: int) -> list[Round]:
    """*count* rounds; each victim in its turn, mostly with inputs that nobody has trained yet."""
    found = []
    for index in range(count):
        dice = random.Random(f"kills/{seed}/{index}")
        new = index + 1 if dice.random() < 0.75 else dice.randint(0, index)
        found.append(
            Round(index, dice.choice(VERSIONS), new, VICTIMS[index % len(VICTIMS)], dice.uniform(0.02, 1.0))
        )
    return found


class Rounds:
    """Plays rounds in a *house*, one after the other."""

    def __init__(self, house: House, on_outcome: Callable[[Outcome], None] = lambda _outcome: None) -> None:
        self._house = house
        self._on_outcome = on_outcome
        self._seconds = 0.0
        self._seen: set[tuple[str, str]] = set()

    def play(self, rounds: list[Round]) -> list[Outcome]:
        """All of them; the first update, which nobody disturbs, says how long one takes."""
        began = time.monotonic()
        self._house.checkout.up()
        self._seconds = time.monotonic() - began
        return [self._one(each) for each in rounds]

    def _one(self, wanted: Round) -> Outcome:
        began, outcome = time.monotonic(), Outcome(wanted)
        house = self._house
        arguments = _up(wanted)
        while not self._struck(wanted, arguments, outcome):
            # It took less time than the one before: again, earlier, with other inputs.
            wanted = replace(wanted, seed=wanted.seed + _FURTHER, share=wanted.share / 2)
            arguments = _up(wanted)
        # The quiet one also starts again what was killed.
        quiet = house.checkout.dev(*arguments, seconds=_DEADLINE)
        if quiet.status:
            outcome.violations.append((RED, quiet.text[-3000:]))
        elif why := house.wrong(house.key(wanted.version, wanted.seed)):
            outcome.violations.append((WRONG, why))
        house.look()
        self._jobs(outcome)
        outcome.seconds = time.monotonic() - began
        self._on_outcome(outcome)
        return outcome

    def _struck(self, wanted: Round, arguments: tuple[str, ...], outcome: Outcome) -> bool:
        """The update in which somebody is killed; whether it was still under way."""
        with self._house.checkout.start(*arguments) as process:
            engine = psutil.Process(process.pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self._seconds * wanted.share)
            while (victim := self._house.victim(wanted.victim, engine)) is None and process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK)
            struck = victim is not None and process.poll() is None
            if victim is not None and struck:
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.kill()
                outcome.figures[f"killed: {wanted.victim}"] += 1
            out, err = process.communicate(timeout=_DEADLINE)
        if struck:
            told = "updates that the kill made red" if process.returncode else "green all the same"
            outcome.figures[told] += 1
        with contextlib.suppress(AzureError):  # the blob store is dead: the quiet update starts it
            self._house.look()
        text = out + err
        killed = process.returncode == -9
        if "Traceback" in text or (process.returncode and not killed and "remedy:" not in text):
            outcome.violations.append((RAW, text[-3000:]))
        return struck

    def _jobs(self, outcome: Outcome) -> None:
        """Each job that was started is named by a record, or failed; no run has two that finished."""
        jobs = self._house.jobs()
        runs = Counter(job["run"] for job in jobs.values() if job["state"] == "Finished")
        found = [(ORPHAN, id_) for id_, job in jobs.items() if _counts(job) and id_ not in self._house.named]
        found += [(SECOND, run) for run, number in runs.items() if number > 1]
        for kind, what in found:
            if (kind, what) not in self._seen:
                self._seen.add((kind, what))
                outcome.violations.append((kind, what))
        outcome.figures["jobs"] = len(jobs)


def _up(wanted: Round) -> tuple[str, ...]:
    """The update that a round declares."""
    declared = ("-c", f"dataVersion={wanted.version}", "-c", f"seed={wanted.seed}")
    return ("up", "--yes", "--engine", "embedded", *declared)


def _counts(job: dict[str, str]) -> bool:
    return job["state"] not in ("Failed", "Cancelled", "Lost")


def figures(outcomes: list[Outcome]) -> dict[str, str]:
    """The figures by name, in the order in which they are shown."""
    total: Counter[str] = Counter()
    for outcome in outcomes:
        total.update(outcome.figures)
    jobs = max((outcome.figures["jobs"] for outcome in outcomes), default=0)
    found = {"rounds": str(len(outcomes)), "jobs started": str(jobs)}
    found |= {name: str(total[name]) for name in sorted(total) if name != "jobs"}
    seconds = sorted(outcome.seconds for outcome in outcomes) or [0.0]
    found["seconds per round (median, longest)"] = f"{seconds[len(seconds) // 2]:.1f}, {seconds[-1]:.1f}"
    counted = Counter(kind for outcome in outcomes for kind, _text in outcome.violations)
    return found | {kind: str(counted[kind]) for kind in KINDS}


def last_line(outcomes: list[Outcome]) -> str:
    """``N rounds: …``."""
    counted = Counter(kind for outcome in outcomes for kind, _text in outcome.violations)
    return f"{len(outcomes)} rounds: " + ", ".join(f"{counted[kind]} {kind}" for kind in KINDS)
