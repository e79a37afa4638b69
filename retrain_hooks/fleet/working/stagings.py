"""The staging endpoints that a fleet's members share, where a model is scored before anybody is served by it.

Each has a record as a member has, under a name that no member can have.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from retrain_hooks.fleet.inputs import FleetInputs
from retrain_hooks.fleet.planning.wishes import endpoint_of, owner_of
from retrain_hooks.fleet.records import STAGING, MemberRecords
from retrain_hooks.fleet.working.parts import apply
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.ownership.names import default_name
from retrain_hooks.services.endpoint import EndpointLifecycle


class Stagings:
    """As many as the fleet's schedule says; one member at a time has one."""

    def __init__(self, context: Context, fleet: FleetInputs) -> None:
        self._fleet = fleet
        self._life = EndpointLifecycle(context)
        self._records = MemberRecords(context.registry(fleet.target), fleet.fleet)
        self._free: queue.LifoQueue[int] = queue.LifoQueue()
        for number in reversed(range(fleet.schedule.staging)):
            self._free.put(number)
        self._ready: dict[int, str] = {}
        self._making = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[str]:
        """The name of one that nobody else has meanwhile; made when it is needed first."""
        number = self._free.get()
        try:
            if number not in self._ready:
                with self._making:
                    self._ready[number] = self._made(f"{STAGING}{number}")
            yield self._ready[number]
        finally:
            self._free.put(number)

    def _made(self, part: str) -> str:
        fleet = self._fleet
        name = default_name("staging", fleet.fleet, part, limit=24, separator="")
        props = endpoint_of(fleet, name, "Where a candidate is scored first", owner_of(fleet, part))
        entry = self._records.ready(part, name)
        live = apply(self._life, props, entry.value.live)
        if live != entry.value.live:
            standing = replace(entry.value.standing, state="serving")
            self._records.save(entry, replace(entry.value, standing=standing, live=live))
        return name
