"""A data version as a resource."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import Resource

from retrain_hooks.providers import DataVersionProvider


class DataVersion(Resource, module="retrain", name="DataVersion"):
    """The blob of *version* at *path* (with ``{version}``) in the target's data container, known by its content.

    Outputs: ``digest`` (64 hex, known in a preview), ``blobs`` (names), ``bytes``.
    """

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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {"target": target, "path": path, "version": version}
        outputs = {"digest": None, "blobs": None, "bytes": None, "container": None}
        super().__init__(DataVersionProvider(), name, props | outputs, opts)
