"""A further endpoint of a predictive web service: the only kind whose model can be replaced."""

from __future__ import annotations

import re

from clients.errors import BindingFailed, ConfigurationError
from clients.protocols import DEFAULT_ENDPOINT, EndpointFound, Services
from clients.web_services import NEW, kind_of
from retrain_hooks.lifecycle import Context, Diff, Props, known

# Studio's rule for names of endpoints (create-endpoint article): at most 24 lower-case letters and digits.
_IDENTITY = ("target", "service", "name")
_NAME = re.compile(r"[a-z0-9]{1,24}")
_ADDRESSES = ("url", "patchUrl", "helpUrl", "regionUrls")


class EndpointLifecycle:
    """Creates the endpoint ``name`` on ``service``. Inputs also: ``target``, ``description``, and ``graph``,
    the digest of what the service is published from. With ``existing`` the endpoint was there before the program: it is
    neither created, nor changed, nor deleted.

    Outputs: ``url`` (append ``/execute``), ``patchUrl``, ``helpUrl``, ``regionUrls`` by region. Keys are fetched when needed, never kept.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Refuse a name that the service would refuse, the default endpoint's above all.

        Of an endpoint that is there already the addresses are added, so that a preview stays exact.
        """
        if new.get("existing"):
            return self._check_existing(new)
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
        found = self._find(new)
        return new if found is None else new | _addresses(found)

    def _check_existing(self, new: Props) -> Props:
        """The addresses and the description that it has. Raises ConfigurationError where it is not there."""
        if not known(*(new.get(name) for name in _IDENTITY)):
            return new
        service, name = new["service"], new["name"]
        if name == DEFAULT_ENDPOINT and kind_of(service) != NEW:
            raise ConfigurationError(
                "the endpoint `default` of a classic service can't be re-bound: Studio never updates it",
                "adopt another endpoint of the service, or leave out `existing` to have one created",
            )
        found = self._find(new)
        if found is None:
            raise ConfigurationError(
                f"the web service {service['id']} has no endpoint {name!r} (any more)",
                "see ./dev adopt for those that there are, or leave out `existing` to have one created",
            )
        return new | _addresses(found) | {"description": found.description}

    def diff(self, old: Props, new: Props) -> Diff:
        """Another name or service is another endpoint. One that is adopted stays as it is."""
        replaces = tuple(name for name in _IDENTITY if old.get(name) != new.get(name))
        if new.get("existing"):
            moved = any(old.get(name) != new.get(name) for name in _ADDRESSES)
            return Diff(bool(replaces) or moved or not old.get("existing"), replaces)
        changed = old.get("description") != new.get("description")
        return Diff(bool(replaces) or changed or _another_graph(old, new), replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Create it; it starts as a copy of the default endpoint. One that is there keeps its model."""
        if new.get("existing"):
            return f"{new['service']['id']}/{new['name']}", self._check_existing(new)
        there = self._find(new) is not None
        outputs = self._put(new)
        if there:
            self._refresh(new)
        return f"{new['service']['id']}/{new['name']}", outputs

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Change its description, and give it the graph that its service has now."""
        if new.get("existing"):
            return self._check_existing(new)
        if _another_graph(old, new):
            self._refresh(new)
        return self._put(new)

    def _refresh(self, new: Props) -> None:
        self._context.guard.check()
        self._services(new).refresh_endpoint(new["service"]["id"], new["name"])

    def _put(self, new: Props) -> Props:
        service, name = new["service"], new["name"]
        self._context.guard.check()
        self._services(new).put_endpoint(service["id"], name, new.get("description") or "")
        found = self._find(new)
        if found is None:
            raise BindingFailed(
                f"the endpoint {name!r} was created and is not there",
                "see who else deletes it, then run the update again",
            )
        return new | _addresses(found)

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded endpoint with its present description, or None where it is gone."""
        found = self._find(old)
        if found is None:
            if old.get("existing"):
                self._context.progress.info(f"the adopted endpoint {old['name']} is gone")
            return None
        now = old | {"description": found.description}
        return now, now

    def delete(self, id_: str, old: Props) -> None:
        """Delete it, unless it was adopted."""
        if old.get("existing"):
            return
        self._context.guard.check()
        self._services(old).delete_endpoint(old["service"]["id"], old["name"])

    def _find(self, props: Props) -> EndpointFound | None:
        return self._services(props).endpoint(props["service"]["id"], props["name"])

    def _services(self, props: Props) -> Services:
        return self._context.services(props["target"], props["service"])


def _another_graph(old: Props, new: Props) -> bool:
    """Whether the service was published with another graph since; endpoints keep theirs until they are refreshed."""
    return old.get("graph", new.get("graph")) != new.get("graph")


def _addresses(found: EndpointFound) -> Props:
    """Where the endpoint answers, and where its model is replaced."""
    return {
        "url": found.url,
        "helpUrl": found.help_url,
        "patchUrl": found.update_url,
        "regionUrls": dict(found.region_urls),
    }
