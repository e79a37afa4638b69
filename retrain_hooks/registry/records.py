"""Records in the registry: one JSON blob each, read, compared and swapped, listed in one way.

A record is a dataclass; ``version`` among its fields is the format that it was written in. Every write is a
compare-and-swap on the blob's ETag, so of two that write at once one wins and the other finds what it did. A record that
cannot be read says so with its name, and never stops the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from clients.errors import Conflict, LedgerError, NotFound
from clients.retrying import attempts
from clients.storage import Container
from retrain_hooks.registry.plain import Malformed, decode, encode, parse
from retrain_hooks.registry.run_key import canonical_json

T = TypeVar("T")
# With pauses that grow from 0.02 to 1 s: many may work on one record at once.
_ATTEMPTS = 15
_READERS = 8
_MOST_BYTES = 16_000_000
_SUFFIX = ".json"


class Unreadable(LedgerError):
    """The record *name* (*what* it is called) says nothing that can be relied on: its *problem*; *content* and *etag* are
    as they were found.
    """

    def __init__(self, what: str, name: str, problem: str, remedy: str, content: bytes, etag: str) -> None:
        super().__init__(f"{what} cannot be read: {problem}", remedy)
        self.what = what
        self.name = name
        self.problem = problem
        self.content = content
        self.etag = etag


class Corrupt(Unreadable):
    """The record is nonsense, or another's: it may be set aside or written over."""


class NewerFormat(Unreadable):
    """The record is of a later release: nothing is wrong with it, and nothing of it may be replaced."""


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A record's *value* with its *etag*; writing over it succeeds only while the record has that ETag."""

    name: str
    value: T
    etag: str


def read(registry: Container, blob: str) -> tuple[bytes, str] | None:
    """Content and ETag of a blob; None where there is none. A missing container is an error."""
    try:
        return registry.read(blob)
    except NotFound as error:
        if error.code == "ContainerNotFound":
            raise
        return None


class Records(Generic[T]):
    """The records in one *folder*, each a *kind*, of the formats *versions* (none: they bear no version).

    *own_name* tells a record's name from its value, where it has one of its own: under another name it is not believed.
    *problem* says what else is wrong with a value, empty for nothing. Of a corrupt record *what* is told, and what to do
    about it, the *remedy*; both may hold ``{name}`` and ``{blob}``. *index* says what a listing tells of a value: names
    and ASCII texts.
    """

    def __init__(
        self,
        registry: Container,
        folder: str,
        kind: type[T],
        versions: tuple[int, ...] = (1,),
        *,
        own_name: Callable[[T], str] | None = None,
        problem: Callable[[T], str] = lambda _value: "",
        what: str = "the registry's {blob}",
        remedy: str = "delete the registry's {blob}, then run the update again",
        index: Callable[[T], Mapping[str, str]] = lambda _value: {},
    ) -> None:
        self._registry = registry
        self.folder = folder
        self._kind: Any = kind
        self._versions = versions
        self._own_name = own_name
        self._problem = problem
        self._what = what
        self._remedy = remedy
        self._index = index

    def blob(self, name: str) -> str:
        """The record's blob."""
        return f"{self.folder}/{name}{_SUFFIX}"

    def find(self, name: str) -> Entry[T] | None:
        """The record *name*; None where there is none. Raises Unreadable."""
        found = read(self._registry, self.blob(name))
        return Entry(name, self._parsed(name, *found), found[1]) if found else None

    def write(self, name: str, value: T, etag: str | None) -> Entry[T]:
        """Record *value* in place of what has *etag* (None: of nothing). Raises Conflict."""
        content = canonical_json(encode(value))
        index = self._index(value)
        told: dict[str, Any] = {"metadata": index} if index else {}
        return Entry(name, value, self._registry.write(self.blob(name), content, etag=etag, **told))

    def offer(self, name: str, value: T, etag: str | None) -> tuple[Entry[T], bool]:
        """Write, or leave what somebody else recorded first: the record as it is now, and whether it is *value*.

        A write whose answer was lost is sent again, and then meets itself. Raises Unreadable, and LedgerError where the
        record was deleted meanwhile.
        """
        try:
            return self.write(name, value, etag), True
        except Conflict:
            found = self.find(name)
        if found is None:
            raise LedgerError(
                f"the registry's {self.blob(name)} vanished while it was used",
                "see who deletes blobs from the registry, then run the update again",
            )
        return found, found.value == value

    def swap(
        self, name: str, change: Callable[[T | None], T | None], *, over_corrupt: bool = False
    ) -> T | None:
        """Read, *change* and write, again where somebody else was faster; the value as it is then.

        *change* takes None where there is no record, and answers None where there should be none. It is called again
        for what it wrote itself where the write's answer was lost, and should answer the same then. With
        *over_corrupt* a corrupt record counts as none. Raises LedgerError where it never succeeds.
        """
        pauses = {"wait_initial": 0.02, "wait_jitter": 0.1, "wait_max": 1.0}
        try:
            for attempt in attempts(Conflict, most=_ATTEMPTS, seconds=None, **pauses):
                with attempt:
                    return self._swapped(name, change, over_corrupt)
        except Conflict:
            pass
        raise LedgerError(
            f"the registry's {self.blob(name)} is being changed by somebody else all the time",
            "see who else works on it, then run the update again",
        )

    def _swapped(self, name: str, change: Callable[[T | None], T | None], over_corrupt: bool) -> T | None:
        """Once. Raises Conflict where somebody else was faster."""
        try:
            found, etag = self.find(name), None
            present = found.value if found else None
        except Corrupt as problem:
            if not over_corrupt:
                raise
            found, present, etag = None, None, problem.etag
        wanted = change(present)
        if wanted == present and etag is None:
            return present
        etag = found.etag if found else etag
        if wanted is None:
            self.delete(name, etag)
        else:
            self.write(name, wanted, etag)
        return wanted

    def delete(self, name: str, etag: str | None = None) -> None:
        """Delete a record, if it still has *etag*; one that is gone is not an error. Raises Conflict."""
        self._registry.delete(self.blob(name), etag=etag)

    def names(self, prefix: str = "") -> list[str]:
        """The names that start with *prefix*, in their order."""
        blobs = self._registry.list(f"{self.folder}/{prefix}")
        start = len(self.folder) + 1
        return [blob.name[start:].removesuffix(_SUFFIX) for blob in blobs]

    def indexed(self, prefix: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
        """The names that start with *prefix*, each with its index: no record is read."""
        for blob in self._registry.list(f"{self.folder}/{prefix}", metadata=True):
            yield blob.name[len(self.folder) + 1 :].removesuffix(_SUFFIX), blob.metadata

    def all(self, prefix: str = "") -> Iterator[Entry[T] | Unreadable]:
        """The records whose names start with *prefix*, in the names' order; one that cannot be read as its error."""
        for name in self.names(prefix):
            try:
                found = self.find(name)
            except Unreadable as problem:
                yield problem
            else:
                if found is not None:  # not deleted since it was listed
                    yield found

    def some(self, names: Sequence[str]) -> Iterator[Entry[T] | Unreadable]:
        """The records of these *names*, in their order, several read at once; without those that are gone."""

        def read_one(name: str) -> Entry[T] | Unreadable | None:
            try:
                return self.find(name)
            except Unreadable as problem:
                return problem

        with ThreadPoolExecutor(min(_READERS, len(names) or 1)) as pool:
            yield from filter(None, pool.map(read_one, names))

    def _parsed(self, name: str, content: bytes, etag: str) -> T:
        what, remedy = (text.format(name=name, blob=self.blob(name)) for text in (self._what, self._remedy))
        try:
            if len(content) > _MOST_BYTES:
                raise Malformed(f"it has {len(content):,} bytes")
            plain = parse(content)
            version = plain.get("version") if isinstance(plain, dict) else None
            if self._versions and isinstance(version, int) and version > max(self._versions):
                problem = f"it has format {version}, this program knows {max(self._versions)}"
                later = "use the release that wrote it, or a later one"
                raise NewerFormat(what, name, problem, later, content, etag)
            if self._versions and version not in self._versions:
                raise Malformed(f"its format is {version!r}")
            value: T = decode(self._kind, plain)
            if self._own_name and self._own_name(value) != name:
                raise Malformed("it lies under another one's name")
            if wrong := self._problem(value):
                raise Malformed(wrong)
        except Malformed as error:
            raise Corrupt(what, name, str(error), remedy, content, etag) from None
        return value
