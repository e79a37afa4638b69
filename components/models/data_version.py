"""A data version as a resource."""

from __future__ import annotations

from typing import Any

import pulumi

from components.shared.plain import PlainResource
from retrain_hooks.providers import DataVersionProvider


class DataVersion(PlainResource, module="retrain", name="DataVersion"):
    """The blobs of *version* at *path* in a container, known by their content.

    *path* holds ``{version}`` once: ``sales/{version}.csv``, a folder ``sales/{version}/`` or a pattern
    ``sales/{version}/*.csv``. *version* is a literal, ``latest``, or a window ``2013-01..2013-03``. *container* is the
    target's data container unless named. Outputs, known in a preview: ``digest`` (of the blobs' names and bytes),
    ``versions``, ``blobs`` (names), ``bytes``.
    """

    ignorable = ("path", "version", "container")
    container: pulumi.Output[str]
    version: pulumi.Output[str]
    digest: pulumi.Output[str]
    blobs: pulumi.Output[list[str]]
    bytes: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        *,
        target: str,
        path: pulumi.Input[str],
        version: pulumi.Input[str],
        container: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {"target": target, "path": path, "version": version, "container": container}
        outputs = dict.fromkeys(("digest", "versions", "blobs", "bytes"))
        super().__init__(DataVersionProvider(), name, props | outputs, opts)

    @property
    def reference(self) -> dict[str, pulumi.Output[Any]]:
        """What other resources take of it."""
        return {
            "container": self.container,
            "version": self.version,
            "digest": self.digest,
            "blobs": self.blobs,
        }
