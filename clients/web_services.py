"""The web services that a reference is to: classic ones, New ones, or those of Azure ML v2.

A reference is what resources pass to each other: ``{"id", "kind", "workspace": {"resource": ARM id, "id": 32 hex}}``,
for New ones also ``plan``, the commitment plan's id, and ``regions`` where else they are published. A New service's id
is its ARM id, and so is that of Azure ML v2 (a code container's). ``input`` names the input of one that was not published here, where that is not ``input1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.azureml.services import AzureMlServices
from clients.clock import Clock
from clients.credentials import Target
from clients.protocols import AZUREML, CLASSIC, NEW, Services
from clients.studio_classic.services import ClassicServices
from clients.studio_new.services import NewServices

_AZUREML = "/providers/microsoft.machinelearningservices/"


def kind_of(service: Mapping[str, Any]) -> str:
    """Which kind of web service a reference is to.

    The references in states of 91e2b28, and markers, do not say it: there the id tells.
    """
    id_ = str(service.get("id", ""))
    found = CLASSIC if not id_.startswith("/") else AZUREML if _AZUREML in id_.casefold() else NEW
    return str(service.get("kind") or found)


def web_services(target: Target, service: Mapping[str, Any], clock: Clock) -> Services:
    """All services of *service*'s kind in its workspace."""
    workspace, input_name = service["workspace"], str(service.get("input") or "input1")
    if kind_of(service) == AZUREML:
        return AzureMlServices(target, workspace["resource"], clock)
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
