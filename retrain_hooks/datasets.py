"""Which blobs a data version is, and what identifies their content.

A *path* in a container says where the versions are: ``flights/{version}.csv`` (one blob), ``flights/{version}/`` (all
blobs below a folder), ``flights/{version}/part-*.csv`` (a pattern). A *version* is a literal (``2013-02``),
``latest``, or a window (``2013-01..2013-03``, both ends included).

Identity is content: the Content-MD5 that a blob carries, else the SHA-256 of its bytes, kept in the registry by
(URL, ETag) so that they are hashed once.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from clients.errors import ConfigurationError, Conflict, DataVersionNotFound, NotFound
from clients.storage import Blob, Container
from retrain_hooks.run_key import digest

_PLACEHOLDER = "{version}"
_WINDOW = ".."
LATEST = "latest"


@dataclass(frozen=True)
class Dataset:
    """The *versions* that a version resolves to, and their *blobs* in order of version and name."""

    versions: tuple[str, ...]
    blobs: tuple[Blob, ...]

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(blob.size for blob in self.blobs)

    @property
    def etags(self) -> dict[str, str]:
        """The ETag of each blob, by name."""
        return {blob.name: blob.etag for blob in self.blobs}


def resolve(container: Container, path: str, version: str) -> Dataset:
    """The blobs of *version*: one paged listing, whatever the number of versions.

    Raises ConfigurationError for a path or window that cannot be, DataVersionNotFound naming the versions that exist.
    """
    if path.count(_PLACEHOLDER) != 1:
        raise ConfigurationError(
            f"the data path {path!r} does not hold {_PLACEHOLDER} once", "write it like flights/{version}.csv"
        )
    prefix, _, suffix = path.partition(_PLACEHOLDER)
    found: defaultdict[str, list[Blob]] = defaultdict(list)
    pattern = re.compile(_pattern(prefix, suffix))
    for blob in container.list(prefix.partition("*")[0]):
        if match := pattern.fullmatch(blob.name):
            found[match["version"]].append(blob)
    chosen = [name for name in sorted(found) if name in _chosen(version, found)]
    if not chosen:
        names = ", ".join(sorted(found)) or "none"
        raise DataVersionNotFound(
            f"there is no data version {version!r} in {container.name}/{path}; there is: {names}",
            f"set the data version to one that exists, or upload {container.name}/{path.replace(_PLACEHOLDER, version)}",
        )
    return Dataset(tuple(chosen), tuple(blob for name in chosen for blob in found[name]))


def _pattern(prefix: str, suffix: str) -> str:
    """A regular expression for names of blobs: ``*`` stays within a folder, a final slash means all below it."""
    rest = _glob(suffix) + (".+" if suffix.endswith("/") else "")
    return f"{_glob(prefix)}(?P<version>[^/]+){rest}"


def _glob(text: str) -> str:
    return re.escape(text).replace(r"\*", "[^/]*")


def _chosen(version: str, found: Mapping[str, object]) -> set[str]:
    if version == LATEST:
        return {max(found)} if found else set()
    if _WINDOW not in version:
        return {version}
    first, _, last = version.partition(_WINDOW)
    if not first or not last or first > last:
        raise ConfigurationError(
            f"{version!r} is no window of data versions",
            "write it like 2013-01..2013-03, the earlier end first",
        )
    if missing := sorted({first, last} - set(found)):
        raise DataVersionNotFound(
            f"the window {version} begins or ends with {', '.join(missing)}, which does not exist; "
            f"there is: {', '.join(sorted(found)) or 'none'}",
            "set both ends to data versions that exist",
        )
    return {name for name in found if first <= name <= last}


class ContentHashes:
    """What identifies the content of blobs, with a memory in the registry for those without Content-MD5."""

    def __init__(self, data: Container, registry: Container) -> None:
        self._data = data
        self._registry = registry

    def digest(self, dataset: Dataset, *, remember: bool = False) -> str:
        """The digest of a data set, 64 hex: of its blobs' contents in their order, not of their names or times.

        Bytes that had to be hashed are remembered only where *remember* is set: a preview writes nothing.
        """
        return digest([self._identity(blob, remember) for blob in dataset.blobs])

    def _identity(self, blob: Blob, remember: bool) -> dict[str, str | int]:
        if blob.md5:
            return {"md5": blob.md5, "size": blob.size}
        name = self._name(blob)
        try:
            return {"sha256": self._registry.read(name)[0].decode("ascii"), "size": blob.size}
        except NotFound:
            content, etag = self._data.read(blob.name)
            found = hashlib.sha256(content).hexdigest()
            if remember and etag == blob.etag:
                self._remember(name, found)
            return {"sha256": found, "size": blob.size}

    def _remember(self, name: str, found: str) -> None:
        try:
            self._registry.write(name, found.encode("ascii"), etag=None)
        except Conflict:
            return

    def _name(self, blob: Blob) -> str:
        return f"hashes/{digest({'url': self._data.url(blob.name), 'etag': blob.etag})}"
