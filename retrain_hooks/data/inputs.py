"""What a data version takes, and what others are given of it."""

from __future__ import annotations

from dataclasses import dataclass

from clients.errors import ConfigurationError
from retrain_hooks.data.contents import FORMAT_2
from retrain_hooks.host.inputs import Inputs, prop

PLACEHOLDER = "{version}"


def _path(path: str) -> None:
    if path.count(PLACEHOLDER) != 1:
        raise ConfigurationError(
            f"{path!r} does not hold {PLACEHOLDER} once", "write it like sales/{version}.csv"
        )


def judge_version(version: str, name: str = "") -> None:
    """Raise ConfigurationError where that is no data version; *name* is what it is called."""
    if not version.strip():
        raise ConfigurationError(
            f"{name}: the text is empty".removeprefix(": "),
            "write one, such as 2013-02, or latest, or a window 2013-01..2013-03",
        )


def is_former(digest: str) -> bool:
    """Whether a digest is of FORMAT 1."""
    return not digest.startswith(FORMAT_2)


@dataclass(frozen=True)
class DataReference(Inputs):
    """What is trained from, or judged with: a data version's blobs as a preview found them."""

    container: str = prop("the container that the blobs are in")
    version: str = prop("the data version as it was asked for")
    digest: str = prop("what identifies the blobs' names and bytes")
    blobs: tuple[str, ...] = prop("the names of the blobs, in their order")

    @property
    def former(self) -> bool:
        """Whether the digest is of FORMAT 1, which states of earlier releases keep."""
        return is_former(self.digest)


@dataclass(frozen=True)
class DataVersionInputs(Inputs):
    """The blobs of *version* at *path* in a container."""

    target: str = prop("where services and blobs are")
    path: str = prop(
        "where the versions are: sales/{version}.csv, a folder sales/{version}/ or a pattern "
        "sales/{version}/*.csv",
        judge=_path,
        called="dataPath",
    )
    version: str = prop(
        "a literal such as 2013-02, latest, or a window 2013-01..2013-03", judge=judge_version
    )
    container: str = prop("the container, where it is not the target's data container", default="")
    versions: tuple[str, ...] = prop("the versions that it resolves to", default=(), output=True)
    blobs: tuple[str, ...] = prop("the names of the blobs, in their order", default=(), output=True)
    bytes: int = prop("the size of the blobs", default=0, unit="bytes", output=True)
    digest: str = prop("what identifies the blobs' names and bytes", default="", output=True)
    etags: tuple[str, ...] = prop("the ETag of each blob", default=(), output=True)
    unverified: tuple[str, ...] = prop(
        "blobs that were stored anew under an unchanged Content-MD5, and are read by the update",
        default=(),
        output=True,
    )

    @property
    def etag_by_name(self) -> dict[str, str]:
        """The ETags that the blobs had; empty in states of earlier releases."""
        return dict(zip(self.blobs, self.etags, strict=False))

    def keeps(self, wanted: DataVersionInputs, names: tuple[str, ...]) -> bool:
        """Whether this is the state of an earlier release, and *wanted* the same version of the same blobs *names*."""
        asked = (self.target, self.path, self.version) == (wanted.target, wanted.path, wanted.version)
        return asked and self.blobs == names and is_former(self.digest)
