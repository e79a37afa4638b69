"""What is served: a marker in the registry for each model that an endpoint was seen to serve.

``bound/<digest of target, service, endpoint and resource>.json``, written after a binding was read back and deleted with
the last owner that wrote it, so that whoever retires models needs no stack's state to know which are in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from clients.errors import RetrainError
from clients.protocols import Binding
from clients.storage import Container
from retrain_hooks.registry.owners import Owner
from retrain_hooks.registry.plain import SPARSE
from retrain_hooks.registry.records import Records, Unreadable
from retrain_hooks.registry.run_key import digest

# Markers that name their owners; those that don't are of format 1, which earlier releases read.
FORMAT = 2


@dataclass(frozen=True)
class Holder(Owner):
    """An owner whose binding says so; *incarnation* is the token of the ``create`` that made that binding."""

    incarnation: str = field(default="", metadata=SPARSE)


@dataclass(frozen=True)
class Marker:
    """The model at *address* is served by *resource* of *endpoint* of *service* (its id) in *workspace* of *target*.

    *owners* are those whose bindings say so; without any it is held by one that isn't known.
    """

    target: str
    service: str
    workspace: dict[str, str]
    endpoint: str
    resource: str
    address: str
    owners: tuple[Holder, ...] = field(default=(), metadata=SPARSE)
    version: int = 1

    @property
    def key(self) -> str:
        """The name of its record."""
        return digest([self.target, self.service, self.endpoint, self.resource])

    @property
    def where(self) -> str:
        """The endpoint as a person knows it."""
        return f"{self.endpoint} of {self.workspace['resource'].rpartition('/')[2]}"

    def held_by(self, owners: set[Holder]) -> Marker:
        """The same marker with these *owners*."""
        return replace(self, owners=tuple(sorted(owners, key=repr)), version=FORMAT if owners else 1)


class Markers:
    """The markers of all stacks that share a registry."""

    def __init__(self, registry: Container) -> None:
        self._records = Records(
            registry,
            "bound",
            Marker,
            (1, FORMAT),
            own_name=lambda marker: marker.key,
            problem=_problem,
            remedy="run ./dev up on the stacks in use, which writes their markers anew, or delete {blob}",
        )

    def mark(self, marker: Marker, owner: Owner | None = None, incarnation: str = "") -> None:
        """Record for *owner* what was read back, in place of what was recorded for the same endpoint before.

        Other known owners go on holding it; one of the same name is this one, of a state that was lost. Raises LedgerError
        where it cannot be recorded.
        """

        def marked(present: Marker | None) -> Marker:
            known = present.owners if present else ()
            others = {one for one in known if owner is None or not one.same_name(owner)}
            return marker.held_by(others | _holders(owner, incarnation))

        self._records.swap(marker.key, marked, over_corrupt=True)

    def unmark(self, marker: Marker, owner: Owner | None = None, incarnation: str = "") -> None:
        """Forget that *owner* (None: one that isn't known) holds what an endpoint serves; the last one ends the marker.

        Only its own *incarnation* lets go: a binding that was replaced is deleted after its successor has bound. One that
        cannot be read may be somebody else's, and stays.
        """
        holder = _holders(owner, incarnation)

        def rest(present: Marker | None) -> Marker | None:
            if present is None or not holder.issubset(present.owners) or bool(holder) != bool(present.owners):
                return present
            others = set(present.owners) - holder
            return present.held_by(others) if others else None

        with suppress(Unreadable):
            self._records.swap(marker.key, rest)

    def there(self, marker: Marker) -> bool:
        """Whether anything is recorded for the marker's endpoint: it was bound once."""
        try:
            return self._records.find(marker.key) is not None
        except Unreadable:
            return True

    def all(self) -> Iterator[Marker | Unreadable]:
        """All that is recorded."""
        for found in self._records.all():
            yield found if isinstance(found, Unreadable) else found.value


def _holders(owner: Owner | None, incarnation: str) -> set[Holder]:
    """The one who holds, where it is known."""
    return {Holder(owner.project, owner.stack, owner.name, owner.lineage, incarnation)} if owner else set()


def _problem(marker: Marker) -> str:
    texts = (marker.target, marker.service, marker.endpoint, marker.resource, marker.address)
    return "" if all(texts) and marker.workspace.get("resource") else "it names no endpoint or no model"


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
    return _said(list(Markers(registry).all()))


def in_use(registry: Container, served: Callable[[Marker], Mapping[str, list[Binding]]]) -> InUse:
    """What the markers say, and what the marked services say where they answer.

    *served* answers for a marker's service all its endpoints with what they serve now; asked once a service.
    """
    markers = list(Markers(registry).all())
    found = _said(markers)
    services = {
        (one.target, one.service): one for one in reversed(markers) if not isinstance(one, Unreadable)
    }
    for marker in services.values():
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
                found.add(address, replace(marker, endpoint=endpoint).where)
    return found


def _said(markers: list[Marker | Unreadable]) -> InUse:
    found = InUse()
    for marker in markers:
        if isinstance(marker, Unreadable):
            found.unreadable.append(marker.cause)
        else:
            found.add(marker.address, marker.where)
    return found
