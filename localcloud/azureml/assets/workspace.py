"""What all operations below a workspace begin with: the workspace, its path, a page of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from localcloud.arm.errors import ArmError, resource_not_found
from localcloud.arm.operation import Answer, Call
from localcloud.azureml.assets.places import NAMESPACE, Document, Workspace

TYPE = f"{NAMESPACE}/workspaces"
PATH = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{TYPE}/{{workspace}}"
_PAGE = 100


def workspace_of(call: Call) -> Workspace:
    """The workspace that a call is about. Raises ResourceNotFound."""
    name = call.path["workspace"]
    group = call.state.group(call.path["group"])
    document = call.state.get(f"{group['id']}/providers/{TYPE}/{name}")
    if document is None:
        raise resource_not_found(TYPE, name, call.path["group"])
    return Workspace(call.state.store, call.state.cloud, document)


def not_found(what: str, name: str) -> ArmError:
    """404: nothing of that name is in the workspace."""
    return ArmError(404, "UserError", f"Not found: {what} {name}.")


def refused(message: str, target: str | None = None) -> ArmError:
    """400: what was sent cannot be kept."""
    return ArmError(400, "UserError", message, target=target)


def page(call: Call, documents: Sequence[Document]) -> Answer:
    """A page of a list: `$top` documents from `$skip` on, and where the next are."""
    skip, top = _number(call, "$skip", 0), _number(call, "$top", _PAGE)
    body: Document = {"value": list(documents[skip : skip + top])}
    if len(documents) > skip + top and top:
        query = urlencode({**call.query, "$skip": skip + top})
        body["nextLink"] = f"{call.base_url}{call.request.url.path}?{query}"
    return Answer(200, body)


def listed(call: Call, document: Document) -> bool:
    """Whether a list shows a document: archived ones only where they are asked for, tags and properties as given."""
    properties = document["properties"]
    view = call.query.get("listViewType", "ActiveOnly").lower()
    archived = bool(properties.get("isArchived"))
    if view != "all" and archived != (view == "archivedonly"):
        return False
    return all(
        _has(properties.get(held) or {}, wanted)
        for held, asked in (("tags", "tags"), ("tags", "tag"), ("properties", "properties"))
        for wanted in call.query.get(asked, "").split(",")
        if wanted
    )


def _has(held: dict[str, str], wanted: str) -> bool:
    name, given, value = wanted.partition("=")
    return name in held and (not given or held[name] == value)


def _number(call: Call, name: str, default: int) -> int:
    given = call.query.get(name, "")
    if not given:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise refused(f"{name} is a number from 0 on, not '{given}'.", name)
    return int(given)


def system_data(by: Mapping[str, str], old: Document | None) -> Document:
    """Who made a resource and who changed it last, when: `by` whom it is written now."""
    # To the microsecond: what is latest must not depend on luck.
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    made = (old or {}).get("systemData") or {**by, "createdAt": at}
    return {
        **made,
        "lastModifiedBy": by["createdBy"],
        "lastModifiedByType": by["createdByType"],
        "lastModifiedAt": at,
    }
