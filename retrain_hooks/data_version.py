"""A data version: an immutable, content-identified set of training blobs."""

from __future__ import annotations

from clients.storage import Container
from retrain_hooks.datasets import ContentHashes, resolve
from retrain_hooks.lifecycle import Context, Diff, Props, known


class DataVersionLifecycle:
    """Resolves ``path`` with ``version`` to blobs and a content digest; owns nothing.

    Inputs: ``target``, ``path``, ``version``, and ``container`` where it is not the target's data container.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``versions``, ``blobs``, ``bytes`` and ``digest``: one listing, no write.

        Raises DataVersionNotFound naming the versions that exist.
        """
        if not known(new["path"], new["version"], new["target"]):
            return new
        container = self._container(new)
        dataset = resolve(container, new["path"], new["version"])
        return new | {
            "container": container.name,
            "versions": list(dataset.versions),
            "blobs": [blob.name for blob in dataset.blobs],
            "bytes": dataset.bytes,
            "digest": self._hashes(new, container).digest(dataset),
        }

    def diff(self, old: Props, new: Props) -> Diff:
        """Another version, or another content, is a change; a touched blob is none."""
        names = ("version", "digest", "blobs", "container", "target")
        return Diff(any(old.get(name) != new.get(name) for name in names))

    def create(self, new: Props) -> tuple[str, Props]:
        """Nothing to make: the blobs exist before any stack. What had to be hashed is remembered."""
        return f"{new['container']}/{new['path']}", self.update("", {}, new)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Remember what had to be hashed."""
        container = self._container(new)
        dataset = resolve(container, new["path"], new["version"])
        if not all(blob.md5 for blob in dataset.blobs):
            self._context.guard.check()
            self._hashes(new, container).digest(dataset, remember=True)
        return new

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded version; what the blobs hold now is found by ``check``."""
        return old, old

    def delete(self, id_: str, old: Props) -> None:
        """Nothing is deleted: the data lives longer than a stack."""

    def _container(self, new: Props) -> Container:
        return self._context.data(new["target"], new.get("container"))

    def _hashes(self, new: Props, container: Container) -> ContentHashes:
        return ContentHashes(container, self._context.registry(new["target"]))
