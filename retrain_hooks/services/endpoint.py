"""A further endpoint of a predictive web service: the only kind whose model can be replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from clients.errors import BindingFailed, ConfigurationError, RetrainError, UpdateCancelled
from clients.protocols import DEFAULT_ENDPOINT, EndpointFound, Services
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import Context, Diff, Props, known
from retrain_hooks.host.references import ServiceRef
from retrain_hooks.ownership import things
from retrain_hooks.ownership.claims import Claims, OwnerRef, to_write
from retrain_hooks.registry.markers import Markers
from retrain_hooks.registry.owners import Thing
from retrain_hooks.serving.endpoints import Endpoints, Place, changed_endpoint, found_endpoint
from retrain_hooks.serving.live import LiveEndpoint

# Studio's rule for names of endpoints (create-endpoint article): at most 24 lower-case letters and digits.
_NAME = re.compile(r"[a-z0-9]{1,24}")
_WITHHELD = "no model has passed its gate yet"
_GONE = "it is not there any more"


@dataclass(frozen=True)
class EndpointInputs(Inputs):
    """An endpoint of a web service."""

    target: str = prop("name of the target", identity=True)
    service: ServiceRef = prop("the predictive web service", identity=True)
    name: str = prop(
        "its name, 1 to 24 lower-case letters and digits; a default name once given stays",
        default="",
        identity=True,
    )
    default_name: str = prop("the name that a new one gets where none is given", default="")
    description: str = prop("what it is for", default="")
    graph: str | None = prop("digest of what the service is published from", default=None)
    owner: OwnerRef | None = prop("who owns it; filled in by the component", default=None)
    resource: str = prop("name of the trained model that it serves", default="")
    serves: str | None = prop(
        "address of the model that it is made with; empty: none has passed its gate yet, and it is not made; none: what "
        "the default endpoint serves",
        default=None,
    )
    existing: str | None = prop("an endpoint that is there already: its URL or name", default=None)
    declared: bool = prop(
        "whether `existing` is declared by this program, which so has made it", default=False
    )
    url: str = prop("where it answers (append /execute)", default="", output=True)
    patch_url: str = prop("where its model is replaced", default="", output=True)
    help_url: str = prop("where it is described", default="", output=True)
    region_urls: Mapping[str, Any] = prop("where it answers in other regions", default={}, output=True)
    withheld: str = prop("why it is not made yet", default="", output=True)
    incarnation: str = prop("which create made it", default="", output=True)
    remark: str = prop("whom its mark names, where that is to be this owner", default="", output=True)

    @property
    def placed(self) -> bool:
        """Whether it is known where it is."""
        return known(self.target, self.service, self.name)

    @property
    def unserved(self) -> bool:
        """Whether there is no model yet that it may serve."""
        return self.serves == ""

    @property
    def addresses(self) -> tuple[Any, ...]:
        """Where it answers, and where its model is replaced."""
        return self.url, self.patch_url, self.help_url, self.region_urls

    def found(self, endpoint: EndpointFound | None) -> EndpointInputs:
        """With the addresses of the *endpoint* that is there."""
        if endpoint is None:
            return self
        return replace(
            self,
            url=endpoint.url,
            help_url=endpoint.help_url,
            patch_url=endpoint.update_url,
            region_urls=dict(endpoint.region_urls),
        )

    @property
    def thing(self) -> Thing:
        """The endpoint as the service knows it."""
        return things.endpoint(self.service, self.name)


class EndpointLifecycle:
    """Creates an endpoint on a web service (inputs: EndpointInputs).

    One that stands behind a gate is made as soon as a model has passed, and with that model: before, it is *withheld*.
    With ``existing`` the endpoint was there before the program: it is neither created, nor changed, nor deleted. Keys
    are fetched when needed, never kept.
    """

    inputs = EndpointInputs

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add the name and, of one that is there, the addresses, so that a preview stays exact.

        Refuses a name that the service would refuse, the default endpoint's above all, and what another owns. Raises
        ConfigurationError.
        """
        wanted = EndpointInputs.parse(new)
        if wanted.existing:
            return self._existing(wanted).props() if wanted.placed and known(wanted.existing) else new
        before = EndpointInputs.parse(old, recorded=True) if old else None
        if not wanted.name:
            wanted = replace(wanted, name=before.name if before and before.name else wanted.default_name)
        if known(wanted.name):
            _refuse_name(wanted.name)
        if not wanted.placed:
            return wanted.props()
        here = before is not None and not wanted.moved(before)
        found = self._find(wanted)
        ours = here and before is not None and not before.withheld
        remark = self._claims(wanted, before).refuse(wanted.thing, there=found is not None, ours=ours)
        missing = _WITHHELD if wanted.unserved else _GONE if ours else ""
        wanted = replace(wanted, withheld=missing if found is None else "")
        return replace(wanted.found(found) if here else wanted, remark=remark).props()

    def _existing(self, wanted: EndpointInputs) -> EndpointInputs:
        """With the addresses and the description that it has. Raises ConfigurationError where it is not there."""
        if wanted.name == DEFAULT_ENDPOINT and not wanted.service.is_new:
            raise ConfigurationError(
                "the endpoint `default` of a classic service can't be re-bound: Studio never updates it",
                "adopt another endpoint of the service, or leave out `existing` to have one created",
            )
        found = self._find(wanted)
        if found is None:
            raise ConfigurationError(
                f"the web service {wanted.service.id} has no endpoint {wanted.name!r} (any more)",
                "see ./dev adopt for those that there are, or leave out `existing` to have one created",
            )
        return replace(wanted.found(found), description=found.description)

    def diff(self, old: Props, new: Props) -> Diff:
        """Another name or service is another endpoint. One that is adopted stays as it is."""
        before, wanted = EndpointInputs.parse(old, recorded=True), EndpointInputs.parse(new, recorded=True)
        replaces = wanted.moved(before)
        if wanted.existing:
            changed = before.addresses != wanted.addresses or not before.existing
        else:
            changed = (
                before.description != wanted.description
                or _another_graph(before, wanted)
                or before.withheld != wanted.withheld
            )
        return Diff(bool(replaces) or changed or to_write(wanted.remark, before.incarnation), replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Create it, with the model that it is to serve. One that this owner has already keeps its model."""
        wanted = EndpointInputs.parse(new)
        id_ = f"{wanted.service.id}/{wanted.name}"
        return id_, self._existing(wanted).props() if wanted.existing else self._make(wanted)

    def _make(self, wanted: EndpointInputs) -> Props:
        """It, or what stands for one that is withheld; what an interrupted update has left of that one is removed."""
        self._changed(wanted)  # since the check, by whoever else
        there = self._find(wanted) is not None
        if wanted.unserved and not there:
            return _withheld(wanted)
        incarnation = self._take(wanted, None, there=there)
        if wanted.unserved:
            self._remove(wanted, incarnation)
            return _withheld(wanted)
        outputs = self._put(wanted)
        if there:
            self._refresh(wanted)
        try:
            self._give(wanted, there=there)
        except UpdateCancelled:
            raise
        except RetrainError:
            if not there:
                self._remove(wanted, incarnation)
            raise
        return replace(outputs, incarnation=incarnation, withheld="", remark="").props()

    def _give(self, wanted: EndpointInputs, *, there: bool) -> None:
        """Let one that was never bound serve its model instead of the default endpoint's, which no gate has judged."""
        if not wanted.serves or not wanted.resource:
            return
        place = Place(
            target=wanted.target, service=wanted.service, endpoint=wanted.name, resource=wanted.resource
        )
        endpoints = Endpoints(self._context, place, wanted.serves)
        if there and Markers(endpoints.registry).there(place.marker(wanted.name, wanted.serves)):
            return
        endpoint = LiveEndpoint(endpoints, wanted.name)
        if not endpoint.surely_serves(wanted.serves):
            endpoint.write(wanted.serves)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Change its description, and give it the graph that its service has now; or move its mark alone."""
        before, wanted = EndpointInputs.parse(old, recorded=True), EndpointInputs.parse(new, recorded=True)
        if wanted.existing:
            return self._existing(wanted).props()
        if before.withheld or wanted.withheld:
            return self._make(wanted)
        incarnation = self._take(wanted, before, there=False)
        if _another_graph(before, wanted):
            self._refresh(wanted)
        if before.description != wanted.description:
            wanted = self._put(wanted)
        return replace(wanted.found(self._find(wanted)), incarnation=incarnation, remark="").props()

    def _take(self, wanted: EndpointInputs, before: EndpointInputs | None, *, there: bool) -> str:
        self._context.guard.check()
        claims = self._claims(wanted, before)
        return claims.take({wanted.thing: there}, before.incarnation if before else "")

    def _refresh(self, wanted: EndpointInputs) -> None:
        self._context.guard.check()
        self._services(wanted).refresh_endpoint(wanted.service.id, wanted.name)
        self._changed(wanted)

    def _put(self, wanted: EndpointInputs) -> EndpointInputs:
        self._context.guard.check()
        self._services(wanted).put_endpoint(wanted.service.id, wanted.name, wanted.description)
        self._changed(wanted)
        found = self._find(wanted)
        if found is None:
            raise BindingFailed(
                f"the endpoint {wanted.name!r} was created and is not there",
                "see who else deletes it, then run the update again",
            )
        return wanted.found(found)

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded endpoint with its present description, or None where it is gone."""
        recorded = EndpointInputs.parse(old, recorded=True)
        found = self._find(recorded)
        if found is None:
            if recorded.withheld:
                return old, old
            if recorded.existing:
                self._context.progress.info(f"the adopted endpoint {recorded.name} is gone")
            return None
        now = old | {"description": found.description}
        return now, now

    def delete(self, id_: str, old: Props) -> None:
        """Delete it, unless it was adopted, or taken over since."""
        recorded = EndpointInputs.parse(old, recorded=True)
        if recorded.existing or recorded.withheld:
            return
        if not self._claims(recorded, None).may_delete(recorded.thing, recorded.incarnation):
            self._context.guard.check()
            self._context.progress.info(f"the endpoint {recorded.name!r} stays: it was taken over since")
            return
        self._remove(recorded, recorded.incarnation)

    def delete_half_made(self, wanted: Props) -> None:
        """Delete what an interrupted ``create`` has left of it, which nobody's state has: this owner's mark tells it."""
        inputs = EndpointInputs.parse(wanted)
        if incarnation := self._claims(inputs, None).left(inputs.thing):
            self._remove(inputs, incarnation)

    def _remove(self, inputs: EndpointInputs, incarnation: str) -> None:
        self._context.guard.check()
        self._services(inputs).delete_endpoint(inputs.service.id, inputs.name)
        self._changed(inputs)
        self._claims(inputs, None).release(inputs.thing, incarnation)

    def _find(self, inputs: EndpointInputs) -> EndpointFound | None:
        return found_endpoint(self._context, inputs.target, inputs.service, inputs.name)

    def _changed(self, inputs: EndpointInputs) -> None:
        changed_endpoint(self._context, inputs.target, inputs.service, inputs.name)

    def _services(self, inputs: EndpointInputs) -> Services:
        return self._context.services(inputs.target, inputs.service.props())

    def _claims(self, inputs: EndpointInputs, before: EndpointInputs | None) -> Claims:
        return Claims(self._context, inputs.target, inputs.owner, before.owner if before else None)


def _another_graph(old: EndpointInputs, new: EndpointInputs) -> bool:
    """Whether the service was published with another graph since; endpoints keep theirs until they are refreshed."""
    return old.graph is not None and old.graph != new.graph


def _withheld(inputs: EndpointInputs) -> Props:
    """What stands for an endpoint that is not made yet: it answers nowhere."""
    nowhere = {"url": "", "patchUrl": "", "helpUrl": "", "regionUrls": {}}
    return replace(inputs, withheld=_WITHHELD, remark="", incarnation="").props() | nowhere


def _refuse_name(name: str) -> None:
    if name == DEFAULT_ENDPOINT:
        raise ConfigurationError(
            "the endpoint `default` can't be re-bound: Studio never updates a service's default endpoint",
            "set `endpointName` in the stack's config to a name of your own, such as retrained",
        )
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is not a name for an endpoint", "use 1 to 24 lower-case letters and digits"
        )
