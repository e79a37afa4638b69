"""A further endpoint of a predictive web service: the only kind whose model can be replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clients.errors import ConfigurationError
from clients.studio_classic.services import DEFAULT_ENDPOINT
from retrain_hooks.lifecycle import Context, Diff, Props, known

# Studio's rule for names of endpoints (create-endpoint article): at most 24 lower-case letters and digits.
_IDENTITY = ("target", "service", "name")
_NAME = re.compile(r"[a-z0-9]{1,24}")


class EndpointLifecycle:
    """Creates the endpoint ``name`` on ``service``. Inputs also: ``target``, ``description``.

    Outputs: ``url`` (append ``/execute``), ``patchUrl``, ``helpUrl``. Keys are fetched when needed, never kept.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Refuse a name that the service would refuse, the default endpoint's above all.

        Of an endpoint that is there already the addresses are added, so that a preview stays exact.
        """
        name = new["name"]
        if known(name) and name == DEFAULT_ENDPOINT:
            raise ConfigurationError(
                "the endpoint `default` can't be re-bound: Studio never updates a service's default endpoint",
                "set `endpointName` in the stack's config to a name of your own, such as retrained",
            )
        if known(name) and not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name!r} is no name for an endpoint",
                "use 1 to 24 lower-case letters and digits",
            )
        same = all(old.get(name) == new.get(name) for name in _IDENTITY)
        if not same or not known(*(new.get(name) for name in _IDENTITY)):
            return new
        services = self._context.services(new["target"], new["service"]["workspace"])
        found = services.management.endpoint(new["service"]["id"], name)
        return new if found is None else new | self._addresses(new, found)

    def diff(self, old: Props, new: Props) -> Diff:
        """Another name or service is another endpoint."""
        replaces = tuple(name for name in _IDENTITY if old.get(name) != new.get(name))
        return Diff(bool(replaces) or old.get("description") != new.get("description"), replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Create it; it starts as a copy of the default endpoint."""
        return f"{new['service']['id']}/{new['name']}", self._put(new)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Change its description."""
        return self._put(new)

    def _put(self, new: Props) -> Props:
        service, name = new["service"], new["name"]
        services = self._context.services(new["target"], service["workspace"])
        self._context.guard.check()
        services.management.put_endpoint(
            service["id"],
            name,
            {
                "Description": new.get("description") or "",
                "ThrottleLevel": "High",
                "MaxConcurrentCalls": None,
                "PreventUpdate": False,
            },
        )
        return new | self._addresses(new, services.endpoint(service["id"], name))

    def _addresses(self, new: Props, found: Mapping[str, Any]) -> Props:
        """Where the endpoint answers, and where its model is patched."""
        service = new["service"]
        management = self._context.services(new["target"], service["workspace"]).management
        root = self._context.target(new["target"]).studio_url
        return {
            "url": found["ApiLocation"],
            "helpUrl": found["HelpLocation"],
            "patchUrl": f"{root}/{management.endpoint_path(service['id'], new['name'])}",
        }

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded endpoint with its present description, or None where it is gone."""
        service = old["service"]
        management = self._context.services(old["target"], service["workspace"]).management
        found = management.endpoint(service["id"], old["name"])
        if found is None:
            return None
        now = old | {"description": found.get("Description") or ""}
        return now, now

    def delete(self, id_: str, old: Props) -> None:
        """Delete it."""
        service = old["service"]
        self._context.guard.check()
        management = self._context.services(old["target"], service["workspace"]).management
        management.delete_endpoint(service["id"], old["name"])
