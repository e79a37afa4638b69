"""A data version: an immutable, content-identified set of training blobs."""

from __future__ import annotations

from retrain_hooks.data.contents import Contents, changed
from retrain_hooks.data.datasets import Dataset, Remembered, resolve_dataset
from retrain_hooks.data.inputs import DataVersionInputs
from retrain_hooks.host.lifecycle import Context, Diff, Props, known

_ASKED = ("target", "path", "version", "container")
_IDENTITY = ("version", "digest", "blobs", "container", "target")


class DataVersionLifecycle:
    """Resolves ``path`` with ``version`` to blobs and a content digest; owns nothing. Inputs: DataVersionInputs."""

    inputs = DataVersionInputs

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``versions``, ``blobs``, ``bytes``, ``etags`` and ``digest``: nothing is asked twice in a run, no write.

        A state of an earlier release keeps its digest of FORMAT 1 while that is the digest of these very blobs. Raises
        DataVersionNotFound naming the versions that exist, ConfigurationError for a blob whose Content-MD5 is another's.
        """
        wanted = DataVersionInputs.parse(new)
        if not known(*(new.get(name) for name in _ASKED)):
            return new
        data = self._context.data(wanted.target, wanted.container or None)
        container = data.name
        dataset = resolve_dataset(
            Remembered(data, self._context.memory, wanted.target), wanted.path, wanted.version
        )
        if dataset.note:
            self._context.progress.info(dataset.note)
        before = DataVersionInputs.parse(old, recorded=True) if old.get("digest") else None
        names = tuple(blob.name for blob in dataset.blobs)
        contents = Contents(self._context, wanted.target, container)
        found = contents.look(dataset.blobs, before.etag_by_name if before else {})
        if found.unverified:
            self._context.progress.info(
                f"{container}/{found.unverified[0]} was stored anew under an unchanged Content-MD5, on which this "
                "preview relies; the update reads it"
            )
        kept = before is not None and before.keeps(wanted, names) and before.digest in contents.formers(found)
        return new | {
            "container": container,
            "versions": list(dataset.versions),
            "blobs": list(names),
            "bytes": dataset.bytes,
            "digest": before.digest if before and kept else found.digest,
            "etags": [blob.etag for blob in dataset.blobs],
            **({"unverified": list(found.unverified)} if found.unverified else {}),
        }

    def diff(self, old: Props, new: Props) -> Diff:
        """Another version, or another content, is a change; a touched blob is none once its bytes were read."""
        changed = any(old.get(name) != new.get(name) for name in _IDENTITY)
        return Diff(changed or bool(new.get("unverified")))

    def create(self, new: Props) -> tuple[str, Props]:
        """Nothing to make: the blobs exist before any stack. Their bytes are read once, and what they are is remembered."""
        return f"{new['container']}/{new['path']}", self.update("", {}, new)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Read the bytes that nobody has read yet. Raises ConfigurationError where they are not what was planned."""
        wanted = DataVersionInputs.parse(new)
        container, dataset = self._resolve(wanted)
        contents = Contents(self._context, wanted.target, container)
        found = contents.verify(dataset.blobs)
        if wanted.digest not in (found.digest, *contents.formers(found)):
            raise changed(wanted.version)
        return {name: value for name, value in new.items() if name != "unverified"}

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded version; what the blobs hold now is found by ``check``."""
        return old, old

    def delete(self, id_: str, old: Props) -> None:
        """Nothing is deleted: the data lives longer than a stack."""

    def _resolve(self, wanted: DataVersionInputs) -> tuple[str, Dataset]:
        container = self._context.data(wanted.target, wanted.container or None)
        return container.name, resolve_dataset(container, wanted.path, wanted.version)
