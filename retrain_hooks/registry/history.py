"""How long an experiment's training takes: the last durations, kept in the registry for the next preview."""

from __future__ import annotations

from contextlib import suppress
from statistics import median

from clients.errors import LedgerError
from clients.storage import Container
from retrain_hooks.registry.records import Records

_KEPT = 20


class History:
    """Durations of an experiment's finished jobs, in seconds; the last twenty."""

    def __init__(self, registry: Container, experiment: str) -> None:
        self._records = Records(registry, "history", list[float], versions=())
        self._name = experiment

    def expected(self) -> float | None:
        """The median of the last durations; None where none is known."""
        with suppress(LedgerError):
            found = self._records.find(self._name)
            return median(found.value) if found and found.value else None
        return None

    def add(self, seconds: float) -> None:
        """Remember one more. It only serves estimates, so it may fail where others are always faster."""
        with suppress(LedgerError):
            self._records.swap(
                self._name,
                lambda known: [*(known or []), round(seconds, 3)][-_KEPT:],
                over_corrupt=True,
            )
