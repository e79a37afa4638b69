"""How long an experiment's training takes: the last durations, kept in the registry for the next preview."""

from __future__ import annotations

import json
from contextlib import suppress
from statistics import median

from clients.errors import Conflict, NotFound
from clients.storage import Container
from retrain_hooks.run_key import canonical_json

_KEPT = 20


class History:
    """Durations of an experiment's finished jobs, in seconds; the last twenty."""

    def __init__(self, registry: Container, experiment: str) -> None:
        self._registry = registry
        self._name = f"history/{experiment}.json"

    def expected(self) -> float | None:
        """The median of the last durations; None where nothing was trained yet."""
        seconds, _etag = self._read()
        return median(seconds) if seconds else None

    def add(self, seconds: float) -> None:
        """Remember one more. It only serves estimates, so somebody else's simultaneous one may win."""
        known, etag = self._read()
        with suppress(Conflict):
            self._registry.write(self._name, canonical_json([*known, round(seconds, 3)][-_KEPT:]), etag=etag)

    def _read(self) -> tuple[list[float], str | None]:
        try:
            content, etag = self._registry.read(self._name)
        except NotFound:
            return [], None
        try:
            return [float(value) for value in json.loads(content)], etag
        except (ValueError, TypeError):
            return [], etag
