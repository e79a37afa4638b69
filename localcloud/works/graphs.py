"""Experiments and scorers, kept in memory by the digest of what they were made from.

Scoring needs pandas and ONNX's runtime; they are imported when first needed (the server warms them up in the
background), so that the ports answer at once.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from graph import Experiment, GraphError, Scorer, parse_experiment
from localcloud.facilities.errors import PackageError
from localcloud.works.models import Models
from localcloud.works.services import Resource, Services

_log = logging.getLogger("studio")

_EXPERIMENTS = 64
_SCORERS = 16

Value = TypeVar("Value")


class _Recent(Generic[Value]):
    """The last `size` values by key; making one is not done twice at the same time, and keeps nobody from the others."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[object, Value] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[object, threading.Lock] = {}

    def known(self, key: object) -> Value | None:
        return self._values.get(key)

    def all(self) -> list[Value]:
        with self._lock:
            return list(self._values.values())

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if (known := self._values.get(key)) is not None:
                return known
            try:
                value = make()
                with self._lock:
                    self._values[key] = value
                    if len(self._values) > self._size:
                        self._values.popitem(last=False)
                return value
            finally:
                with self._lock:
                    self._making.pop(key, None)


class Graphs:
    """Parses graphs and prepares scorers, once each."""

    def __init__(self, services: Services, models: Models, *, scripts: bool = False) -> None:
        self._scripts = scripts
        self._services = services
        self._models = models
        self._experiments: _Recent[Experiment] = _Recent(_EXPERIMENTS)
        self._scorers: _Recent[Scorer] = _Recent(_SCORERS)

    def warm_up(self) -> None:
        """Import what scoring needs."""
        import azure.storage.blob  # noqa: F401
        import httpx  # noqa: F401
        import onnxruntime  # noqa: F401
        import pandas  # noqa: F401

        # What was imported stays: the collector need not walk it while requests wait.
        gc.collect()
        gc.freeze()

    def parse(self, package: Mapping[str, Any]) -> Experiment:
        """Check a graph that somebody wants to publish. Raises `PackageError`, also for scripts where none are allowed."""
        try:
            found = parse_experiment(package)
        except GraphError as error:
            raise PackageError("ValidationError", error.message, error.target or None) from None
        if found.scripts and not self._scripts:
            raise PackageError(
                "ValidationError",
                f"{found.scripts[0]} runs a script, and this local cloud was started without --allow-scripts; "
                "run ./dev cloud start --allow-scripts",
            )
        return found

    def experiment(self, digest: str) -> Experiment:
        """A published graph. Raises `PackageError` for one that this local cloud does not know how to run."""
        known = self._experiments.known(digest)
        if known is not None:
            return known
        return self._experiments.get(digest, lambda: self.parse(self._services.package(digest)))

    def ready(self) -> list[dict[str, Any]]:
        """The scorers that have been made: their graph, how they score, and why they are not compiled."""
        return [
            {"graph": each.experiment.name, "compiled": not each.interpreted, "why": each.interpreted or None}
            for each in self._scorers.all()
        ]

    def known_scorer(self, package: str, resources: Sequence[Resource]) -> Scorer | None:
        """The scorer, if it has been made."""
        return self._scorers.known(_key(package, resources))

    def scorer(self, package: str, resources: Sequence[Resource]) -> Scorer:
        """The scorer for a graph and its models; raises what `graph.Scorer` raises."""

        def make() -> Scorer:
            models = {resource.name: self._models.read(resource.sha256) for resource in resources}
            scorer = Scorer(self.experiment(package), models)
            how = f"interpreted: {scorer.interpreted}" if scorer.interpreted else "compiled"
            _log.info("the graph '%s' is %s", scorer.experiment.name, how)
            return scorer

        return self._scorers.get(_key(package, resources), make)


def _key(package: str, resources: Sequence[Resource]) -> tuple[str, tuple[tuple[str, str], ...]]:
    return package, tuple(sorted((resource.name, resource.sha256) for resource in resources))
