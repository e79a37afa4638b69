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
    """What an endpoint served: the model's *address*, what it *told* when it was probed (``Look.told``; empty where that
    isn't known), and its *scores*.
    """

    address: str
    told: str = ""
    scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rollout:
    """The model at *address* on its way: what was *before*, the rings that are *done*, and when the present one began
    to bake (*since*, ISO time).

    *rows* is a digest of what endpoints are probed with, *others* what endpoints told just before they were bound, with
    a model that is neither this one nor the one of *before*.
    """

    address: str
    rows: str = ""
    before: Mapping[str, Before] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    since: str = ""
    version: int = FORMAT

    def taken_up(self, address: str, rows: str) -> Rollout:
        """What the next update makes of it: the same model goes on where it stands.

        With another model, what was half done is not what to go back to; and what was told of other rows says nothing.
        """
        if (self.address, self.rows) == (address, rows):
            return self
        before = self.before
        if self.rows != rows:
            before = {name: Before(each.address) for name, each in before.items()}
        return Rollout(address, rows, before)


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
                name: Before(each["address"], each["told"], tuple(each["scores"]))
                for name, each in record["before"].items()
            }
            return Rollout(
                record["address"],
                record["rows"],
                before,
                dict(record["others"]),
                tuple(record["done"]),
                record["since"],
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def save(self, rollout: Rollout) -> Rollout:
        """Record how it stands. Raises Conflict where somebody else rolls out a model to the same endpoint."""
        self._etag = self._registry.write(self._name, canonical_json(asdict(rollout)), etag=self._etag)
        return rollout

    def forget(self) -> None:
        """It is over. A record that somebody else has written since is left to them."""
        found = self._registry.stat(self._name)
        if found is not None and found.etag == self._etag:
            self._registry.delete(self._name)
        self._etag = None
