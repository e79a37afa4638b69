"""Small blobs that this process has read to know what they are, until they are read for what is in them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

_MOST_BYTES = 32 * 2**20
_SMALL = 2**20

Key = tuple[str, str]


class Parts:
    """Contents of blobs by address and ETag, no more than 32 MB; each is given once. Shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Key, bytes] = {}
        self._bytes = 0

    def keeping(self, key: Key, size: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The same *chunks*, which are kept when all were read, where there is room."""
        if size > _SMALL:
            yield from chunks
            return
        content = b"".join(chunks)
        with self._lock:
            if key not in self._kept and self._bytes + len(content) <= _MOST_BYTES:
                self._kept[key] = content
                self._bytes += len(content)
        yield content

    def take(self, key: Key) -> bytes | None:
        """What is kept of a blob, which is not kept any more; None where nothing is."""
        with self._lock:
            found = self._kept.pop(key, None)
            self._bytes -= len(found or b"")
            return found
