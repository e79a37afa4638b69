"""A rollout under way, in the registry: what each endpoint served before it, and which rings have the new model.

``rollouts/<digest of target, service, endpoint and resource>.json``, there from the first change until the last ring
has baked or everything was put back. Whoever goes on after a crash knows from it what to go back to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from clients.errors import NotFound
from clients.storage import Container
from retrain_hooks.run_key import canonical_json, digest

FORMAT = 1


@dataclass(frozen=True)
class Before:
    """What an endpoint served: the model's *address*, a digest of its *answers* to the probe, and its *scores*."""

    address: str
    answers: str = ""
    scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rollout:
    """The model at *address* on its way: what was *before*, the rings that are *done*, and when the present one began
    to bake (*since*, ISO time).
    """

    address: str
    before: Mapping[str, Before] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    since: str = ""
    version: int = FORMAT


class Rollouts:
    """The record of one binding's rollout; *place* says whose. Writes are compare-and-swap: one rollout at a time."""

    def __init__(self, registry: Container, place: list[Any]) -> None:
        self._registry = registry
        self._name = f"rollouts/{digest(place)}.json"
        self._etag: str | None = None

    def find(self) -> Rollout | None:
        """The rollout under way; None where there is none, or none that can be read."""
        try:
            content, self._etag = self._registry.read(self._name)
        except NotFound as error:
            if error.code == "ContainerNotFound":
                raise
            self._etag = None
            return None
        try:
            record = json.loads(content)
            if record["version"] != FORMAT:
                return None
            before = {
                name: Before(each["address"], each["answers"], tuple(each["scores"]))
                for name, each in record["before"].items()
            }
            return Rollout(record["address"], before, tuple(record["done"]), record["since"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def save(self, rollout: Rollout) -> Rollout:
        """Record how it stands. Raises Conflict where somebody else rolls out a model to the same endpoint."""
        self._etag = self._registry.write(self._name, canonical_json(asdict(rollout)), etag=self._etag)
        return rollout

    def forget(self) -> None:
        """It is over."""
        self._registry.delete(self._name)
        self._etag = None
