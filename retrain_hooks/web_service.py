"""A published experiment: the training web service and the predictive one are both this."""

from __future__ import annotations

from typing import Any

from clients.errors import ConfigurationError, ServiceError
from clients.protocols import DEFAULT_ENDPOINT, Services
from clients.web_services import CLASSIC, KINDS
from retrain_hooks.adopted_service import AdoptedService
from retrain_hooks.bound import Bound, Marker
from retrain_hooks.experiment import Experiment, load
from retrain_hooks.lifecycle import Context, Diff, Props, known
from retrain_hooks.notes import Note, publication_note
from retrain_hooks.run_key import digest

# A web service stays in its workspace under its name; moved or renamed it is another one.
_IDENTITY = ("target", "kind", "workspace", "name", "part")
_NEVER_KEPT = ("published",)


class WebServiceLifecycle:
    """Publishes ``experiments/<experiment>/<part>.json`` as the web service ``name`` of a workspace.

    Inputs: ``target``, ``kind`` (classic | new), ``workspace`` (``{"resource", "id"}``), ``name``, ``part`` (training |
    predictive), ``source`` (the experiment's folder); for a predictive one ``model`` (``{"address", "sha256"}``), the
    baseline it starts with; for a New one ``plan``, the commitment plan's ARM id, and the ``regions`` that it is published
    in besides its own. Outputs: ``service``, ``endpoint`` (a classic service's default one's GUID), ``url``. With
    ``existing`` nothing is published: see AdoptedService.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._adopted = AdoptedService(context)

    def check(self, new: Props, old: Props) -> Props:
        """Add ``experiment``: digest and port names, read from the package. And ``published`` where that is something
        else than the last update says, since one was interrupted.

        Of a service that is there already its addresses too, so that a preview of what depends on it stays exact.
        """
        if new.get("existing"):
            return self._adopted.check(new)
        if known(new["kind"]) and new["kind"] not in KINDS:
            raise ConfigurationError(
                f"there is no kind of web service {new['kind']!r}",
                f"set `kind` in the stack's config to {' or '.join(KINDS)}",
            )
        new = new | {"experiment": self._load(new).summary()}
        return new | self._addresses(new, old) | self._interrupted(new, old)

    def _interrupted(self, new: Props, old: Props) -> Props:
        """What is published, where the last update that was saved says another thing."""
        if not old or not known(*(new.get(name) for name in _IDENTITY)):
            return {}
        found = self._publication(new).content()
        return {} if found in (None, _content(old)) else {"published": found}

    def _addresses(self, new: Props, old: Props) -> Props:
        """Where the service answers that an update would publish over; nothing where it would be another one."""
        same = all(old.get(name) == new.get(name) for name in _IDENTITY)
        if not same or not known(*(new.get(name) for name in _IDENTITY)):
            return {}
        services = self._services(new)
        found = services.find(new["name"])
        default = services.endpoint(found, DEFAULT_ENDPOINT) if found else None
        return _addresses(new, found, default.url) if found and default else {}

    def _load(self, new: Props) -> Experiment:
        return load(new["source"], new["part"])

    def diff(self, old: Props, new: Props) -> Diff:
        """Another name or place is another service; another graph or baseline is published over the old one."""
        if new.get("existing"):
            return self._adopted.diff(old, new)
        replaces = tuple(name for name in _IDENTITY if old.get(name) != new.get(name))
        changed = any(old.get(name) != new.get(name) for name in ("experiment", "model", "regions"))
        changed = changed or new.get("published") not in (None, _content(new))
        return Diff(bool(replaces) or changed, replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Publish. Called again after a crash it finds the service by its name."""
        outputs = self._publish(new)
        return outputs["service"]["id"], outputs

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Publish over the old one: ids, keys and further endpoints stay."""
        return self._publish(new)

    def _publish(self, new: Props) -> Props:
        if new.get("existing"):
            return self._adopted.adopt(new)
        context, services = self._context, self._services(new)
        context.guard.check()
        note = self._publication(new)
        begun = note.begin()
        published = services.publish(
            new["name"], self._load(new).definition, self._resources(new), context.guard.check
        )
        note.end(_content(new), begun)
        default = services.endpoint(published.service, DEFAULT_ENDPOINT)
        if default is None:
            raise ServiceError(
                f"the web service {new['name']!r} was published and is not there",
                "see who else deletes it, then run the update again",
            )
        if new["part"] == "predictive":
            self._bound(new).mark(_marker(new, published.service))
        return (
            {name: value for name, value in new.items() if name not in _NEVER_KEPT}
            | _addresses(new, published.service, default.url)
            | {"experimentId": published.experiment, "endpoint": published.endpoint}
        )

    def _resources(self, new: Props) -> list[dict[str, Any]]:
        if new["part"] == "training":
            return []
        location = self._context.registry(new["target"]).readable(new["model"]["address"])
        return [{"Name": new["experiment"]["resource"], "Kind": "TrainedModel", "Location": location}]

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded service, or None where the workspace holds it no more."""
        if old.get("existing"):
            return self._adopted.read(old)
        return (old, old) if self._services(old).exists(id_) else None

    def delete(self, id_: str, old: Props) -> None:
        """Delete the service with its endpoints, and its experiment; never one that was adopted."""
        if old.get("existing"):
            return
        self._context.guard.check()
        note = self._publication(old)
        note.begin()
        self._services(old).unpublish(id_, old["experimentId"])
        note.forget()
        if old["part"] == "predictive":
            self._bound(old).unmark(_marker(old, id_))

    def _services(self, props: Props) -> Services:
        return self._context.services(props["target"], props)

    def _publication(self, props: Props) -> Note:
        registry = self._context.registry(props["target"])
        name = props["name"] if props["kind"] == CLASSIC else f"{props['kind']}:{props['name']}"
        return publication_note(self._context, registry, props["workspace"], name)

    def _bound(self, props: Props) -> Bound:
        return Bound(self._context.registry(props["target"]))


def _content(props: Props) -> str:
    """What of the inputs is published."""
    model = props.get("model")
    if not known(model):
        return ""
    return digest({"experiment": props["experiment"]["digest"], "model": model})


def _marker(props: Props, service: str) -> Marker:
    """The baseline, which the default endpoint serves for as long as the service is not published anew."""
    resource = props["experiment"]["resource"]
    return Marker(
        props["target"],
        service,
        dict(props["workspace"]),
        DEFAULT_ENDPOINT,
        resource,
        props["model"]["address"],
    )


def _addresses(new: Props, service: str, url: str) -> Props:
    plan = {"plan": new["plan"]} if new.get("plan") else {}
    return {"service": {"id": service, "workspace": dict(new["workspace"]), **plan}, "url": url}
