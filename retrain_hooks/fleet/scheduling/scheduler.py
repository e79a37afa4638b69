"""Who is worked on when: wave after wave, as many members at once as the service stands, until too many have failed.

A member that fails never stops the others: its record says why, and it is counted. Past the declared limit no further
member is begun.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from clients.errors import RetrainError, UpdateCancelled
from clients.http.listening import listening
from retrain_hooks.fleet.inputs import ScheduleInputs, share
from retrain_hooks.fleet.planning.wishes import Wish
from retrain_hooks.fleet.scheduling.limiter import Limiter
from retrain_hooks.host.lifecycle import Context

_TOLD = 20


@dataclass
class Report:
    """What came of members: those that *ended* well, those that *failed* and why, and *why* further ones were not begun."""

    ended: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    why: str = ""


class Scheduler:
    """Gives *work* one member after the other; it answers with why it failed, empty where it did not.

    *bind* is what is done for those of a wave together, and *bake* watches them: both answer with why some of them failed
    after all. *already* have failed before.
    """

    def __init__(
        self,
        context: Context,
        schedule: ScheduleInputs,
        work: Callable[[Wish], str],
        bind: Callable[[Sequence[Wish]], dict[str, str]],
        bake: Callable[[Sequence[Wish]], dict[str, str]],
        *,
        members: int,
        already: int,
    ) -> None:
        self._context, self._schedule = context, schedule
        self._work, self._bind, self._bake = work, bind, bake
        self._limiter = Limiter(schedule.concurrency, context.clock.monotonic)
        self._bearable = share(schedule.max_failures, members)
        self._already = already
        self._lock = threading.Lock()
        self._cancelled: UpdateCancelled | None = None
        self._report = Report()

    def run(self, wishes: Sequence[Wish]) -> Report:
        """Carry out what is wanted of all of them, as far as the declared limit lets it. Raises UpdateCancelled."""
        workers = min(self._schedule.concurrency, max(1, len(wishes)))
        with listening(self._limiter.answered), ThreadPoolExecutor(workers, "fleet") as pool:
            for number, wave in enumerate(self._waves(wishes), start=1):
                if self._stopped:
                    break
                list(pool.map(lambda wish: self._one(wish, len(wishes)), wave))
                if self._cancelled is not None:
                    raise self._cancelled
                self._note(self._bind([wish for wish in wave if wish.name in self._report.ended]))
                if self._schedule.bake and not self._stopped:
                    self._context.progress.status(f"fleet: wave {number} bakes for {self._schedule.bake:g} s")
                    self._note(self._bake([wish for wish in wave if wish.name not in self._report.failed]))
        begun = len(self._report.ended) + len(self._report.failed)
        if begun < len(wishes):
            self._report.why = (
                f"{len(wishes) - begun:,} members were not begun after {len(self._report.failed):,} failed"
            )
        return self._report

    def _waves(self, wishes: Sequence[Wish]) -> Iterator[Sequence[Wish]]:
        done = 0
        for text in (*self._schedule.waves, "100%"):
            reach = min(len(wishes), share(text, len(wishes)))
            if reach > done:
                yield wishes[done:reach]
                done = reach

    @property
    def _stopped(self) -> bool:
        return self._cancelled is not None or self._already + len(self._report.failed) > self._bearable

    def _one(self, wish: Wish, of: int) -> None:
        with self._limiter.inside():
            if self._stopped:
                return
            try:
                error = self._work(wish)
            except UpdateCancelled as cancelled:
                self._cancelled = cancelled
                return
            except RetrainError as failure:  # not even its record could be written
                error = failure.cause
        if not error:
            self._limiter.went_well()
        self._note({wish.name: error} if error else {}, ended=wish.name)
        begun = len(self._report.ended) + len(self._report.failed)
        told = (
            f"fleet: {begun:,} of {of:,}, {len(self._report.failed):,} failed, {self._limiter.limit} at once"
        )
        self._context.progress.status(told)

    def _note(self, failed: dict[str, str], ended: str = "") -> None:
        with self._lock:
            for name, error in failed.items():
                if name in self._report.ended:
                    self._report.ended.remove(name)
                self._report.failed[name] = error
                if len(self._report.failed) <= _TOLD:
                    self._context.progress.info(f"fleet: {name}: {error}")
            if ended and ended not in failed:
                self._report.ended.append(ended)
