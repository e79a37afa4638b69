"""Experiments and scorers, kept in memory by the digest of what they were made from.

`studio.graph` brings pandas and scikit-learn; it is imported when first needed (the server warms it up in the
background), so that the ports answer at once.
"""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from studio.errors import PackageError
from studio.management.state import Resource, Services
from studio.models import Models

if TYPE_CHECKING:
    from studio.graph import Experiment, Scorer

_EXPERIMENTS = 64
_SCORERS = 16

Value = TypeVar("Value")


class _Recent(Generic[Value]):
    """The last `size` values by key; making one is not done twice at the same time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[object, Value] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, key: object) -> Value | None:
        return self._values.get(key)

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
                if len(self._values) > self._size:
                    self._values.popitem(last=False)
            self._values.move_to_end(key)
            return self._values[key]


class Graphs:
    """Parses graphs and prepares scorers, once each."""

    def __init__(self, services: Services, models: Models) -> None:
        self._services = services
        self._models = models
        self._experiments: _Recent[Experiment] = _Recent(_EXPERIMENTS)
        self._scorers: _Recent[Scorer] = _Recent(_SCORERS)

    def warm_up(self) -> None:
        """Import what scoring needs."""
        import azure.storage.blob  # noqa: F401
        import httpx  # noqa: F401
        import onnxruntime  # noqa: F401

        import studio.graph  # noqa: F401

        # What was imported stays: the collector need not walk it while requests wait.
        gc.collect()
        gc.freeze()

    def parse(self, package: Mapping[str, Any]) -> Experiment:
        """Check a graph that somebody wants to publish. Raises `PackageError`."""
        from studio.graph import GraphError, parse_experiment

        try:
            return parse_experiment(package)
        except GraphError as error:
            raise PackageError("ValidationError", error.message, error.target or None) from None

    def experiment(self, digest: str) -> Experiment:
        """A published graph. Raises `PackageError` for one that this studio does not know how to run."""
        known = self._experiments.known(digest)
        if known is not None:
            return known
        return self._experiments.get(digest, lambda: self.parse(self._services.package(digest)))

    def scorer(self, package: str, resources: Sequence[Resource]) -> Scorer:
        """The scorer for a graph and its models; raises what `studio.graph.Scorer` raises."""
        from studio.graph import Scorer

        def make() -> Scorer:
            models = {resource.name: self._models.read(resource.sha256) for resource in resources}
            return Scorer(self.experiment(package), models)

        return self._scorers.get(_key(package, resources), make)


def _key(package: str, resources: Sequence[Resource]) -> tuple[str, tuple[tuple[str, str], ...]]:
    return package, tuple(sorted((resource.name, resource.sha256) for resource in resources))
