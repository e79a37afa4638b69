"""The endpoints of a stack, as its state has them, as their services say, and as they score."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.project import ROOT
from cli.stacks.resources import OURS, outputs_of
from pages.facts import Endpoint, Problem

if TYPE_CHECKING:
    from cli.paging.registry import Recorded
    from cli.services.registry import Registry
    from clients.protocols import Services

_ASKED = 12  # endpoints whose service is asked what they serve
_MEMBERS = 500


@dataclass(frozen=True)
class Found:
    """An endpoint of a *service* (a reference to it) that the last update left with the model at *address*."""

    name: str
    service: Mapping[str, Any]
    url: str = ""
    address: str = ""
    note: str = ""

    @property
    def id(self) -> str:
        """What it is called in a form."""
        return self.name


def resources_of(stack: str) -> list[Mapping[str, Any]]:
    """The stack's resources as its state has them. Raises Problem where that is elsewhere."""
    from cli.project import backend_of

    backend = backend_of(stack)
    if backend is None:
        raise Problem(
            f"the state of {stack} is not on this machine, so that what it serves is not told here",
            f"see ./dev output -s {stack}",
        )
    return list(backend.deployment().get("resources") or [])


def found_in(stack: str, resources: list[Mapping[str, Any]], registry: Registry | None) -> list[Found]:
    """The endpoints that a stack made, and their models."""
    urls = {
        str(one.get("name")): _text(one.get("url"))
        for one in map(outputs_of, resources)
        if one.get("name") and one.get("url")
    }
    found = [
        one
        for each in resources
        if each.get("type") == f"{OURS}ModelBinding"
        for one in _bound(outputs_of(each), urls)
    ]
    if registry and any(each.get("type") == f"{OURS}Fleet" for each in resources):
        found += _members(stack, registry)
    return found


def _bound(binding: Mapping[str, Any], urls: Mapping[str, str]) -> Iterator[Found]:
    service = binding.get("service")
    if not isinstance(service, Mapping) or "id" not in service:
        return
    live = str(binding.get("endpointName"))
    serving = binding.get("serving") or {live: binding.get("address")}
    for name, address in serving.items():
        yield Found(name, service, urls.get(name, ""), _text(address))


def _members(stack: str, registry: Registry) -> Iterator[Found]:
    from cli.services.fleets import deployed_fleet
    from retrain_hooks.fleet.records import is_staging

    fleet = deployed_fleet(stack, registry.context)
    service = fleet.inputs.service.props()
    standings = sorted(fleet.records.standings().items())
    for name, one in standings[:_MEMBERS]:
        if not is_staging(name) and one.endpoint:
            yield Found(one.endpoint, service, one.url, one.address, one.error or one.state)


def services_of(registry: Registry, one: Found) -> Services:
    """The services that an endpoint is of."""
    return registry.context.services(registry.target, dict(one.service))


def shown(registry: Registry | None, found: list[Found], recorded: Recorded) -> list[Endpoint]:
    """The endpoints as a page has them; the first few say themselves what they serve."""
    from retrain_hooks.registry.run_key import key_of

    versions = {run.key: run.data_version for run in recorded.runs}
    listed = []
    for at, one in enumerate(found):
        key = key_of(one.address) or ""
        serves = f"run {key[:12]}" if key else one.address or "no model that has passed the gate"
        said = one.note
        if registry is not None and at < _ASKED and not one.note:
            said = _said(registry, one)
        listed.append(Endpoint(one.id, one.name, one.url, serves, key, versions.get(key, ""), said))
    return listed


def _said(registry: Registry, one: Found) -> str:
    """What the service says of an endpoint, where that is another thing than the state does."""
    from clients.errors import RetrainError

    try:
        bindings = services_of(registry, one).bindings(str(one.service["id"]), one.name).read()
    except RetrainError as error:
        return f"can't be asked: {error.cause}"
    container = registry.container.name
    live = [binding.location.lstrip("/").removeprefix(f"{container}/") for binding in bindings]
    if not one.address or one.address in live[:1]:
        shares = [f"{binding.share} % {binding.location}" for binding in bindings if binding.share < 100]
        return "; ".join(shares)
    return f"changed by others: it serves {', '.join(live) or 'nothing'}"


def columns_of(resources: list[Mapping[str, Any]]) -> dict[str, str]:
    """The cells of the sample row of what is trained; none where it has no sample."""
    kinds = (f"{OURS}TrainedModel", f"{OURS}Fleet")
    trained = (outputs_of(one) for one in resources if one.get("type") in kinds)
    experiment = next((_text((one.get("experiment") or {}).get("name")) for one in trained), "")
    file = ROOT / "experiments" / experiment / "sample.json"
    try:
        row = next(iter(json.loads(file.read_text(encoding="utf-8")).values()))
        return {str(name): "" if value is None else str(value) for name, value in row.items()}
    except (OSError, ValueError, AttributeError, StopIteration):
        return {}


def score(registry: Registry, found: list[Found], id_: str, row: Mapping[str, Any]) -> dict[str, str]:
    """What an endpoint answers to a row. Raises Problem where there is no such endpoint, RetrainError."""
    one = next((each for each in found if each.id == id_), None)
    if one is None:
        raise Problem("There is no such endpoint.", "Choose one that the overview shows.", 404)
    if not row:
        raise Problem("The row has no columns.", "Write one value at least.", 400)
    scoring = services_of(registry, one).scoring(str(one.service["id"]), one.name)
    return next(iter(scoring.score([row])), {})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
