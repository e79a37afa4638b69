"""The binding: which model an endpoint serves. Reported only as it was read back."""

from __future__ import annotations

from clients.errors import BindingFailed
from clients.protocols import Bindings
from retrain_hooks.bound import Bound, Marker
from retrain_hooks.lifecycle import Context, Diff, Props

_IDENTITY = ("target", "service", "endpointName", "resource")


class ModelBindingLifecycle:
    """Binds the model at ``address`` (hash ``sha256``) to the endpoint ``endpointName`` of ``service``.

    Output ``bound`` is the model's location as the service answered it after the update.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """The inputs as they are."""
        return new

    def diff(self, old: Props, new: Props) -> Diff:
        """Another endpoint is another binding; another model is bound in place, and so is a model altered in place."""
        replaces = tuple(name for name in _IDENTITY if old.get(name) != new.get(name))
        changed = any(old.get(name) != new.get(name) for name in ("address", "sha256"))
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
        return new | {"bound": bound}

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """What is served now; a model bound behind our back shows as another ``address``."""
        service = old["service"]
        management = self._context.services(old["target"], service["workspace"]).management
        if management.endpoint(service["id"], old["endpointName"]) is None:
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

    def _bindings(self, props: Props) -> Bindings:
        service = props["service"]
        services = self._context.services(props["target"], service["workspace"])
        return services.bindings(service["id"], props["endpointName"])

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
