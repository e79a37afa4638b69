"""What the management API says when a thing is not there or the key is not right."""

from __future__ import annotations

from studio.errors import Conflict, NotFound

UNAUTHORIZED = "ManagementRequestUnauthorized"


def no_workspace(workspace_id: str) -> NotFound:
    """There is no such workspace."""
    return NotFound("WorkspaceNotFound", f"there is no workspace {workspace_id}", workspace_id)


def no_service(service_id: str) -> NotFound:
    """The workspace has no such web service."""
    return NotFound(
        "WebServiceIdNotFoundInWorkspace", f"the workspace has no web service {service_id}", service_id
    )


def no_endpoint(name: str) -> NotFound:
    """The web service has no such endpoint."""
    return NotFound("WebServiceNotFound", f"the web service has no endpoint '{name}'", name)


def model_mismatch(name: str) -> Conflict:
    """A model cannot take the place of another."""
    return Conflict(
        "ModelOutputMetadataMismatch",
        f"the columns of the new model for '{name}' do not match those of the current one",
        name,
    )
