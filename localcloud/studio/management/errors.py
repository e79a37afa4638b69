"""What the management API says when a thing is not there or the key is not right."""

from __future__ import annotations

from localcloud.facilities.errors import NotFound, Refusal

UNAUTHORIZED = "ManagementRequestUnauthorized"

no_workspace = Refusal(NotFound, "WorkspaceNotFound", "there is no workspace {}")
no_service = Refusal(NotFound, "WebServiceIdNotFoundInWorkspace", "the workspace has no web service {}")
no_endpoint = Refusal(NotFound, "WebServiceNotFound", "the web service has no endpoint '{}'")
