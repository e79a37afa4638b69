"""References to blobs as both of Studio's APIs have them (``AzureBlobDataReference``, api-version 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.storage import BlobRef


def written(blob: BlobRef) -> dict[str, str | None]:
    """As the services take it: by connection string, the only form of an output, or by address and signature."""
    if blob.connection:
        return {"ConnectionString": blob.connection, "RelativeLocation": blob.path}
    return {
        "ConnectionString": None,
        "BaseLocation": blob.base,
        "RelativeLocation": blob.path,
        "SasBlobToken": blob.signature,
    }


def parsed(reference: Mapping[str, Any]) -> BlobRef:
    """As the services answer it: any part may be missing."""
    names = ("BaseLocation", "RelativeLocation", "SasBlobToken", "ConnectionString")
    return BlobRef(*(str(reference.get(name) or "") for name in names))
