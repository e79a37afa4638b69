"""Web services that are there already, as people write them: by resource id, by URL, or by Studio's id.

::

    classic service     https://…/workspaces/<32 hex>/webservices/<32 hex>, or its 32-hex id
    classic endpoint    …/webservices/<32 hex>/endpoints/<name>, or its name
    New service         /subscriptions/…/providers/Microsoft.MachineLearning/webServices/<name>, with a host or without
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clients.errors import ConfigurationError
from clients.protocols import CLASSIC, DEFAULT_ENDPOINT, NEW

_HOST = r"(?:https?://[^/]+)?/*"
_END = r"/*(?:\?.*)?"
_CLASSIC = re.compile(
    rf"{_HOST}(?:apihelp/)?workspaces/(?P<workspace>[0-9a-f]{{32}})/webservices/(?P<id>[0-9a-f]{{32}})"
    rf"(?:/endpoints(?:/(?P<endpoint>[^/?]+))?)?{_END}",
    re.IGNORECASE,
)
_NEW = re.compile(
    r"(?:https?://[^/]+)?(?P<id>/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearning"
    rf"/webServices/[^/?]+){_END}",
    re.IGNORECASE,
)
_STUDIO_ID = re.compile(r"[0-9a-fA-F]{32}")
_ENDPOINT = re.compile(r"[^/?\s]+")
_WORKSPACE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"(?:/providers/(?P<provider>Microsoft\.MachineLearning(?:Services)?)/workspaces/(?P<name>[^/]+))?",
    re.IGNORECASE,
)
_PROVIDERS = {
    name.casefold(): name for name in ("Microsoft.MachineLearning", "Microsoft.MachineLearningServices")
}


@dataclass(frozen=True)
class ExistingService:
    """A web service: its *kind* and *id*; *workspace* (32 hex) and *endpoint* where the text says them."""

    kind: str
    id: str
    workspace: str = ""
    endpoint: str = ""

    @classmethod
    def parse(cls, text: str) -> ExistingService:
        """Read one. Raises ConfigurationError saying how one is written."""
        text = text.strip()
        if _STUDIO_ID.fullmatch(text):
            return cls(CLASSIC, text.lower())
        if found := _CLASSIC.fullmatch(text):
            return cls(CLASSIC, found["id"].lower(), found["workspace"].lower(), found["endpoint"] or "")
        if found := _NEW.fullmatch(text):
            return cls(NEW, found["id"])
        raise ConfigurationError(
            f"{text!r} does not name a web service",
            "give a New service's resource id, a classic one's management URL "
            "(…/workspaces/ID/webservices/ID) or its id of 32 hex digits; ./dev adopt lists them",
        )


def endpoint_name(text: str, service: str | None) -> str:
    """The name of the endpoint *text* of the web service *service*, where that is known already (as it was written).

    Of a New service that is ``default`` for the service itself, and ``staging`` for ``<service>-staging``. Raises
    ConfigurationError for anything else.
    """
    text = text.strip()
    if "/" not in text and _ENDPOINT.fullmatch(text) and not _STUDIO_ID.fullmatch(text):
        return text
    found, owner = ExistingService.parse(text), ExistingService.parse(service) if service else None
    if found.kind == CLASSIC and found.endpoint and (owner is None or owner.id == found.id):
        return found.endpoint
    if found.kind == NEW and owner is not None and owner.kind == NEW:
        if found.id.casefold() == owner.id.casefold():
            return DEFAULT_ENDPOINT
        if found.id.casefold().startswith(f"{owner.id}-".casefold()):
            return found.id[len(owner.id) + 1 :]
    raise ConfigurationError(
        f"{text!r} is not an endpoint of the predictive web service",
        "give …/webservices/ID/endpoints/NAME or the name of a classic endpoint, or the resource id of the New service",
    )


@dataclass(frozen=True)
class ExistingWorkspace:
    """A workspace, or a resource group that stands for one: its ARM *id*, and the *group*'s, in one spelling."""

    id: str
    group: str

    @classmethod
    def parse(cls, text: str) -> ExistingWorkspace:
        """Read one; Resource Manager ignores the case of ids. Raises ConfigurationError saying how one is written."""
        found = _WORKSPACE.fullmatch(text.strip().rstrip("/"))
        if found is None:
            raise ConfigurationError(
                f"{text!r} is not a workspace",
                "give a resource id, "
                "/subscriptions/…/resourceGroups/…/providers/Microsoft.MachineLearning/workspaces/NAME",
            )
        group = f"/subscriptions/{found['subscription']}/resourceGroups/{found['group']}"
        name = found["name"]
        provider = _PROVIDERS.get(str(found["provider"]).casefold())
        return cls(f"{group}/providers/{provider}/workspaces/{name}" if name else group, group)
