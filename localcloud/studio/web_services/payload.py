"""Definitions that are too large to be answered inline: their large part is a blob of the service's account.

Source: arm-webservices types (`payloadsInBlobStorage`, `payloadsLocation`; STUDIO notes 4.2). The blob's form is ours.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from localcloud.blobs.locations import Location
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import BadArgument
from localcloud.studio.web_services.requests import is_large
from localcloud.studio.web_services.shown import LARGE, shown_asset

_CONTAINER = "mlwebservices"


def place(cloud: Cloud, document: Mapping[str, Any]) -> str | None:
    """Where the large part of a definition goes: another place for another content. None for a small one."""
    if not is_large(document["properties"]):
        return None
    digest = hashlib.sha256(_content(document)).hexdigest()
    return f"{cloud.blob}/{_CONTAINER}/{document['guid']}/{digest}.json"


def keep(cloud: Cloud, document: Mapping[str, Any]) -> None:
    """Write it there, with the key of the service's account. Raises BadArgument where that cannot be."""
    from azure.core.exceptions import AzureError, ResourceExistsError
    from azure.storage.blob import ContainerClient

    key = document["properties"]["storageAccount"]["key"]
    base = f"{cloud.blob}/"
    location = Location(base, str(document["payload"]).removeprefix(base), cloud.account, key)
    credential = {"account_name": cloud.account, "account_key": key}
    try:
        with ContainerClient(cloud.blob, _CONTAINER, credential=credential, retry_total=0) as container:
            with contextlib.suppress(ResourceExistsError):
                container.create_container()
            with location.client() as client:
                client.upload_blob(_content(document), overwrite=True)
    except (AzureError, ValueError) as error:
        message = f"the definition cannot be written to the storage account: {type(error).__name__}"
        raise BadArgument("InvalidBlobConnectionString", message, "properties.storageAccount") from None


def _content(document: Mapping[str, Any]) -> bytes:
    properties = document["properties"]
    large = {name: properties[name] for name in LARGE if name in properties}
    if isinstance(large.get("assets"), Mapping):
        large["assets"] = {key: shown_asset(asset) for key, asset in large["assets"].items()}
    return json.dumps(large).encode()
