"""The registry of a checkout's cloud, behind the project's back."""

from __future__ import annotations

import json
from typing import Any

from azure.storage.blob import ContainerClient

from tests.e2e.checkout import Checkout


def container(checkout: Checkout, name: str) -> ContainerClient:
    """A container of the cloud's, opened with the cloud's own key; close it after use."""
    cloud = checkout.cloud
    return ContainerClient.from_connection_string(
        f"DefaultEndpointsProtocol=http;AccountName={cloud['account']};AccountKey={cloud['accountKey']};"
        f"BlobEndpoint={cloud['blob']};",
        name,
    )


def registry(checkout: Checkout) -> ContainerClient:
    """The registry; close it after use."""
    return container(checkout, checkout.cloud["registryContainer"])


def blobs(checkout: Checkout, prefix: str) -> set[str]:
    """The names under *prefix*."""
    with registry(checkout) as place:
        return set(place.list_blob_names(name_starts_with=prefix))


def records(checkout: Checkout, prefix: str) -> dict[str, dict[str, Any]]:
    """The JSON blobs under *prefix*, by name."""
    names = blobs(checkout, prefix)
    with registry(checkout) as place:
        return {name: json.loads(place.download_blob(name).readall()) for name in names}
