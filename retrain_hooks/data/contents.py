"""What the bytes of blobs are: the identity of data.

The digest of a data version is made of its blobs' names and the MD5 of their bytes, so that it says what a model would be
trained from, however the blobs were uploaded. The MD5 is the one that was found when the bytes were last read, which is
remembered with the blob's ETag; else Content-MD5; else the bytes are read now. Whoever stores a blob sets its Content-MD5,
or keeps an old one: where a blob has another ETag under the same Content-MD5, its bytes are read before it is believed,
and an update reads all that a model is trained from once. One that is not that of the bytes is refused.

What was read is kept in the registry, a record for each folder: ``hashes/<digest of the folder's address>.json``. A
preview writes nothing there: what it had to read of large blobs is kept in the checkout (``hashes.py``).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os.path import commonprefix

from clients.errors import ConfigurationError, Conflict, NotFound, RetrainError
from clients.storage import Blob
from retrain_hooks.data import hashes
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.plain import SPARSE
from retrain_hooks.registry.records import Corrupt, Records
from retrain_hooks.registry.run_key import digest
from tables import parts

FORMAT_2 = "2-"
# So much a preview reads to see whether a blob that was stored anew has other bytes.
_READ_IN_PREVIEW = 64 * 2**20
_READERS = 8
# So many blobs a record tells of: some 12 MB.
_MOST = 100_000


@dataclass(frozen=True)
class Bytes:
    """What a blob's bytes are while it has *etag*: their *md5* in base64. *sha256* is kept where FORMAT 1 needs it."""

    etag: str
    md5: str
    sha256: str = field(default="", metadata=SPARSE)


@dataclass(frozen=True)
class Folder:
    """What is known of the blobs in a folder, by their names."""

    blobs: Mapping[str, Bytes] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True)
class Found:
    """What *blobs* are, with the MD5 of each as far as it is known: *read* from their bytes.

    *unverified* blobs were stored anew under an unchanged Content-MD5, and are too large for a preview to read.
    *problems* are those that cannot be believed, or were not there any more, by their names.
    """

    blobs: Sequence[Blob]
    read: Mapping[str, Bytes]
    unverified: tuple[str, ...] = ()
    problems: Mapping[str, RetrainError] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of FORMAT 2: 64 hex behind a mark. Markers in a set are no part of it, as they are none of the table."""
        counted = set(parts([blob.name for blob in self.blobs]))
        names = [[blob.name, self.md5(blob)] for blob in self.blobs if blob.name in counted]
        return FORMAT_2 + digest({"format": 2, "blobs": names})

    def md5(self, blob: Blob) -> str:
        """The MD5 of one blob's bytes, in base64."""
        read = self.read.get(blob.name)
        return read.md5 if read else str(blob.md5)

    def formers(self, sha256: Callable[[Blob], str]) -> tuple[str, ...]:
        """The digests that FORMAT 1 may have (sizes and Content-MD5, else *sha256*; no names).

        Blobs without Content-MD5 may have had one then.
        """
        md5 = [{"md5": self.md5(blob), "size": blob.size} for blob in self.blobs]
        if all(blob.md5 for blob in self.blobs):
            return (digest(md5),)
        known = [
            one if blob.md5 else {"sha256": sha256(blob), "size": blob.size}
            for blob, one in zip(self.blobs, md5, strict=True)
        ]
        return digest(known), digest(md5)


class Contents:
    """What the bytes of a container's blobs are.

    What was read is kept in the record of *folder*, where one is given that all blobs are in, else of the innermost one.
    """

    def __init__(self, context: Context, target: str, container: str, folder: str | None = None) -> None:
        self._context = context
        self._folder = folder
        self._data = context.data(target, container)
        self._registry = context.registry(target)
        self._folders = Records(self._registry, "hashes", Folder)

    def look(self, blobs: Sequence[Blob], before: Mapping[str, str] | None = None) -> Found:
        """What they are, as far as a preview finds out. *before* are the ETags that they had. Never writes.

        Raises ConfigurationError where a Content-MD5 is not that of the bytes: no job reads such a blob.
        """
        return _all_well(self.look_at_each(blobs, before))

    def look_at_each(self, blobs: Sequence[Blob], before: Mapping[str, str] | None = None) -> Found:
        """The same, with the problem of each blob that has one, for which nothing is raised."""
        kept, before = self._kept(blobs), before or {}
        read = {blob.name: kept[blob.name] for blob in blobs if _fits(blob, kept)}
        unread = [blob for blob in blobs if blob.name not in read]
        wanted = [blob for blob in unread if not blob.md5]
        doubted = [
            blob
            for blob in unread
            if blob.md5 and (before.get(blob.name, blob.etag) != blob.etag or _restored(blob, kept))
        ]
        if sum(blob.size for blob in doubted) <= _READ_IN_PREVIEW:
            wanted, doubted = wanted + doubted, []
        new, problems = self._read(wanted)
        return self._believed(blobs, read | new, problems, tuple(blob.name for blob in doubted))

    def verify(self, blobs: Sequence[Blob]) -> Found:
        """What they are, by their bytes; what had to be read is remembered. Raises as `look`, and Conflict where one changes
        meanwhile.
        """
        return _all_well(self.verify_each(blobs))

    def verify_each(self, blobs: Sequence[Blob]) -> Found:
        """The same, with the problem of each blob that has one, for which nothing is raised.

        What this update has verified already is not looked up again, be it with other blobs.
        """
        verified = self._context.verified
        read: dict[str, Bytes] = {
            blob.name: verified[key] for blob in blobs if (key := self._key(blob)) in verified
        }
        rest = [blob for blob in blobs if blob.name not in read]
        kept = self._kept(rest)
        new, problems = self._read([blob for blob in rest if not _fits(blob, kept)])
        if new:
            self._context.guard.check()
            self._folders.swap(
                self._name(rest),
                lambda there: Folder(_with(there.blobs if there else {}, new)),
                over_corrupt=True,
            )
        found = {blob.name: kept[blob.name] for blob in rest if _fits(blob, kept)} | new
        verified |= {self._key(blob): found[blob.name] for blob in rest if blob.name in found}
        return self._believed(blobs, read | found, problems)

    def _believed(
        self,
        blobs: Sequence[Blob],
        read: Mapping[str, Bytes],
        problems: Mapping[str, RetrainError],
        unverified: tuple[str, ...] = (),
    ) -> Found:
        """What was found. A Content-MD5 that is not that of the bytes is a problem."""
        wrong: dict[str, RetrainError] = {
            blob.name: ConfigurationError(
                f"the Content-MD5 of {self._data.name}/{blob.name} is not that of its bytes",
                "store the blob again, with the Content-MD5 of its bytes or without one",
            )
            for blob in blobs
            if blob.md5 and blob.name in read and read[blob.name].md5 != blob.md5
        }
        return Found(blobs, read, unverified, {**problems, **wrong})

    def formers(self, found: Found) -> tuple[str, ...]:
        """The digests that the same blobs may have in FORMAT 1, as far as they can be told without reading them."""

        def sha256(blob: Blob) -> str:
            read = found.read.get(blob.name)
            return read.sha256 if read and read.sha256 else self._formerly_kept(blob)

        return found.formers(sha256)

    def _formerly_kept(self, blob: Blob) -> str:
        """The SHA-256 that an earlier release kept of a blob without Content-MD5; empty where it did not."""
        name = digest({"url": self._data.url(blob.name), "etag": blob.etag})
        try:
            return self._registry.read(f"hashes/{name}")[0].decode("ascii")
        except (NotFound, UnicodeDecodeError):
            return ""

    def _kept(self, blobs: Sequence[Blob]) -> Mapping[str, Bytes]:
        try:
            entry = self._folders.find(self._name(blobs)) if blobs else None
        except Corrupt:
            return {}
        return entry.value.blobs if entry else {}

    def _name(self, blobs: Sequence[Blob]) -> str:
        """The record of the folder that all of them are in."""
        folder = self._folder
        if folder is None:
            folder = commonprefix([blob.name for blob in blobs]).rpartition("/")[0]  # noqa: RUF071 - of texts
        return digest({"folder": self._data.url(f"{folder}/_".lstrip("/"))})

    def _read(self, blobs: Sequence[Blob]) -> tuple[dict[str, Bytes], dict[str, RetrainError]]:
        """What the bytes of each are; else why they could not be read, because they are not the same any more."""
        if (size := sum(blob.size for blob in blobs)) > _READ_IN_PREVIEW:
            self._context.progress.info(
                f"reading {size / 2**20:,.0f} MB in {self._data.name} to know their content, which is kept"
            )
        if len(blobs) < 2:
            found = [self._tried(blob) for blob in blobs]
        else:
            with ThreadPoolExecutor(_READERS) as readers:
                found = list(readers.map(self._tried, blobs))
        named = list(zip((blob.name for blob in blobs), found, strict=True))
        return (
            {name: one for name, one in named if isinstance(one, Bytes)},
            {name: one for name, one in named if not isinstance(one, Bytes)},
        )

    def _tried(self, blob: Blob) -> Bytes | RetrainError:
        try:
            return self._hashed(blob)
        except (Conflict, NotFound) as error:
            return error

    def _key(self, blob: Blob) -> tuple[str, str]:
        return self._data.url(blob.name), blob.etag

    def _hashed(self, blob: Blob) -> Bytes:
        """The hashes of a blob's bytes, read once in a process."""
        key = self._key(blob)
        known = self._context.hashes.get(key) or hashes.find(*key, blob.size)
        if known is None:
            md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
            for chunk in self._context.parts.keeping(key, blob.size, self._data.chunks(blob.name, blob.etag)):
                md5.update(chunk)
                sha256.update(chunk)
            known = b64encode(md5.digest()).decode(), sha256.hexdigest()
            hashes.keep(*key, blob.size, known)
        md5_found, sha256_found = self._context.hashes[key] = known
        return Bytes(blob.etag, md5_found, "" if blob.md5 else sha256_found)


def _all_well(found: Found) -> Found:
    """The same, where no blob has a problem; else that of the first is raised."""
    for blob in found.blobs:
        if blob.name in found.problems:
            raise found.problems[blob.name]
    return found


def _with(there: Mapping[str, Bytes], new: Mapping[str, Bytes]) -> dict[str, Bytes]:
    """Both, as many as a record holds: of very many, what was known before is forgotten."""
    return {**(there if len(there) + len(new) <= _MOST else {}), **new}


def _fits(blob: Blob, kept: Mapping[str, Bytes]) -> bool:
    return blob.name in kept and kept[blob.name].etag == blob.etag


def _restored(blob: Blob, kept: Mapping[str, Bytes]) -> bool:
    """Whether it was stored again under the Content-MD5 of the bytes that are remembered."""
    return blob.name in kept and kept[blob.name].md5 == blob.md5


def changed(version: str) -> ConfigurationError:
    """That the data are not what a preview took them for."""
    return ConfigurationError(
        f"the data version {version} has changed since this update was planned",
        "run ./dev preview to see what it would train, then run the update again",
    )
