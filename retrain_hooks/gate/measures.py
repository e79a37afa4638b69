"""What a gate's rule measures.

::

    auc                    a metric of the task
    precision at 0.8       a metric, where the rows whose scored probability is 0.8 at least are the positive ones
    metrics.py: profit     what the function `profit` of the file `metrics.py` makes of the rows
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from clients.errors import ConfigurationError
from clients.names import likeliest
from tasks import TASKS, Metric, metric
from tasks.two_class import AT_THRESHOLD

METRICS: Final = tuple(dict.fromkeys(one.name for task in TASKS.values() for one in task.metrics))
EXAMPLE: Final = "write it like auc >= 0.65, or like auc >= champion - 0.01"

NUMBER: Final = r"(?:\d+\.?\d*|\.\d+)"
MEASURE: Final = rf"[\w./-]+\.py\s*:\s*[^\W\d]\w*|\w+(?:\s+at\s+{NUMBER})?"
_OWN: Final = re.compile(r"(?P<file>.+\.py)\s*:\s*(?P<function>\w+)")
_AT: Final = re.compile(rf"(?P<metric>\w+)\s+at\s+(?P<threshold>{NUMBER})")
_ALIKE: Final = 0.5


@dataclass(frozen=True)
class Measure:
    """A metric, at its own *threshold* where there is one; or a team's own *function* in a *file*."""

    metric: Metric
    threshold: Decimal | None = None
    file: str = ""
    function: str = ""

    @property
    def text(self) -> str:
        """As rules and verdicts write it: one of the same meaning has the same text."""
        if self.function:
            return f"{self.file}: {self.function}"
        if self.threshold is None:
            return self.metric.name
        return f"{self.metric.name} at {self.threshold.normalize():f}"

    @property
    def on_rows(self) -> bool:
        """Whether it takes the rows themselves: the evaluation of a run has no such number."""
        return bool(self.function) or self.threshold is not None

    @property
    def span(self) -> str:
        """Between which ends it lies, in words; empty where it has none."""
        low, high = self.metric.lowest, self.metric.highest
        if self.metric.share:
            return f"lies between {low:g} and {high:g}"
        if math.isfinite(low):
            return f"is at least {low:g}"
        return f"is at most {high:g}" if math.isfinite(high) else ""

    def takes(self, number: Decimal | float) -> bool:
        """Whether it can be that number."""
        return self.metric.lowest <= number <= self.metric.highest


@lru_cache(maxsize=1024)
def measure(text: str) -> Measure:
    """Read what a rule measures. Raises ConfigurationError."""
    if own := _OWN.fullmatch(text):
        name = f"{own['file'].strip()}: {own['function']}"
        none = Metric(name, name, -math.inf, math.inf, "")
        return Measure(none, None, own["file"].strip(), own["function"])
    at = _AT.fullmatch(text)
    name = at["metric"] if at else text
    found = metric(name)
    if found is None:
        near = likeliest(name, METRICS, _ALIKE)
        meant = f"did you mean {near}? It" if near else "it"
        raise ConfigurationError(
            f"the gate knows no metric {name!r}; {meant} knows: {', '.join(METRICS)}", EXAMPLE
        )
    if at is None:
        return Measure(found)
    threshold = Decimal(at["threshold"])
    if name not in AT_THRESHOLD:
        raise ConfigurationError(
            f"{name} is the same at every threshold",
            f"leave out `at {at['threshold']}`; a threshold have: {', '.join(AT_THRESHOLD)}",
        )
    if not 0 <= threshold <= 1:
        raise ConfigurationError(
            f"`{text}`: a threshold is a probability, and {threshold} is none",
            "write it like precision at 0.8",
        )
    return Measure(found, threshold)
