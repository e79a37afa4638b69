"""The roster: it stands for all that a fleet makes, and is there before the first member.

What makes the members may be cut off while it does, and is then in no state. The roster is: a ``destroy`` finds by it what
there is by then.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from retrain_hooks.fleet.inputs import FleetPlace
from retrain_hooks.fleet.working.quiet import quietly
from retrain_hooks.fleet.working.retiring import Retirer
from retrain_hooks.host.lifecycle import Context, Diff, Props

_AT_ONCE = 8


class FleetRosterLifecycle:
    """Gives a fleet its id in the registry, and deletes what is on record there (inputs: FleetPlace)."""

    inputs = FleetPlace

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``fleet``, where it is known. A fleet that was renamed keeps its id."""
        wanted = FleetPlace.parse(new)
        before = FleetPlace.parse(old, recorded=True) if old else None
        here = before is not None and not wanted.moved(before)
        fleet = before.fleet if before is not None and here else wanted.id
        return {**new, "fleet": fleet} if fleet else new

    def diff(self, old: Props, new: Props) -> Diff:
        """Another web service is another fleet; its owner and graph are kept with it."""
        before, now = (FleetPlace.parse(each, recorded=True) for each in (old, new))
        replaces = now.moved(before)
        changed = any(getattr(before, name) != getattr(now, name) for name in ("owner", "graph", "online"))
        return Diff(bool(replaces) or changed, replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Its id; nothing is made yet."""
        wanted = FleetPlace.parse(new)
        return f"{wanted.service.id}/fleets/{wanted.id}", {**new, "fleet": wanted.id}

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Keep its id."""
        return {**new, "fleet": old["fleet"]}

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded roster."""
        return old, old

    def delete(self, id_: str, old: Props) -> None:
        """Delete the endpoints that the fleet made, and its records. Raises RetrainError where one can't be."""
        place = FleetPlace.parse(old, recorded=True)
        retirer = Retirer(quietly(self._context), replace(place, fleet=place.id))
        with ThreadPoolExecutor(_AT_ONCE, "fleet") as pool:
            list(pool.map(retirer.retire, retirer.members()))
        retirer.forget_packs()
