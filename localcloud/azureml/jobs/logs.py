"""A job's log as a blob that grows: what its command says is appended as it comes, a part at a time."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from localcloud.azureml.assets.blobs import Place, container_client, make_container
from localcloud.facilities.cloud import Cloud

NAME = "user_logs/std_log.txt"
_PART = 4 * 1024 * 1024  # the most that one append takes
_PARTS = 16  # before others have their turn
_TAIL = 4096
_LINE = 300


class LogBlob:
    """The blob of one job's log. It is asked how long it is, so that nothing has to be remembered of it."""

    def __init__(self, cloud: Cloud, place: Place, log: Path) -> None:
        self._cloud = cloud
        self._place = place
        self._log = log
        self._length: int | None = None

    def begin(self) -> None:
        """Begin it, anew where an earlier try of the job had begun. Raises what the blob store's client raises."""
        make_container(self._cloud, self._place.container)
        with container_client(self._cloud, self._place.container) as container:
            container.get_blob_client(self._place.path).create_append_blob()
        self._length = 0

    def catch_up(self) -> bool:
        """Append what is new; whether there is more. Raises what the blob store's client raises."""
        if not self._log.exists() or self._log.stat().st_size == self._length:
            return False
        with container_client(self._cloud, self._place.container) as container:
            blob = container.get_blob_client(self._place.path)
            if self._length is None:
                self._length = int(blob.get_blob_properties().size)
            try:
                with self._log.open("rb") as file:
                    file.seek(self._length)
                    return self._append(blob, file)
            except Exception:
                self._length = None  # what of it was written is to be asked
                raise

    def _append(self, blob: object, file: IO[bytes]) -> bool:
        from azure.storage.blob import BlobClient

        assert isinstance(blob, BlobClient)
        assert self._length is not None
        for _ in range(_PARTS):
            part = file.read(_PART)
            if not part:
                return False
            # Only where it was: a part whose answer was lost is not appended twice.
            blob.append_block(part, length=len(part), appendpos_condition=self._length)
            self._length += len(part)
        return True


def last_lines(log: Path) -> str:
    """The end of a log, in one line; of a long line its beginning."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return " | ".join(line.strip()[:_LINE] for line in lines[-5:] if line.strip())
