"""Where the model of a definition is, and what opens it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from localcloud.blobs.locations import Location, is_azures, locate_blob
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import BadArgument


def place_of(cloud: Cloud, properties: Mapping[str, Any], asset_id: str) -> Location:
    """Where an asset's content is, opened by a signature, by credentials, or by the storage account's key.

    Every account of Azure is the one local account; other addresses are read as they are. Raises `BadArgument`.
    """
    asset = properties["assets"][asset_id]
    target, uri = str(asset["name"]), str(asset["locationInfo"]["uri"])
    credentials = asset["locationInfo"].get("credentials")
    path, query = _parts(uri, target)
    ours = next((f"{base}/" for base in (cloud.blob, cloud.azurite) if uri.startswith(f"{base}/")), None)
    address = uri.partition("?")[0]
    base = ours or address[: len(address) - len(path)] + "/"
    relative = address.removeprefix(base).lstrip("/")
    if query:
        reference = {"BaseLocation": base, "RelativeLocation": relative, "SasBlobToken": f"?{query}"}
        return locate_blob(reference, cloud, target)
    blob = unquote(relative)
    if isinstance(credentials, str) and credentials:
        return locate_blob({"ConnectionString": credentials, "RelativeLocation": blob}, cloud, target)
    if not ours and not is_azures(address):
        return Location(base, relative)
    if not all(blob.partition("/")):
        message = f"{target}: the uri '{uri}' names no blob in a container"
        raise BadArgument("ContainerSegmentInvalid", message, target)
    return Location(f"{cloud.blob}/", blob, cloud.account, properties["storageAccount"]["key"])


def _parts(uri: str, target: str) -> tuple[str, str]:
    """Path and query of an address."""
    try:
        parts = urlsplit(uri)
        if parts.scheme in ("http", "https") and parts.hostname and parts.path.strip("/"):
            return parts.path, parts.query
    except ValueError:
        pass
    message = f"{target}: the uri '{uri}' is not the http or https address of a blob"
    raise BadArgument("BadParameterValue", message, target)
