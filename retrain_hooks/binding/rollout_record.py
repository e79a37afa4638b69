"""A rollout under way, in the registry: what each endpoint served before it, and which rings have the new model.

``rollouts/<digest of target, service, endpoint and resource>.json``, there from the first change until the last ring
has baked or everything was put back. Whoever goes on after a crash knows from it what to go back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from clients.errors import Conflict
from clients.storage import Container
from retrain_hooks.registry.plain import is_time
from retrain_hooks.registry.records import Records, Unreadable
from retrain_hooks.registry.run_key import digest

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
class RolloutState:
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

    def taken_up(self, address: str, rows: str) -> RolloutState:
        """What the next update makes of it: the same model goes on where it stands.

        With another model, what was half done is not what to go back to; and what was told of other rows says nothing.
        """
        if (self.address, self.rows) == (address, rows):
            return self
        before = self.before
        if self.rows != rows:
            before = {name: Before(each.address) for name, each in before.items()}
        return RolloutState(address, rows, before)


class RolloutRecord:
    """The record of one binding's rollout; *place* says whose. Writes are compare-and-swap: one rollout at a time."""

    def __init__(self, registry: Container, place: list[Any]) -> None:
        self._records = Records(
            registry,
            "rollouts",
            RolloutState,
            problem=lambda rollout: "" if is_time(rollout.since) else f"since is {rollout.since[:40]!r}",
        )
        self._name = digest(place)
        self._etag: str | None = None

    def find(self) -> RolloutState | None:
        """The rollout under way; None where there is none, or none that can be read."""
        try:
            found = self._records.find(self._name)
        except Unreadable as problem:
            self._etag = problem.etag
            return None
        self._etag = found.etag if found else None
        return found.value if found else None

    @property
    def left(self) -> bool:
        """Whether there is one, be it one that can't be read: the next rollout closes it."""
        return self.find() is not None or self._etag is not None

    def save(self, rollout: RolloutState) -> RolloutState:
        """Record how it stands. Raises Conflict where somebody else rolls out a model to the same endpoint."""
        self._etag = self._records.write(self._name, rollout, self._etag).etag
        return rollout

    def forget(self) -> None:
        """It is over. A record that somebody else has written since is left to them."""
        if self._etag:
            with suppress(Conflict):
                self._records.delete(self._name, self._etag)
        self._etag = None
