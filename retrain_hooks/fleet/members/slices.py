"""The slices of a table: what they are is remembered, so that an unchanged table is not read again, and an update writes
those that are trained from.

What is remembered, by the addresses and ETags of the table's blobs and the column: of a preview in this checkout
(``.local/splits``), of an update in the registry (``splits/<key>.json``). A slice is in the registry under the MD5 of its
bytes, ``slices/<md5>.csv``: the same rows are one blob, whoever writes it and however often.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

from clients.errors import Conflict
from clients.storage import Container
from retrain_hooks.data.contents import changed
from retrain_hooks.fleet.members.column import Rows, Slice, Split, split
from retrain_hooks.fleet.members.inputs import Member, Table
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.ledger import SLICES
from retrain_hooks.registry.plain import Malformed, decode, encode, parse
from retrain_hooks.registry.records import Corrupt, Records
from retrain_hooks.registry.run_key import canonical_json, digest

FOLDER = Path(".local", "splits")
_KEPT = 20
_WRITERS = 4
# So much of the slices is held in memory before it goes to a temporary file.
_HELD = 32 * 2**20


def blob_of(one: Slice) -> str:
    """The name of a slice's blob in the registry."""
    return f"{SLICES}{b64decode(one.md5).hex()}.csv"


class Splits:
    """How tables are split, as far as somebody has read them."""

    def __init__(self, context: Context, target: str) -> None:
        self._context, self._target = context, target
        self._records = Records(context.registry(target), "splits", Split)

    def find(self, table: Table) -> Split:
        """The slices of *table*: remembered, else found by reading it once. Raises ConfigurationError, Conflict."""
        key = self._key(table)
        found = self._here(key) or self._recorded(key)
        if found is None:
            found = split(self._rows(table))
            self._keep(key, found)
        return found

    def remember(self, table: Table, found: Split | None = None) -> None:
        """Record in the registry what was *found*, or was found in this checkout before."""
        key = self._key(table)
        known = found or self._here(key)
        if known is not None:
            self._records.swap(key, lambda there: there or known, over_corrupt=True)

    def cut(self, table: Table, values: Sequence[str], spill: Spill) -> Split:
        """Read *table* once, and put the rows of these *values* into *spill*."""
        rows = self._rows(table)
        wanted = set(values)

        def put(value: str, text: bytes) -> None:
            if value in wanted:
                spill.put(value, text)

        spill.header = rows.header
        return split(rows, put)

    def _rows(self, table: Table) -> Rows:
        data = self._context.data(self._target, table.container)
        files = ((name, data.chunks(name, etag)) for name, etag in zip(table.blobs, table.etags, strict=True))
        return Rows(files, table.column)

    def _key(self, table: Table) -> str:
        data = self._context.data(self._target, table.container)
        blobs = [[data.url(name), etag] for name, etag in zip(table.blobs, table.etags, strict=True)]
        return digest({"blobs": blobs, "column": table.column})

    def _recorded(self, key: str) -> Split | None:
        try:
            entry = self._records.find(key)
        except Corrupt:
            return None
        return entry.value if entry else None

    def _here(self, key: str) -> Split | None:
        try:
            return decode(Split, parse((FOLDER / f"{key}.json").read_bytes()))
        except (OSError, Malformed):
            return None

    def _keep(self, key: str, found: Split) -> None:
        """Keep it here, if something can be written; of many the older ones are forgotten."""
        with suppress(OSError):
            FOLDER.mkdir(parents=True, exist_ok=True)
            new = FOLDER / f"{key}.{os.getpid()}"
            new.write_bytes(canonical_json(encode(found)))
            new.replace(FOLDER / f"{key}.json")
            kept = sorted(FOLDER.iterdir(), key=lambda one: one.stat().st_mtime_ns)
            for old in kept[:-_KEPT]:
                old.unlink(missing_ok=True)


class Spill:
    """Texts by value, in the order in which they come: some in memory, the others in one temporary *file*."""

    def __init__(self, file: IO[bytes]) -> None:
        self.header = b""
        self._file = file
        self._held: defaultdict[str, list[bytes]] = defaultdict(list)
        self._bytes = 0
        self._places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)

    def put(self, value: str, text: bytes) -> None:
        """One more text of *value*."""
        self._held[value].append(text)
        self._bytes += len(text)
        if self._bytes > _HELD:
            self.flush()

    def flush(self) -> None:
        """Put what is held into the file."""
        for value, texts in self._held.items():
            content = b"".join(texts)
            self._places[value].append((self._file.tell(), len(content)))
            self._file.write(content)
        self._file.flush()
        self._held.clear()
        self._bytes = 0

    def take(self, value: str) -> bytes:
        """Header and all texts of *value*, after a flush."""
        pieces = (os.pread(self._file.fileno(), size, at) for at, size in self._places[value])
        return b"".join((self.header, *pieces))


def write_slices(context: Context, target: str, members: Sequence[Member]) -> Mapping[str, Mapping[str, str]]:
    """Make sure that the slice of each of *members* is in the registry, and remember what their tables hold.

    Nothing is written that is there, and a member without a slice is passed over. Returns by the member's name the ETags of
    its blob. Raises ConfigurationError where a table is not what was planned any more, Conflict where it changes while it
    is read.
    """
    tables: defaultdict[Table, list[Member]] = defaultdict(list)
    for member in members:
        if member.table and member.data:
            tables[member.table].append(member)
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for table, own in tables.items():
        for member, etag in zip(own, _written(context, target, table, own), strict=True):
            found[member.name][_name(member)] = etag
    return found


def _written(context: Context, target: str, table: Table, members: Sequence[Member]) -> list[str]:
    """The ETag of the slice of each of *members*, which is written where it is not there."""
    registry, splits = context.registry(target), Splits(context, target)
    with ThreadPoolExecutor(_WRITERS, "slices") as threads:
        there = list(threads.map(lambda member: registry.stat(_name(member)), members))
        stored = {blob.name: blob for blob in there if blob}
        sound = {name: blob.etag for name, blob in stored.items() if blob.md5 == _md5(name)}
        missing = [member for member in members if _name(member) not in sound]
        if not missing:
            splits.remember(table)
            return [sound[_name(member)] for member in members]
        with tempfile.TemporaryFile() as file:
            spill = Spill(file)
            found = splits.cut(table, [member.name for member in missing], spill)
            spill.flush()

            def write(member: Member) -> str:
                blob = stored.get(_name(member))
                return _store(context, registry, member, spill.take(member.name), blob.etag if blob else None)

            new = dict(zip(map(_name, missing), threads.map(write, missing), strict=True))
    splits.remember(table, found)
    return [(sound | new)[_name(member)] for member in members]


def _store(context: Context, registry: Container, member: Member, content: bytes, etag: str | None) -> str:
    """Write a slice in place of what has *etag*, or leave what somebody else wrote meanwhile: the ETag that it has."""
    name = _name(member)
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != _hex(name):
        raise changed(member.data.version if member.data else "")
    context.guard.check()
    try:
        written = registry.write(name, content, etag=etag)
    except Conflict:
        blob = registry.stat(name)
        if blob is None or blob.md5 != _md5(name):
            raise
        return blob.etag
    context.hashes[registry.url(name), written] = _md5(name), hashlib.sha256(content).hexdigest()
    return written


def _name(member: Member) -> str:
    """The blob of a member's slice."""
    return member.data.blobs[0] if member.data else ""


def _hex(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def _md5(name: str) -> str:
    """The Content-MD5 that the blob *name* has."""
    return b64encode(bytes.fromhex(_hex(name))).decode()
