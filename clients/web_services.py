"""The web services that a reference is to: classic ones, or New ones.

A reference is what resources pass to each other: ``{"id", "kind", "workspace": {"resource": ARM id, "id": 32 hex}}``,
for New ones also ``plan``, the commitment plan's id, and ``regions`` where else they are published. A New service's id
is its ARM id. ``input`` names the input of one that was not published here, where that is not ``input1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.clock import Clock
from clients.credentials import Target
from clients.protocols import CLASSIC, NEW, Services
from clients.studio_classic.services import ClassicServices
from clients.studio_new.services import NewServices


def kind_of(service: Mapping[str, Any]) -> str:
    """Which kind of web service a reference is to.

    The references in states of 91e2b28, and markers, do not say it: there the id tells.
    """
    return str(service.get("kind") or (NEW if str(service.get("id", "")).startswith("/") else CLASSIC))


def web_services(target: Target, service: Mapping[str, Any], clock: Clock) -> Services:
    """All services of *service*'s kind in its workspace."""
    workspace, input_name = service["workspace"], str(service.get("input") or "input1")
    if kind_of(service) == NEW:
        return NewServices(
            target,
            _place(service),
            clock,
            plan=service.get("plan"),
            regions=service.get("regions") or (),
            input_name=input_name,
        )
    workspace_id = workspace.get("id") or target.workspace_id(workspace["resource"])
    return ClassicServices(target, workspace["resource"], workspace_id, clock, input_name=input_name)


def _place(service: Mapping[str, Any]) -> Mapping[str, str]:
    """Where New web services are looked for: in the resource group of the one that is known, if any is."""
    workspace: Mapping[str, str] = service["workspace"]
    group = str(service.get("id") or "").partition("/providers/")[0]
    inside = workspace["resource"].casefold().startswith(f"{group}/".casefold())
    return workspace if not group or inside else {"resource": group, "id": ""}
