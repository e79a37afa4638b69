"""What is bound: a marker in the registry for each model that an endpoint was seen to serve.

``bound/<digest of target, service, endpoint and resource>.json``, written after a binding was read back and deleted
with it, so that whoever retires models needs no stack's state to know which are in use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

from clients.errors import Conflict, LedgerError, NotFound, RetrainError
from clients.protocols import Binding
from clients.storage import Container
from retrain_hooks.run_key import canonical_json, digest

FORMAT = 1
_ATTEMPTS = 5


@dataclass(frozen=True)
class Marker:
    """The model at *address* is served by *resource* of *endpoint* of *service* (its id) in *workspace* of *target*."""

    target: str
    service: str
    workspace: dict[str, str]
    endpoint: str
    resource: str
    address: str
    version: int = FORMAT

    @property
    def name(self) -> str:
        """The marker's blob."""
        return f"bound/{digest([self.target, self.service, self.endpoint, self.resource])}.json"

    @property
    def where(self) -> str:
        """The endpoint as a person knows it."""
        return f"{self.endpoint} of {self.workspace['resource'].rpartition('/')[2]}"


@dataclass(frozen=True)
class Unreadable:
    """A marker that says nothing that could be relied on: the *problem*, with its blob's name."""

    problem: str


class Bound:
    """The markers of all stacks that share a registry."""

    def __init__(self, registry: Container) -> None:
        self._registry = registry

    def mark(self, marker: Marker) -> None:
        """Record what was read back, in place of what was recorded for the same endpoint before."""
        for _attempt in range(_ATTEMPTS):
            try:
                etag: str | None = self._registry.read(marker.name)[1]
            except NotFound as error:
                if error.code == "ContainerNotFound":
                    raise
                etag = None
            try:
                self._registry.write(marker.name, canonical_json(asdict(marker)), etag=etag)
            except Conflict:
                continue
            return
        raise LedgerError(
            f"what {marker.where} serves is being recorded by somebody else all the time",
            "see who else binds models to it, then run the update again",
        )

    def unmark(self, marker: Marker) -> None:
        """Forget what an endpoint served, which is gone or no longer this stack's to bind."""
        self._registry.delete(marker.name)

    def markers(self) -> Iterator[Marker | Unreadable]:
        """All that is recorded."""
        for blob in self._registry.list("bound/"):
            try:
                yield _parse(blob.name, self._registry.read(blob.name)[0])
            except NotFound:
                continue  # unmarked since it was listed
            except (ValueError, KeyError, TypeError, AttributeError):
                yield Unreadable(f"the marker {blob.name} cannot be read")


def _parse(name: str, content: bytes) -> Marker:
    record = json.loads(content)
    if record["version"] != FORMAT:
        raise ValueError(record["version"])
    marker = Marker(**record)
    texts = (marker.target, marker.service, marker.endpoint, marker.resource, marker.address)
    if not all(isinstance(text, str) and text for text in texts) or not marker.workspace["resource"]:
        raise ValueError(name)
    if marker.name != name:
        raise ValueError("it lies under another endpoint's name")
    return marker


@dataclass
class InUse:
    """The addresses that are served, each with where; *unreadable* markers leave nothing that could be called free.

    *notes* are what could not be found out, as a person is told of it.
    """

    where: dict[str, list[str]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, address: str, where: str) -> None:
        """Note that *address* is served by *where*."""
        known = self.where.setdefault(address, [])
        if where not in known:
            known.append(where)
            known.sort()


def recorded(registry: Container) -> InUse:
    """What the markers say."""
    found = InUse()
    for marker in Bound(registry).markers():
        if isinstance(marker, Unreadable):
            found.unreadable.append(marker.problem)
        else:
            found.add(marker.address, marker.where)
    return found


def in_use(registry: Container, served: Callable[[Marker], Mapping[str, list[Binding]]]) -> InUse:
    """What the markers say, and what the marked services say where they answer.

    *served* answers for a marker's service all its endpoints with what they serve now; asked once a service.
    """
    found, asked = recorded(registry), set()
    for marker in Bound(registry).markers():
        if isinstance(marker, Unreadable) or (marker.target, marker.service) in asked:
            continue
        asked.add((marker.target, marker.service))
        try:
            endpoints = served(marker)
        except RetrainError as error:
            found.notes.append(
                f"the service of {marker.where} could not be asked what it serves ({error.cause}); "
                "what its markers name is kept"
            )
            continue
        for endpoint, bindings in endpoints.items():
            for binding in bindings:
                address = binding.location.lstrip("/").removeprefix(f"{registry.name}/")
                found.add(address, Marker(**{**asdict(marker), "endpoint": endpoint}).where)
    return found
