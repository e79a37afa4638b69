"""The data of one training run: what is handed to the job, and whether it stayed the same while it was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from clients.errors import ConfigurationError, Conflict, DataVersionNotFound, JobFailed
from clients.storage import Blob, BlobRef, Container
from retrain_hooks.data.contents import Contents, changed
from retrain_hooks.data.datasets import Remembered, Shelf, stored
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.host.lifecycle import Context
from tables import TableError, join, joined_as, parts

_READERS = 8


class TrainingData:
    """The blobs that a plan resolved a data version to."""

    def __init__(self, context: Context, target: str, reference: DataReference) -> None:
        self.planned = reference
        self._container = context.data(target, reference.container)
        self._shelf = Remembered(self._container, context.memory, target)
        self._registry = context.registry(target)
        self._contents = Contents(context, target, reference.container)
        self._kept = context.parts
        self._etags: dict[str, str] = {}

    def snapshot(self) -> dict[str, Any]:
        """Where the data is read from, with the ETag of each blob as it is now; its bytes are read where nobody has yet.

        Raises DataVersionNotFound where a blob is gone, ConfigurationError where the content is not what was planned.
        """
        planned, name = self.planned, self._container.name
        found = self._contents.verify(self._blobs(self._container))
        if planned.digest not in (self._contents.formers(found) if planned.former else [found.digest]):
            raise changed(planned.version)
        self._etags = {blob.name: blob.etag for blob in found.blobs}
        return {"container": name, "version": planned.version, "etags": dict(self._etags)}

    def digests(self) -> tuple[str, tuple[str, ...]]:
        """The digest of FORMAT 2 of the blobs as they are, and those that they may have in FORMAT 1. Never writes.

        Raises DataVersionNotFound where a blob is gone.
        """
        found = self._contents.look(self._blobs(self._shelf))
        return found.digest, self._contents.formers(found)

    def as_planned(self) -> bool:
        """Whether the blobs are there with the content that was planned."""
        try:
            self.snapshot()
        except ConfigurationError:
            return False
        return True

    def _blobs(self, shelf: Shelf) -> list[Blob]:
        found = stored(shelf, self.planned.blobs)
        for name in self.planned.blobs:
            if name not in found:
                raise DataVersionNotFound(
                    f"the blob {self._container.name}/{name} is gone",
                    "upload it again, or name another data version",
                )
        return list(found.values())

    def reference(self) -> BlobRef:
        """What the job reads: the blob itself, or all of a set's blobs as one table in the registry."""
        if len(self.planned.blobs) == 1:
            return self._container.readable(self.planned.blobs[0])
        name = f"datasets/{self.planned.digest}{joined_as(parts(self.planned.blobs))}"
        if self._registry.stat(name) is None:
            with suppress(Conflict):  # somebody else joined the same content
                self._registry.write(name, self._joined(), etag=None)
        return self._registry.readable(name)

    def _joined(self) -> bytes:
        """All blobs one after the other, under the one header they share."""
        try:
            return join(self._parts())
        except TableError as error:
            raise ConfigurationError(error.cause, error.remedy) from None

    def _parts(self) -> Iterator[tuple[str, bytes]]:
        """Each part with its content, in their order: some are read while others are joined, never all at once."""
        names = parts(self.planned.blobs)
        with ThreadPoolExecutor(_READERS, "parts") as readers:
            for first in range(0, len(names), _READERS):
                some = names[first : first + _READERS]
                yield from zip(some, readers.map(self._content, some), strict=True)

    def _content(self, name: str) -> bytes:
        """What was verified, where it is at hand; ``unchanged`` sees later whether it was the same all the time."""
        kept = self._kept.take((self._container.url(name), self._etags.get(name, "")))
        return self._container.read(name)[0] if kept is None else kept


class DataChanged(JobFailed):
    """A blob is not the one that the job was given."""


def unchanged(container: Container, etags: Mapping[str, str]) -> None:
    """Raise DataChanged where a blob was stored anew since the job was submitted, be it with the same content."""
    there = stored(container, etags)
    for name, etag in etags.items():
        if name not in there or there[name].etag != etag:
            raise DataChanged(
                f"{container.name}/{name} was changed while a model was trained from it",
                "data versions don't change: upload new data under a new name; what was bound still serves",
            )
