"""New web services as the local cloud keeps them: one document each, and beside it the endpoint that serves it.

A document is `{"id", "name", "type", "location", "tags", "properties"}` in camelCase, secrets included, with what is
the local cloud's own: `guid` (the service's id on the data plane), `regions` it was prepared for, and `payload`, where the
large part of its definition lies when that is over 3 MB.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from localcloud.facilities.cloud import Cloud
from localcloud.facilities.store import Store
from localcloud.works.services import Services

Document = dict[str, Any]

TYPE = "Microsoft.MachineLearning/webServices"


def owner_of(subscription: str) -> str:
    """What stands for a subscription on the data plane: its id without dashes."""
    return subscription.replace("-", "").lower()


def data_plane(document: Mapping[str, Any], cloud: Cloud, base_url: str) -> str:
    """The address of a service's data plane; `execute`, `jobs` and `swagger.json` are below it."""
    return f"{base_url}/subscriptions/{owner_of(cloud.subscription)}/services/{document['guid']}"


def etag(document: Mapping[str, Any]) -> str:
    """The ETag of a service's state: another one after each change that somebody made."""
    properties = {
        name: value for name, value in document["properties"].items() if name != "provisioningState"
    }
    text = json.dumps({**document, "properties": properties}, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def documents(store: Store, cloud: Cloud) -> list[Document]:
    """All web services of the subscription, by id."""
    prefix = f"/subscriptions/{cloud.subscription}/resourceGroups/"
    return [one for one in store.arm_list(prefix) if str(one.get("type", "")).lower() == TYPE.lower()]


def remove(store: Store, document: Mapping[str, Any]) -> None:
    """Remove a service with its endpoint and its jobs."""
    subscription = document["id"].split("/")[2]
    with store.transaction():
        Services(store).delete_service(owner_of(subscription), document["guid"])
        store.arm_delete(document["id"])
