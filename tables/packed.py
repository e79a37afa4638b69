"""What gzip has packed, piece by piece, up to a limit: a small file may hold any amount."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from tables.forms import TableError

MOST: Final = 4 * 2**30
"""So many bytes a table may have when it is unpacked."""
_PIECE: Final = 2**20
_AGAIN: Final = "Pack the table again, and upload all of it."


def unpacked(chunks: Iterable[bytes], name: str, *, whole: bool = True) -> Iterator[bytes]:
    """The content in pieces of a megabyte at most. *whole*: the chunks are all of the file.

    Raises TableError for what is not gzip's, is broken or cut off, and for more than MOST bytes.
    """
    inner, begun, size = zlib.decompressobj(wbits=31), False, 0
    for chunk in chunks:
        left, held = chunk, False
        while left or held:
            if inner.eof:  # another member follows; zeros that fill a block are none
                left = left.lstrip(b"\0")
                inner = zlib.decompressobj(wbits=31) if left else inner
                continue
            try:
                found = inner.decompress(left, _PIECE)
            except zlib.error:
                what = (
                    "is broken: gzip cannot unpack it"
                    if begun
                    else "is not compressed (gzip), as its name says"
                )
                raise TableError(name, 0, what, _AGAIN if begun else "Name it without .gz.") from None
            begun = True
            left = inner.unused_data if inner.eof else inner.unconsumed_tail
            held = len(found) == _PIECE and not inner.eof
            size += len(found)
            if size > MOST:
                raise too_large(name)
            if found:
                yield found
    if whole and not begun:
        raise TableError(name, 0, "is not compressed (gzip), as its name says", "Name it without .gz.")
    if whole and not inner.eof:
        raise TableError(name, 0, "is cut off: gzip's end is not there", _AGAIN)


def too_large(name: str) -> TableError:
    """That a table is larger than MOST."""
    return TableError(
        name,
        0,
        f"has more than {MOST / 2**30:g} GB when it is unpacked",
        "Leave out columns or rows that no model needs.",
    )
