"""The binding: which model the endpoints of a rollout serve. Reported only as it was seen."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import suppress

from clients.errors import NotFound
from retrain_hooks.binding.inputs import ModelBindingInputs
from retrain_hooks.binding.roller import Roller
from retrain_hooks.binding.rollout_record import RolloutRecord
from retrain_hooks.binding.scene import Scene
from retrain_hooks.host.lifecycle import Context, Diff, Props, known
from retrain_hooks.ownership.things import GONE
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.markers import Markers
from retrain_hooks.registry.notes import UNFINISHED
from retrain_hooks.registry.run_key import key_of
from retrain_hooks.serving.endpoints import Endpoints
from retrain_hooks.serving.live import LiveEndpoint
from retrain_hooks.serving.probe import Row, read_rows

_MORE = 1000  # rows, where a few are answered alike
_OUTPUTS = ("bound", "serving", "run", "probed", "incarnation")


class ModelBindingLifecycle:
    """Binds a model to the endpoints of a service, ring by ring (inputs: ModelBindingInputs).

    Outputs: ``bound``, the model's location as the live endpoint's service answered it, ``serving``, the address by
    endpoint, ``run``, the run of that model, and ``probed``, on how many rows.
    """

    inputs = ModelBindingInputs

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``found`` where an endpoint serves another model than the last update says: somebody else bound one; or
        ``unfinished``, where an update was interrupted; or ``gone``, where it is made again.

        Raises ConfigurationError for what a rollout could not be done with.
        """
        wanted, before = ModelBindingInputs.parse(new), _recorded(old)
        if before is None or not known(wanted.rings) or wanted.moved(before) or not before.address:
            return new
        endpoints = Endpoints(self._context, wanted, wanted.address, before.address)
        found = self._deviating(endpoints, wanted.endpoints, before)
        if not found and _record(endpoints).left:
            found = {wanted.endpoint: UNFINISHED}
        return new | {"found": found} if found else new

    def _deviating(
        self, endpoints: Endpoints, names: Iterable[str], before: ModelBindingInputs
    ) -> dict[str, str]:
        """What endpoints serve instead of the model that was bound *before*; of one that is not there any more, that it
        is gone.
        """
        found = {}
        for name in names:
            served = endpoints.served(name)
            if served is None:
                if name in before.endpoints:
                    found[name] = GONE
            elif LiveEndpoint(endpoints, name).unfinished:
                found[name] = UNFINISHED
            elif served != before.address:
                found[name] = served
            elif split := endpoints.split(name):
                found[name] = split
        return found

    def diff(self, old: Props, new: Props) -> Diff:
        """Another live endpoint is another binding; another model, or another ring, is bound in place, and so is a
        model altered in place.

        Without a ``sha256`` (of a champion whose run is no longer on record) the address decides.
        """
        before, now = (ModelBindingInputs.parse(each, recorded=True) for each in (old, new))
        replaces = now.moved(before)
        changed = (
            before.address != now.address
            or bool(now.sha256 and before.sha256 != now.sha256)
            or any(served != now.address for served in now.found.values())
            or before.endpoints != now.endpoints
            or bool(now.graph and before.graph != now.graph)
        )
        return Diff(bool(replaces) or changed, replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Bind, read back and probe."""
        wanted = ModelBindingInputs.parse(new)
        made = new | {"incarnation": uuid.uuid4().hex}
        return f"{wanted.service.id}/{wanted.endpoint}/{wanted.resource}", self._bind(made, {})

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Bind, read back and probe."""
        return self._bind(new | {"incarnation": old.get("incarnation", "")}, old)

    def _bind(self, new: Props, old: Props) -> Props:
        wanted, before = ModelBindingInputs.parse(new), _recorded(old)
        if not wanted.address:
            self._context.progress.info(f"{', '.join(wanted.endpoints)}: no model has passed the gate yet")
            return new | {"bound": "", "serving": {}, "run": {}, "probed": 0}
        endpoints = Endpoints(self._context, wanted, wanted.address, before.address if before else "")
        rows = self._rows(wanted, endpoints)
        scene = Scene(
            self._context, wanted, before, rows, endpoints, lambda: self._rows(wanted, endpoints, _MORE)
        )
        roller = Roller(scene, _record(endpoints), wanted.address)
        seen = roller.run()
        for name in wanted.endpoints:
            scene.live(name).retire(wanted.keep_previous)
        if before is not None:
            dropped = set(before.endpoints) - set(wanted.endpoints)
            if before.owner != wanted.owner:
                self._unmark(before, before.endpoints)
            self._let_go(before, dropped)
        self._context.progress.info(
            f"{wanted.address} is served by {', '.join(wanted.endpoints)}: "
            + _how(len(rows), alike=roller.alike)
        )
        return {name: value for name, value in new.items() if name != "found"} | {
            "bound": seen[wanted.endpoint],
            "serving": dict.fromkeys(seen, wanted.address),
            "run": _run(endpoints, wanted.address),
            "probed": len(rows),
        }

    def _rows(self, wanted: ModelBindingInputs, endpoints: Endpoints, count: int = 0) -> list[Row]:
        """What to probe with; nothing where no probe is declared, or its data is gone."""
        if wanted.probe is None or not wanted.staging:
            return []
        if (adopted := endpoints.adopted(wanted.address)) and adopted.model:
            return []  # never copied, so that staging can't be given it
        data = self._context.data(wanted.target, wanted.probe.container)
        return read_rows(data, wanted.probe.blobs, count or wanted.probe.rows)

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """What is served now; a model bound behind our back shows as another ``address``."""
        recorded = ModelBindingInputs.parse(old, recorded=True)
        if not recorded.address:
            return old, {name: value for name, value in old.items() if name not in _OUTPUTS}
        endpoints = Endpoints(self._context, recorded, recorded.address)
        bound = endpoints.location(recorded.endpoint)
        if bound is None:
            return None
        now, serving = dict(old), _serving(endpoints, recorded.endpoints)
        deviating = [served for served in serving.values() if served != recorded.address]
        if bound != recorded.bound or deviating:
            drifted = deviating[0] if deviating else endpoints.address_of(bound)
            now |= {"bound": bound, "serving": serving, "address": drifted, "sha256": ""}
            now["run"] = _run(endpoints, drifted)
        return now, {name: value for name, value in now.items() if name not in _OUTPUTS}

    def delete(self, id_: str, old: Props) -> None:
        """Nothing but the markers, and what endpoints could serve and don't: what they serve goes with their own resource."""
        self._context.guard.check()
        recorded = ModelBindingInputs.parse(old, recorded=True)
        record = _record(Endpoints(self._context, recorded))
        record.find()
        record.forget()
        endpoints = Endpoints(self._context, recorded)
        for name in recorded.endpoints:
            with suppress(NotFound):  # it is gone, with all of them
                LiveEndpoint(endpoints, name).retire(0)
        self._let_go(recorded, {*recorded.endpoints, recorded.staging} - {""})

    def _let_go(self, recorded: ModelBindingInputs, names: Iterable[str]) -> None:
        """Endpoints are no longer this binding's."""
        self._unmark(recorded, names)
        endpoints = Endpoints(self._context, recorded)
        for name in names:
            LiveEndpoint(endpoints, name).forget()

    def _unmark(self, recorded: ModelBindingInputs, names: Iterable[str]) -> None:
        markers = Markers(self._context.registry(recorded.target))
        for name in names:
            owner = recorded.owner.owner if recorded.owner else None
            markers.unmark(recorded.marker(name, recorded.address), owner, recorded.incarnation)


def _run(endpoints: Endpoints, address: str) -> Props:
    """What is on record of the run that left the model at *address*; empty where nothing is."""
    run = Ledger(endpoints.registry).finished(address)
    if run is None:
        return {}
    return {"runKey": key_of(address), "dataVersion": run.data_version, "metrics": run.metrics}


def _how(rows: int, *, alike: bool) -> str:
    """How it was seen that a model is served."""
    if alike:
        return "it cannot be told apart from the one before: read back"
    return f"seen on {rows} probed rows" if rows else "read back, not probed"


def _recorded(old: Props) -> ModelBindingInputs | None:
    return ModelBindingInputs.parse(old, recorded=True) if old else None


def _serving(endpoints: Endpoints, names: Iterable[str]) -> dict[str, str]:
    """The address that each endpoint serves, of those that are there."""
    found = {name: endpoints.served(name) for name in names}
    return {name: served for name, served in found.items() if served is not None}


def _record(endpoints: Endpoints) -> RolloutRecord:
    place = endpoints.place
    return RolloutRecord(endpoints.registry, [place.target, place.service.id, place.endpoint, place.resource])
