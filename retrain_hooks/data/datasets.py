"""Which blobs a data version is.

A *path* in a container says where the versions are: ``sales/{version}.csv`` (one blob), ``sales/{version}/`` (all
blobs below a folder), ``sales/{version}/part-*.csv`` (a pattern). A *version* is a literal (``2013-02``),
``latest``, or a window (``2013-01..2013-03``, both ends included).

No more is asked for than that: one blob is looked at by its name, and a listing begins where the version does. All names
are listed only for ``latest``, a window, or to say what there is instead of a version that is missing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os.path import commonprefix
from typing import Protocol

from clients.errors import DataVersionNotFound
from clients.names import nearest, shown
from clients.storage import Blob, Container
from retrain_hooks.data.inputs import PLACEHOLDER
from retrain_hooks.data.versions import LATEST, WINDOW, Chosen, choose
from retrain_hooks.host.memory import Memory

# So many blobs are looked at by their names rather than in a listing, which may hold any number of others.
_BY_NAME = 8
_ANY = re.compile(r"\*|\{[^{}/]*\}")


class Shelf(Protocol):
    """Where blobs are looked for."""

    @property
    def name(self) -> str:
        """The container's name."""

    def list(self, prefix: str) -> Sequence[Blob]:
        """All blobs under *prefix*, ordered by name."""

    def stat(self, name: str) -> Blob | None:
        """The blob *name*; None where there is none."""


class Remembered:
    """A container of which one run asks nothing twice: what its previews share. What is trained from is looked at anew."""

    def __init__(self, container: Container, memory: Memory, target: str) -> None:
        self.name = container.name
        self._container, self._memory, self._where = container, memory, (target, container.name)

    def list(self, prefix: str) -> Sequence[Blob]:
        """See Shelf; taken from a longer listing where there was one."""
        listed = self._listed()
        wider = next((one for one in listed.copy() if prefix.startswith(one)), prefix)
        found = self._memory.once(("blobs", *self._where, wider), lambda: self._container.list(wider))
        listed[wider] = None
        return found if wider == prefix else [blob for blob in found if blob.name.startswith(prefix)]

    def stat(self, name: str) -> Blob | None:
        """See Shelf; taken from a listing where there was one."""
        if any(name.startswith(prefix) for prefix in self._listed().copy()):
            return next((blob for blob in self.list(name) if blob.name == name), None)
        return self._memory.once(("blob", *self._where, name), lambda: self._container.stat(name))

    def _listed(self) -> dict[str, None]:
        """The prefixes of the listings that there were."""
        return self._memory.once(("prefixes", *self._where), dict)


@dataclass(frozen=True)
class Dataset:
    """The *versions* that a version resolves to, and their *blobs* in order of version and name; *note* what to know of it."""

    versions: tuple[str, ...]
    blobs: tuple[Blob, ...]
    note: str = ""

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(blob.size for blob in self.blobs)


def resolve_dataset(shelf: Shelf, path: str, version: str) -> Dataset:
    """The blobs of *version*: one look or one paged listing, whatever the number of versions.

    Raises as ``choose`` does, and DataVersionNotFound naming the nearest versions that exist.
    """
    where = f"{shelf.name}/{path}"
    if version != LATEST and WINDOW not in version and (found := _literal(shelf, path, version)):
        return Dataset((version,), tuple(found))
    versions = _versions(shelf, path, path.partition(PLACEHOLDER)[0].partition("*")[0])
    chosen: Chosen = choose(version, versions, where)
    if not chosen.names:
        raise no_such_version(version, versions, where)
    blobs = tuple(blob for name in chosen.names for blob in versions[name])
    return Dataset(chosen.names, blobs, f"{where}: {chosen.note}" if chosen.note else "")


def no_such_version(version: str, versions: Collection[str], where: str) -> DataVersionNotFound:
    """That *version* is none of the *versions* that are *where*, container and path."""
    return DataVersionNotFound(
        f"there is no data version {shown(version)!r} in {where}; {nearest(version, versions)}",
        f"set the data version to one that exists, or upload {where.replace(PLACEHOLDER, shown(version))}",
    )


def _literal(shelf: Shelf, path: str, version: str) -> Sequence[Blob]:
    """The blobs of the version of that name; none where there is none."""
    name = path.replace(PLACEHOLDER, version)
    if "/" in version or "*" in version:
        return ()
    if "*" not in path and not path.endswith("/"):
        blob = shelf.stat(name)
        return () if blob is None else (blob,)
    return _versions(shelf, path, name.partition("*")[0]).get(version, ())


def _versions(shelf: Shelf, path: str, listed: str) -> dict[str, list[Blob]]:
    """The blobs by version, of those whose names begin with *listed*."""
    return by_version(shelf.list(listed), path)


def by_version(blobs: Iterable[Blob], path: str) -> dict[str, list[Blob]]:
    """Those of the blobs that a version at *path* is made of, by version."""
    prefix, _, suffix = path.partition(PLACEHOLDER)
    pattern = re.compile(_pattern(prefix, suffix), re.DOTALL)
    found: defaultdict[str, list[Blob]] = defaultdict(list)
    for blob in blobs:
        if match := pattern.fullmatch(blob.name):
            found[match["version"]].append(blob)
    return dict(found)


def matching(shelf: Shelf, path: str) -> list[Blob]:
    """The blobs at *path*, ordered by name: ``*`` and ``{…}`` stand for any text in a folder, a final slash for all below."""
    found = re.compile(
        "[^/]*".join(map(re.escape, _ANY.split(path))) + (".+" if path.endswith("/") else ""), re.DOTALL
    )
    return [blob for blob in shelf.list(_ANY.split(path)[0]) if found.fullmatch(blob.name)]


def _pattern(prefix: str, suffix: str) -> str:
    """A regular expression for names of blobs: ``*`` stays within a folder, a final slash means all below it."""
    rest = as_regex(suffix) + (".+" if suffix.endswith("/") else "")
    return f"{as_regex(prefix)}(?P<version>[^/]+){rest}"


def as_regex(text: str) -> str:
    """A regular expression for *text* in which ``*`` is anything within a folder."""
    return re.escape(text).replace(r"\*", "[^/]*")


def stored(shelf: Shelf, names: Iterable[str]) -> dict[str, Blob]:
    """Those of the blobs *names* that are there, by name: few of them by a look at each, else one listing."""
    wanted = list(names)
    if len(wanted) <= _BY_NAME:
        with ThreadPoolExecutor(_BY_NAME) as readers:
            looks = readers.map(shelf.stat, wanted) if len(wanted) > 1 else map(shelf.stat, wanted)
            return {blob.name: blob for blob in looks if blob is not None}
    prefix = commonprefix(wanted)  # noqa: RUF071 - of texts
    found = {blob.name: blob for blob in shelf.list(prefix)}
    return {name: found[name] for name in wanted if name in found}
