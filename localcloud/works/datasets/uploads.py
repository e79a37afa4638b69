"""What clients upload: blocks in files, in any order and each again if need be, until a dataset is made of them.

A block is there whole or not at all, so that a server that was killed goes on where it was. Nobody comes back for
uploads of a day ago.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from localcloud.facilities.store import Store, now

LARGEST = 2 * 1024**3  # bytes of one block; the published clients send 2 MiB, or all at once
MOST_BLOCKS = 50_000  # as many as a blob has
MOST = 1000
_KEPT = timedelta(days=1)


class TooManyBytes(Exception):
    """A block is larger than is taken."""


@dataclass(frozen=True)
class Upload:
    """One upload; `blocks` is how many it will have, None before the first."""

    id: str
    workspace_id: str
    data_type: str
    blocks: int | None
    created: str


class Uploads:
    """Uploads below `directory`, a folder each."""

    def __init__(self, store: Store, directory: Path, most: int = MOST) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._store = store
        self._directory = directory
        self._most = most

    def begin(self, workspace_id: str, data_type: str) -> Upload:
        """A new upload; of more than are kept the oldest goes."""
        upload = Upload(uuid4().hex, workspace_id, data_type, None, now())
        self._store.insert("uploads", **vars(upload))
        for row in self._store.rows(
            "SELECT id FROM uploads ORDER BY rowid DESC LIMIT -1 OFFSET ?", self._most
        ):
            self.forget(row["id"])
        return upload

    def get(self, workspace_id: str, upload_id: str) -> Upload | None:
        """An upload that goes on."""
        row = self._store.row("SELECT * FROM uploads WHERE workspace_id=? AND id=?", workspace_id, upload_id)
        return None if row is None else Upload(**dict(row))

    def expect(self, upload: Upload, blocks: int) -> None:
        """Remember of how many blocks it is made."""
        self._store.update("uploads", upload.id, blocks=blocks)

    async def keep(self, upload: Upload, number: int, content: AsyncIterator[bytes]) -> int:
        """Keep a block, or keep it anew; its bytes. Raises `TooManyBytes`."""
        folder = self._directory / upload.id
        folder.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix="incoming-")
        part, size = Path(name), 0
        try:
            with os.fdopen(handle, "wb") as file:
                async for piece in content:
                    size += len(piece)
                    if size > LARGEST:
                        raise TooManyBytes
                    file.write(piece)
            if size:
                part.replace(self._block(upload, number))
        finally:
            part.unlink(missing_ok=True)
        return size

    def missing(self, upload: Upload) -> list[int]:
        """The numbers of the blocks that have not come."""
        return [n for n in range(upload.blocks or 0) if not self._block(upload, n).exists()]

    def join(self, upload: Upload) -> Path:
        """All its blocks in one file."""
        whole = self._directory / upload.id / "whole"
        with whole.open("wb") as file:
            for number in range(upload.blocks or 0):
                with self._block(upload, number).open("rb") as block:
                    shutil.copyfileobj(block, file)
        return whole

    def forget(self, upload_id: str) -> None:
        """Delete an upload."""
        self._store.change("DELETE FROM uploads WHERE id=?", upload_id)
        shutil.rmtree(self._directory / upload_id, ignore_errors=True)

    def forget_old(self) -> None:
        """Delete those of a day ago, and what is left of those that went with their workspace."""
        latest = (datetime.now(UTC) - _KEPT).isoformat()
        for row in self._store.rows("SELECT id FROM uploads WHERE created < ?", latest):
            self.forget(row["id"])
        known = {row["id"] for row in self._store.rows("SELECT id FROM uploads")}
        for folder in self._directory.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def _block(self, upload: Upload, number: int) -> Path:
        return self._directory / upload.id / f"{number}.block"
