"""Whether a holdout overlaps the data that a candidate was trained from: it would then be judged on what it has seen.

Blobs are compared by name and by content, which a preview can; rows by their values, in whatever order of rows and columns,
before anything is scored. A few equal rows prove nothing, where rows have few values: more than one in a hundred does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

from clients.errors import ConfigurationError, NotFound, RetrainError
from clients.names import listed
from retrain_hooks.data.contents import Contents
from retrain_hooks.data.datasets import Remembered, stored
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.host.lifecycle import Context
from tables import TableError, parts, read

_SHARE = 0.01
_REMEDY = "declare a holdout of its own, or set allowHoldoutOverlap to true if it is meant so"


def refused(found: str) -> ConfigurationError:
    """That a candidate can't be judged so."""
    return ConfigurationError(f"the holdout overlaps the training data: {found}", _REMEDY)


def shared_blobs(context: Context, target: str, holdout: DataReference, trained: DataReference) -> str:
    """Which blobs of *holdout* are in *trained*, or have the content of one there, in words; empty where none is."""
    if holdout.digest == trained.digest:
        return f"both are the data version {holdout.version}"
    names = set(holdout.blobs) & set(trained.blobs) if holdout.container == trained.container else set()
    if names:
        return listed(names)
    try:
        held, learnt = (_contents(context, target, one) for one in (holdout, trained))
    except RetrainError:
        return ""  # old data may be gone, while its model still is to be served
    equal = {name for name, content in held.items() if content in learnt.values()}
    return f"{listed(equal)}, under another name" if equal else ""


def gone(context: Context, target: str, trained: DataReference) -> str:
    """Which blobs of *trained* are not there any more, in words: of them no overlap can be told; empty where none is."""
    shelf = Remembered(context.data(target, trained.container), context.memory, target)
    try:
        return listed(set(trained.blobs) - set(stored(shelf, trained.blobs)))
    except RetrainError:
        return trained.container


def _contents(context: Context, target: str, reference: DataReference) -> dict[str, tuple[int, str]]:
    """Size and MD5 of each blob that has a byte."""
    shelf = Remembered(context.data(target, reference.container), context.memory, target)
    blobs = [blob for blob in stored(shelf, reference.blobs).values() if blob.size]
    found = Contents(context, target, reference.container).look(blobs)
    return {blob.name: (blob.size, found.md5(blob)) for blob in found.blobs}


def shared_rows(context: Context, target: str, holdout: DataReference, trained: DataReference) -> str:
    """How many rows of *holdout* are in *trained*, in words; empty where they are too few to be meant."""
    held = list(_rows(context, target, holdout))
    if not held:
        return ""
    columns = set(held[0])
    found: set[bytes] = set()
    common: frozenset[str] = frozenset()
    wanted: set[bytes] = set()
    for row in _rows(context, target, trained):
        if not common:
            common = frozenset(columns & set(row))
            wanted = {_hash(one, common) for one in held}
        if not common:
            return ""
        if (key := _hash(row, common)) in wanted:
            found.add(key)
    count = sum(_hash(one, common) in found for one in held) if found else 0
    return f"{count:,} of its {len(held):,} rows are among it" if count > _SHARE * len(held) else ""


def _rows(context: Context, target: str, reference: DataReference) -> Iterator[Mapping[str, str | None]]:
    """All rows; blobs that are gone have none."""
    container = context.data(target, reference.container)
    for blob in parts(reference.blobs):
        try:
            yield from (row for _line, row in read(container.read(blob)[0], blob).records())
        except (NotFound, TableError):
            continue


def _hash(row: Mapping[str, str | None], columns: frozenset[str]) -> bytes:
    text = "\x1f".join(f"{name}\x1e{_plain(row.get(name) or '')}" for name in sorted(columns))
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=12).digest()


@lru_cache(maxsize=65536)
def _plain(cell: str) -> str:
    """One writing of a value: 1, 1.0 and " 1" are the same."""
    try:
        return repr(float(cell))
    except ValueError:
        return cell.strip()
