"""What an experiment's last runs took and measured, kept in the registry for the forecasts of the next preview."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from clients.errors import LedgerError
from clients.storage import Container
from plans.forecasts import interval
from retrain_hooks.registry.records import Records

_KEPT = 20


@dataclass(frozen=True)
class Past:
    """A finished run: its job's duration in *seconds*, and what it measured."""

    seconds: float
    metrics: dict[str, Any] = field(default_factory=dict)


class History:
    """An experiment's last twenty finished jobs, the oldest first."""

    def __init__(self, registry: Container, experiment: str) -> None:
        self._records = Records(registry, "experience", list[Past], versions=())
        self._durations = Records(registry, "history", list[float], versions=())  # of earlier releases
        self._name = experiment

    def runs(self) -> list[Past]:
        """The runs; of those that an earlier release recorded the durations alone."""
        for records in (self._records, self._durations):
            with suppress(LedgerError):
                if (found := records.find(self._name)) and found.value:
                    return [each if isinstance(each, Past) else Past(each) for each in found.value]
        return []

    def expected(self) -> float | None:
        """The median of the last durations, in seconds; None where none is known."""
        runs = self.runs()
        return median(run.seconds for run in runs) if runs else None

    def takes(self) -> str:
        """What goes after the seconds that a run has taken: `` of about 8 s (4 to 14 in nine of ten)``."""
        seconds = [run.seconds for run in self.runs()]
        if not seconds:
            return " s"
        usual = interval(seconds, positive=True)
        ends = f" ({usual.low:.0f} to {usual.high:.0f} in nine of ten)" if usual else ""
        return f" of about {median(seconds):.0f} s{ends}"

    def add(self, seconds: float, metrics: Mapping[str, Any]) -> None:
        """Remember one more. It only serves forecasts, so it may fail where others are always faster."""
        numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
        with suppress(LedgerError):
            self._records.swap(
                self._name,
                lambda known: [*(self.runs() if known is None else known), Past(round(seconds, 3), numbers)][
                    -_KEPT:
                ],
                over_corrupt=True,
            )
