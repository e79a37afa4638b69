"""The data of one training run: what is handed to the job, and whether it stayed the same while it was read."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from clients.errors import ConfigurationError, Conflict, DataVersionNotFound, JobFailed
from clients.storage import Blob, BlobRef, Container
from retrain_hooks.datasets import ContentHashes, Dataset


class TrainingData:
    """The blobs *names* in *container*, which a plan resolved to content *digest*."""

    def __init__(
        self, container: Container, registry: Container, names: list[str], digest: str, version: str
    ) -> None:
        self._container = container
        self._registry = registry
        self._names = names
        self._digest = digest
        self.version = version

    def snapshot(self) -> dict[str, Any]:
        """Where the data is read from, with the ETag of each blob as it is now.

        Raises DataVersionNotFound where a blob is gone, ConfigurationError where the content is not what was planned.
        """
        blobs = [self._stat(name) for name in self._names]
        dataset = Dataset((self.version,), tuple(blobs))
        if ContentHashes(self._container, self._registry).digest(dataset) != self._digest:
            raise ConfigurationError(
                f"the data version {self.version} has changed since this update was planned",
                "run ./dev preview to see what it would train, then run the update again",
            )
        return {"container": self._container.name, "version": self.version, "etags": dataset.etags}

    def as_planned(self) -> bool:
        """Whether the blobs are there with the content that was planned."""
        try:
            self.snapshot()
        except ConfigurationError:
            return False
        return True

    def _stat(self, name: str) -> Blob:
        found = self._container.stat(name)
        if found is None:
            raise DataVersionNotFound(
                f"the blob {self._container.name}/{name} is gone",
                "upload it again, or name another data version",
            )
        return found

    def reference(self) -> BlobRef:
        """What the job reads: the blob itself, or all of a set's blobs as one table in the registry."""
        if len(self._names) == 1:
            return self._container.readable(self._names[0])
        name = f"datasets/{self._digest}.csv"
        if self._registry.stat(name) is None:
            with suppress(Conflict):  # somebody else joined the same content
                self._registry.write(name, self._joined(), etag=None)
        return self._registry.readable(name)

    def _joined(self) -> bytes:
        """All blobs one after the other, under the one header they share."""
        header, parts = b"", []
        for name in self._names:
            content, _etag = self._container.read(name)
            first, _, rest = content.partition(b"\n")
            if header and first.strip() != header.strip():
                raise ConfigurationError(
                    f"{name} has other columns than {self._names[0]}, and one model can't be trained from both",
                    "name data versions with the same columns",
                )
            header = header or first
            parts.append(rest if rest.endswith(b"\n") or not rest else rest + b"\n")
        return header + b"\n" + b"".join(parts)


class DataChanged(JobFailed):
    """A blob is not the one that the job was given."""


def unchanged(container: Container, etags: Mapping[str, str]) -> None:
    """Raise DataChanged where a blob was stored anew since the job was submitted, be it with the same content."""
    for name, etag in etags.items():
        found = container.stat(name)
        if found is None or found.etag != etag:
            raise DataChanged(
                f"{container.name}/{name} was changed while a model was trained from it",
                "data versions don't change: upload new data under a new name; what was bound still serves",
            )
