"""What is kept of endpoints and deployments: a document each; what nobody is shown is its member `local`.

An endpoint's `local` has its keys; a deployment's has the guid of its files and the plan that serves it. An endpoint's
name is its own in a region, whichever workspace it is in: the address that scores is kept as a document, too.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from localcloud.azureml.assets.workspace import TYPE
from localcloud.facilities.store import Store

Document = dict[str, Any]

ENDPOINTS = f"{TYPE}/onlineEndpoints"
DEPLOYMENTS = f"{ENDPOINTS}/deployments"
LOCAL = "local"


def new_key() -> str:
    """A key in the service's form: 32 characters."""
    return secrets.token_urlsafe(24)


def deployment_id(endpoint_id: str, name: str) -> str:
    """The id of a deployment, whether or not there is one."""
    return f"{endpoint_id}/deployments/{name}"


def deployments(store: Store, endpoint_id: str) -> list[Document]:
    """The deployments of an endpoint, by name."""
    return store.arm_list(f"{endpoint_id}/deployments/")


def _address(region: str, name: str) -> str:
    return f"/inference/{region}/{name}"


def holder(store: Store, region: str, name: str) -> str | None:
    """The id of the endpoint that has a name in a region."""
    found = store.arm_get(_address(region, name))
    return None if found is None else str(found["endpoint"])


def by_address(store: Store, region: str, name: str) -> Document | None:
    """The endpoint that scores at an address."""
    found = holder(store, region, name)
    return None if found is None else store.arm_get(found)


def keep_endpoint(store: Store, document: Document) -> None:
    """Keep an endpoint, and its name in its region."""
    store.arm_put(document["id"], document)
    store.arm_put(_address(document["location"], document["name"]), {"endpoint": document["id"]})


def forget_endpoint(store: Store, document: Document) -> None:
    """Delete an endpoint's document and let go of its name."""
    store.arm_delete(_address(document["location"], document["name"]))
    store.arm_delete(document["id"])


def all_endpoints(store: Store, limit: int) -> list[Document]:
    """Endpoints of all workspaces, by their ids."""
    rows = store.rows(
        "SELECT document FROM arm WHERE key LIKE ? AND key NOT LIKE ? ORDER BY key LIMIT ?",
        f"%/providers/{ENDPOINTS.replace('/onlineEndpoints', '/%/onlineEndpoints/%')}".lower(),
        "%/deployments/%",
        limit,
    )
    return [json.loads(row["document"]) for row in rows]
