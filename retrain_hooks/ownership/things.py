"""Physical things, as their services identify them."""

from __future__ import annotations

from clients.protocols import AZUREML, NEW
from retrain_hooks.host.references import ServiceRef, WorkspaceRef
from retrain_hooks.registry.owners import Thing

_PROVIDER = "providers/Microsoft.MachineLearning"
_WEB_SERVICE = "web service"
# Of a thing that a state has, and that is not there any more.
GONE = "gone"


def group_of(resource: str) -> str:
    """The ARM id of the resource group that *resource* is in."""
    return resource.partition("/providers/")[0]


def web_service(kind: str, workspace: WorkspaceRef, name: str) -> Thing:
    """The web service *name* of a workspace; a New one is in the workspace's resource group."""
    if kind == NEW:
        return Thing(_WEB_SERVICE, f"{group_of(workspace.resource)}/{_PROVIDER}/webServices/{name}")
    if kind == AZUREML:
        return Thing(_WEB_SERVICE, f"{workspace.resource}/codes/{name}")
    return Thing(_WEB_SERVICE, f"{workspace.resource}/webservices/{name}")


def experiment(workspace: WorkspaceRef, name: str) -> Thing:
    """The experiment behind a web service, kept in the workspace under the service's name."""
    return Thing("experiment", f"{workspace.resource}/experiments/{name}")


def endpoint(service: ServiceRef, name: str) -> Thing:
    """An endpoint; that of a New web service is a web service of its own."""
    if service.is_new:
        return Thing(_WEB_SERVICE, f"{service.id}-{name}")
    if service.is_azureml:
        return Thing("endpoint", f"{service.workspace.resource}/onlineEndpoints/{name}")
    return Thing("endpoint", f"{service.workspace.resource}/webservices/{service.id}/endpoints/{name}")


def commitment_plan(group: str, name: str) -> Thing:
    """A commitment plan of a resource group (ARM id)."""
    return Thing("commitment plan", f"{group}/{_PROVIDER}/commitmentPlans/{name}")
