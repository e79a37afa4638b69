"""The beginning of a table in a container: of a large one no more is read than that takes."""

from __future__ import annotations

import io

from clients.errors import NotFound
from clients.storage.container import Container
from tables import Table, form_of, head
from tables import beginning as beginning_of_parquet
from tables.forms import PARQUET


def beginning(container: Container, name: str, most: int) -> Table:
    """The columns of the table *name*, and its rows in about the first *most* bytes.

    Raises TableError, EndlessHeader where these bytes do not tell, NotFound.
    """
    if form_of(name).kind == PARQUET:
        with Ranges(container, name) as source:
            return beginning_of_parquet(io.BufferedReader(source, 2**16), name, most)
    start = container.read_start(name, most)
    return head(start, name, whole=len(start) < most)


class Ranges(io.RawIOBase):
    """A blob as a file of which parts can be read. Raises NotFound where there is none."""

    def __init__(self, container: Container, name: str) -> None:
        self._container, self._name, self._at = container, name, 0
        found = container.stat(name)
        if found is None:
            raise NotFound(f"the blob {container.name}/{name} is gone", "name one that is there")
        self._size = found.size

    def readable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def seekable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See io.RawIOBase."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def tell(self) -> int:
        """See io.RawIOBase."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """See io.RawIOBase."""
        length = min(len(buffer), self._size - self._at)
        if length <= 0:
            return 0
        found = self._container.read_range(self._name, self._at, length)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
