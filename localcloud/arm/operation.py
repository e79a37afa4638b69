"""An ARM operation: method, path template, and what answers it; and the call and answer it deals in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from localcloud.arm.errors import ArmError, invalid_content, location_required, unknown_version
from localcloud.arm.state import GROUP_TYPE, ArmState, Document
from localcloud.facilities.regions import normal, regions_of
from localcloud.facilities.store import now


@dataclass(frozen=True, slots=True)
class Call:
    """One request, after the gateway let it in. `body` is None where there were no bytes.

    `client_id` is who calls: empty for the bearer of a static token that has no principal of its own.
    """

    state: ArmState
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    base_url: str
    request: Request
    created_by: str | None = None
    client_id: str = ""

    def document(self) -> Document:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise invalid_content("a JSON object is expected")
        return self.body


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body (None: no body) and headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """Answers `method` on paths of a template such as `/subscriptions/{subscription}/resourceGroups/{group}`.

    `versions` are the api-versions in which it does; none: in any. What has to wait, for blobs say, is a coroutine.
    """

    method: str
    path: str
    handle: Callable[[Call], Answer | Awaitable[Answer]]
    versions: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        """What it does, in one line."""
        return (inspect.getdoc(self.handle) or "").partition("\n")[0]

    def answer(self, call: Call) -> Answer | Awaitable[Answer]:
        """What it answers to a call. Raises ArmError and ApiError."""
        if self.versions and call.query["api-version"].lower() not in self.versions:
            raise unknown_version(self.path, call.query["api-version"], self.versions)
        return self.handle(call)

    def pattern(self) -> re.Pattern[str]:
        """The template as a pattern: segments in any case, a parameter is one segment."""
        parts = re.split(r"({\w+})", self.path)
        body = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in parts
        )
        return re.compile(f"{body}/?", re.IGNORECASE)


def text(holder: Mapping[str, Any], name: str, target: str | None = None) -> str | None:
    """A member that is a string or absent; raises InvalidRequestContent for anything else."""
    value = holder.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_content(f"'{target or name}' is not a string", target or name)
    return value


def section(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A member that is an object, or absent (then empty)."""
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_content(f"'{name}' is not an object", name)
    return dict(value)


def tags_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a body: at most 50, names to strings."""
    tags = section(document, "tags")
    for name, value in tags.items():
        if not isinstance(value, str):
            raise invalid_content(f"the tag '{name}' is not a string", "tags")
    if len(tags) > 50:
        message = f"A resource can have at most 50 tags; this has {len(tags)}."
        raise ArmError(400, "TagsLimitExceeded", message, target="tags")
    return tags


def location_of(document: Mapping[str, Any]) -> str:
    """The location of a body as ARM normalises it (`West Europe` is `westeurope`); raises LocationRequired."""
    location = text(document, "location")
    if not location or not location.strip():
        raise location_required()
    return normal(location)


def check_available(kind: str, location: str) -> None:
    """Raise ArmError where a resource of this type cannot be made there."""
    available = [normal(name) for name in regions_of(kind)]
    if location not in available:
        group = kind == GROUP_TYPE
        about = "resource group" if group else f"resource type '{kind}'"
        message = (
            f"The provided location '{location}' is not available for {about}. List of available regions for the"
            f" {'resource group' if group else 'resource type'} is '{','.join(available)}'."
        )
        code = f"LocationNotAvailableForResource{'Group' if group else 'Type'}"
        raise ArmError(400, code, message, target="location", gateway=True)


def created_by(call: Call) -> dict[str, str]:
    """ARM's `systemData` of a resource that this call creates."""
    return {
        "createdBy": call.created_by or call.client_id or "local",
        "createdByType": "Application",
        "createdAt": now(),
    }
