"""The Studio API on the wire, as far as the Python, R and PowerShell clients read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from localcloud.facilities.store import Workspace
from localcloud.works.experiments import Activity, Experiment


def workspace_json(workspace: Workspace) -> dict[str, Any]:
    """A workspace with its tokens."""
    return {
        "WorkspaceId": workspace.id,
        "FriendlyName": workspace.name,
        "Description": "",
        "WorkspaceState": "Enabled",
        "CreatedTime": _date(workspace.created),
        "AuthorizationToken": {
            "PrimaryToken": workspace.primary_token,
            "SecondaryToken": workspace.secondary_token,
        },
    }


def experiment_json(experiment: Experiment) -> dict[str, Any]:
    """An experiment. Every saved one is Finished: it runs when its web service is called."""
    return {
        "ExperimentId": experiment.id,
        "Description": experiment.description,
        "Status": {
            "StatusCode": "Finished",
            "StatusDetail": None,
            "CreationTime": _date(experiment.created),
            "EndTime": _date(experiment.modified),
        },
        "Etag": experiment.package,
        "Creator": "",
        "IsArchived": False,
        "JobId": None,
        "VersionId": None,
        "RunId": None,
    }


def activity_json(activity: Activity, status: str) -> dict[str, Any]:
    """A publishing: Pending, then Completed."""
    return {
        "ActivityId": activity.id,
        "WebServiceGroupId": activity.service_id,
        "EndpointId": activity.endpoint_id,
        "Status": status,
    }


def _date(iso: str) -> str:
    """A time as .NET's old JSON writer has it."""
    return f"/Date({int(datetime.fromisoformat(iso).timestamp() * 1000)})/"
