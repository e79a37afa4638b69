"""The binding: which model an endpoint serves. Reported only as it was read back."""

from __future__ import annotations

from clients.errors import BindingFailed
from clients.protocols import Bindings
from retrain_hooks.bound import Bound, Marker
from retrain_hooks.lifecycle import Context, Diff, Props, known

_IDENTITY = ("target", "service", "endpointName", "resource")


class ModelBindingLifecycle:
    """Binds the model at ``address`` (hash ``sha256``) to the endpoint ``endpointName`` of ``service``.

    Output ``bound`` is the model's location as the service answered it after the update.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``found`` where the endpoint serves another model than the last update says: it was interrupted, or
        somebody else bound one.
        """
        if not old.get("address") or not known(*(new[name] for name in _IDENTITY)):
            return new
        served = self._serves(new)
        return new if served in (None, old["address"]) else new | {"found": served}

    def diff(self, old: Props, new: Props) -> Diff:
        """Another endpoint is another binding; another model is bound in place, and so is a model altered in place.

        Without a ``sha256`` (of a champion whose run is no longer on record) the address decides.
        """
        replaces = tuple(name for name in _IDENTITY if old.get(name) != new.get(name))
        changed = old.get("address") != new.get("address") or (
            bool(new.get("sha256")) and old.get("sha256") != new.get("sha256")
        )
        changed = changed or new.get("found") not in (None, new.get("address"))
        return Diff(bool(replaces) or changed, replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """PATCH the endpoint and read back."""
        return f"{new['service']['id']}/{new['endpointName']}/{new['resource']}", self._bind(new)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """PATCH the endpoint and read back."""
        return self._bind(new)

    def _bind(self, new: Props) -> Props:
        bindings = self._bindings(new)
        model = self._context.registry(new["target"]).readable(new["address"])
        self._context.guard.check()
        bindings.write(new["resource"], model)
        bound = self._bound(bindings, new["resource"])
        if bound != model["RelativeLocation"]:
            raise BindingFailed(
                f"the endpoint {new['endpointName']!r} accepted {new['address']} and serves {bound or 'nothing'}",
                "look at the endpoint, then run the update again",
            )
        Bound(self._context.registry(new["target"])).mark(_marker(new))
        return {name: value for name, value in new.items() if name != "found"} | {"bound": bound}

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """What is served now; a model bound behind our back shows as another ``address``."""
        if not self._exists(old):
            return None
        bound = self._bound(self._bindings(old), old["resource"])
        if bound == old.get("bound"):
            return old, {name: value for name, value in old.items() if name != "bound"}
        registry = self._context.registry(old["target"]).name
        now = old | {"bound": bound, "address": bound.removeprefix(f"{registry}/"), "sha256": ""}
        return now, {name: value for name, value in now.items() if name != "bound"}

    def delete(self, id_: str, old: Props) -> None:
        """Nothing but the marker: an endpoint always serves some model, and goes with its own resource."""
        self._context.guard.check()
        Bound(self._context.registry(old["target"])).unmark(_marker(old))

    def _exists(self, props: Props) -> bool:
        services = self._context.services(props["target"], props["service"])
        return services.endpoint(props["service"]["id"], props["endpointName"]) is not None

    def _serves(self, props: Props) -> str | None:
        """The address that the endpoint serves; None where there is no endpoint."""
        if not self._exists(props):
            return None
        registry = self._context.registry(props["target"]).name
        return self._bound(self._bindings(props), props["resource"]).removeprefix(f"{registry}/")

    def _bindings(self, props: Props) -> Bindings:
        services = self._context.services(props["target"], props["service"])
        return services.bindings(props["service"]["id"], props["endpointName"])

    def _bound(self, bindings: Bindings, resource: str) -> str:
        names = {binding.resource.lower(): binding.location for binding in bindings.read()}
        return names.get(resource.lower(), "")


def _marker(props: Props) -> Marker:
    service = props["service"]
    return Marker(
        props["target"],
        service["id"],
        dict(service["workspace"]),
        props["endpointName"],
        props["resource"],
        props["address"],
    )
