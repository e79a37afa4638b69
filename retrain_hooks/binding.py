"""The binding: which model the endpoints of a rollout serve. Reported only as it was seen."""

from __future__ import annotations

from typing import Any

from retrain_hooks.adoption import Adopted, adopted_model
from retrain_hooks.bound import Bound, Marker
from retrain_hooks.ledger import Ledger
from retrain_hooks.lifecycle import Context, Diff, Props, known
from retrain_hooks.live import LiveEndpoint
from retrain_hooks.notes import UNFINISHED
from retrain_hooks.probe import Row, read_rows
from retrain_hooks.rings import Ring, duration, endpoints_of, parse_rings
from retrain_hooks.rollout import Patience, Roller
from retrain_hooks.rollouts import Rollouts

_IDENTITY = ("target", "service", "endpointName", "resource")
_OUTPUTS = ("bound", "serving", "probed")


class ModelBindingLifecycle:
    """Binds the model at ``address`` (hash ``sha256``) to the endpoints of ``service``, ring by ring.

    Inputs: ``target``, ``service``, ``resource``; ``endpointName``, the live endpoint, the last to get the model;
    ``rings`` (see ``rings.py``; none: that endpoint alone); ``stagingEndpoint`` and ``probe`` (``{"container", "blobs",
    "rows", "deadline", "settle"}``; none: the binding is read back and not probed). Outputs: ``bound``, the model's
    location as the live endpoint's service answered it, ``serving``, the address by endpoint, and ``probed``, on how
    many rows.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._looked_up: dict[str, Adopted | None] = {}

    def check(self, new: Props, old: Props) -> Props:
        """Add ``found`` where an endpoint serves another model than the last update says: somebody else bound one; or
        ``unfinished``, where an update was interrupted.

        Raises ConfigurationError for rings that are none.
        """
        if known(new.get("rings")):
            _rings(new)
        if not old.get("address") or not known(*(new[name] for name in _IDENTITY), new.get("rings")):
            return new
        serving = self._serving(new, old)
        serving |= {name: UNFINISHED for name in serving if self._live(new, name, ()).unfinished}
        found = {name: served for name, served in serving.items() if served != old["address"]}
        return new | {"found": found} if found else new

    def diff(self, old: Props, new: Props) -> Diff:
        """Another live endpoint is another binding; another model, or another ring, is bound in place, and so is a
        model altered in place.

        Without a ``sha256`` (of a champion whose run is no longer on record) the address decides.
        """
        replaces = tuple(name for name in _IDENTITY if old.get(name) != new.get(name))
        changed = old.get("address") != new.get("address") or (
            bool(new.get("sha256")) and old.get("sha256") != new.get("sha256")
        )
        deviating = any(served != new.get("address") for served in (new.get("found") or {}).values())
        return Diff(bool(replaces) or changed or deviating or _endpoints(old) != _endpoints(new), replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Bind, read back and probe."""
        return f"{new['service']['id']}/{new['endpointName']}/{new['resource']}", self._bind(new, {})

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Bind, read back and probe."""
        return self._bind(new, old)

    def _bind(self, new: Props, old: Props) -> Props:
        rows = self._rows(new)
        roller = Roller(
            context=self._context,
            rollouts=self._rollouts(new),
            live=lambda name: self._live(new, name, rows, old),
            staging=self._live(new, new["stagingEndpoint"], rows, old) if rows else None,
            rings=_rings(new),
            address=new["address"],
            equal=lambda one, other: self._same_model(new, old, one, other),
            bound=lambda name, address: self._mark(new, name, address),
            patience=_patience(new),
        )
        seen = roller.run()
        self._context.progress.info(
            f"{new['address']} is served by {', '.join(_endpoints(new))}: "
            + (f"seen on {len(rows)} probed rows" if rows else "read back, not probed")
        )
        return {name: value for name, value in new.items() if name != "found"} | {
            "bound": seen[new["endpointName"]],
            "serving": dict.fromkeys(seen, new["address"]),
            "probed": len(rows),
        }

    def _rows(self, new: Props) -> list[Row]:
        """What to probe with; nothing where no probe is declared, or its data is gone."""
        declared = new.get("probe")
        if not declared or not new.get("stagingEndpoint"):
            return []
        if (adopted := self._adopted(new, new["address"])) and adopted.model:
            return []  # never copied, so that staging can't be given it
        data = self._context.data(new["target"], declared.get("container"))
        return read_rows(data, declared["blobs"], int(declared.get("rows") or 0))

    def _same_model(self, new: Props, old: Props, one: str, other: str) -> bool:
        """Whether two addresses are known to hold the same content: a lost model is trained again to the same bytes."""
        declared = {props["address"]: props.get("sha256") for props in (old, new) if props.get("address")}
        hashes = [declared.get(address) or self._recorded(new, address) for address in (one, other)]
        return one == other or (hashes[0] == hashes[1] and bool(hashes[0]))

    def _recorded(self, new: Props, address: str) -> str:
        """The hash that the ledger has of the model at *address*; empty where it has none."""
        run = Ledger(self._registry(new)).at(address)
        return run.sha256 if run else ""

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """What is served now; a model bound behind our back shows as another ``address``."""
        live = self._live(old, old["endpointName"], (), old)
        if not self._exists(old, old["endpointName"]):
            return None
        bound, serving = live.location(), self._serving(old, old)
        now = dict(old)
        deviating = [served for served in serving.values() if served != old["address"]]
        if bound != old.get("bound") or deviating:
            drifted = deviating[0] if deviating else live.serves()
            now |= {"bound": bound, "serving": serving, "address": drifted, "sha256": ""}
        return now, {name: value for name, value in now.items() if name not in _OUTPUTS}

    def delete(self, id_: str, old: Props) -> None:
        """Nothing but the markers: an endpoint always serves some model, and goes with its own resource."""
        self._context.guard.check()
        rollouts = self._rollouts(old)
        rollouts.find()
        rollouts.forget()
        for endpoint in _endpoints(old):
            Bound(self._registry(old)).unmark(_marker(old, endpoint, old["address"]))
        for name in {*_endpoints(old), old.get("stagingEndpoint")} - {None, ""}:
            self._live(old, str(name), ()).forget()

    def _serving(self, props: Props, old: Props) -> dict[str, str]:
        """The address that each endpoint serves, of those that are there."""
        return {
            name: self._live(props, name, (), old).serves()
            for name in _endpoints(props)
            if self._exists(props, name)
        }

    def _exists(self, props: Props, endpoint: str) -> bool:
        services = self._context.services(props["target"], props["service"])
        return services.endpoint(props["service"]["id"], endpoint) is not None

    def _live(self, props: Props, endpoint: str, rows: Any, old: Props | None = None) -> LiveEndpoint:
        """An endpoint, which may serve the model that is wanted, or the last one, from where it was adopted."""
        wanted = {one for one in (props.get("address"), (old or {}).get("address")) if isinstance(one, str)}
        return LiveEndpoint(
            self._context,
            self._context.services(props["target"], props["service"]),
            props["service"]["id"],
            endpoint,
            props["resource"],
            self._registry(props),
            rows,
            [found for address in sorted(wanted) if (found := self._adopted(props, address))],
        )

    def _adopted(self, props: Props, address: str) -> Adopted | None:
        if address not in self._looked_up:
            self._looked_up[address] = adopted_model(self._registry(props), address)
        return self._looked_up[address]

    def _mark(self, props: Props, endpoint: str, address: str) -> None:
        Bound(self._registry(props)).mark(_marker(props, endpoint, address))

    def _rollouts(self, props: Props) -> Rollouts:
        return Rollouts(self._registry(props), [props[name] for name in _IDENTITY])

    def _registry(self, props: Props) -> Any:
        return self._context.registry(props["target"])


def _rings(props: Props) -> tuple[Ring, ...]:
    return parse_rings(_declared(props))


def _declared(props: Props) -> Any:
    name = props["endpointName"]
    return props.get("rings") or [{"name": name, "endpoints": [name]}]


def _endpoints(props: Props) -> tuple[str, ...]:
    return endpoints_of(_declared(props))


def _patience(props: Props) -> Patience:
    declared = props.get("probe") or {}
    return Patience(**{name: duration(declared[name]) for name in ("deadline", "settle") if name in declared})


def _marker(props: Props, endpoint: str, address: str) -> Marker:
    service = props["service"]
    return Marker(
        props["target"], service["id"], dict(service["workspace"]), endpoint, props["resource"], address
    )
