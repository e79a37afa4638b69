"""A data version: an immutable, content-identified set of training blobs."""

from __future__ import annotations

import base64
import hashlib
import re

from clients.errors import ConfigurationError, DataVersionNotFound
from clients.storage import Blob, Container
from retrain_hooks.lifecycle import Context, Diff, Props, known
from retrain_hooks.run_key import digest

_PLACEHOLDER = "{version}"


class DataVersionLifecycle:
    """Resolves ``path`` with ``version`` to a blob and its content digest; owns nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``blobs``, ``bytes`` and ``digest``: one listing, no write.

        Raises DataVersionNotFound naming the versions that exist.
        """
        path, version = new["path"], new["version"]
        if not known(path, version, new["target"]):
            return new
        if path.count(_PLACEHOLDER) != 1:
            raise ConfigurationError(
                f"the data path {path!r} does not hold {_PLACEHOLDER} once",
                "write it like flights/{version}.csv",
            )
        container = self._context.data(new["target"])
        blob = self._find(container, path, version)
        md5 = blob.md5 or _md5_of_content(container, blob)
        return new | {
            "container": container.name,
            "blobs": [blob.name],
            "bytes": blob.size,
            "digest": digest([{"md5": md5, "size": blob.size}]),
        }

    def _find(self, container: Container, path: str, version: str) -> Blob:
        prefix, _, suffix = path.partition(_PLACEHOLDER)
        pattern = re.compile(re.escape(prefix) + r"([^/]+)" + re.escape(suffix))
        found = {match[1]: blob for blob in container.list(prefix) if (match := pattern.fullmatch(blob.name))}
        if version not in found:
            names = ", ".join(sorted(found)) or "none"
            raise DataVersionNotFound(
                f"there is no data version {version!r} in {container.name}/{path}; there is: {names}",
                f"set the data version to one that exists, or upload {container.name}/{path.replace(_PLACEHOLDER, version)}",
            )
        return found[version]

    def diff(self, old: Props, new: Props) -> Diff:
        """Another version, or another content, is a change; a touched blob is none."""
        return Diff(any(old.get(name) != new.get(name) for name in ("version", "digest", "blobs", "target")))

    def create(self, new: Props) -> tuple[str, Props]:
        """Nothing to make: the blobs exist before any stack."""
        return f"{new['container']}/{new['path']}", new

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded version; what the blobs hold now is found by ``check``."""
        return old, old

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Nothing to make."""
        return new

    def delete(self, id_: str, old: Props) -> None:
        """Nothing is deleted: the data lives longer than a stack."""


def _md5_of_content(container: Container, blob: Blob) -> str:
    content, _etag = container.read(blob.name)
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
