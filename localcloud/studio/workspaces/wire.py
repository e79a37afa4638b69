"""The Studio API on the wire, as far as the Python, R and PowerShell clients read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from localcloud.facilities.store import Workspace
from localcloud.works.batch.jobs import STALLED, Run
from localcloud.works.experiments import Activity, Experiment

_STATES = {STALLED: "Running"}


def workspace_json(workspace: Workspace) -> dict[str, Any]:
    """A workspace with its tokens."""
    return {
        "WorkspaceId": workspace.id,
        "FriendlyName": workspace.name,
        "Description": "",
        "WorkspaceState": "Enabled",
        "CreatedTime": date(workspace.created),
        "AuthorizationToken": {
            "PrimaryToken": workspace.primary_token,
            "SecondaryToken": workspace.secondary_token,
        },
    }


def experiment_json(experiment: Experiment, run: Run | None) -> dict[str, Any]:
    """An experiment, and its last run: its web service's last job.

    Without one, a training experiment is a draft; a predictive one was run on an example when it was saved.
    """
    if run is not None:
        code, began, ended = _STATES.get(run.state, run.state), run.created, run.finished
    elif experiment.resources:
        code, began, ended = "Finished", experiment.modified, experiment.modified
    else:
        code, began, ended = "InDraft", None, None
    return {
        "ExperimentId": experiment.id,
        "Description": experiment.description,
        "Status": {
            "StatusCode": code,
            "StatusDetail": run.details if run else None,
            "CreationTime": date(experiment.created),
            "StartTime": began and date(began),
            "EndTime": ended and date(ended),
            "Metadata": None,
        },
        "Etag": experiment.package,
        "Creator": "",
        "Category": "user",
        "Summary": "",
        "ParentExperimentId": None,
        "IsLeaf": True,
        "IsArchived": False,
        "JobId": run.id if run else None,
        "VersionId": None,
        "RunId": run.id if run else None,
    }


def activity_json(activity: Activity, status: str) -> dict[str, Any]:
    """A publishing: Pending, then Completed."""
    return {
        "ActivityId": activity.id,
        "WebServiceGroupId": activity.service_id,
        "EndpointId": activity.endpoint_id,
        "Status": status,
    }


def date(iso: str) -> str:
    """A time as .NET's old JSON writer has it."""
    return f"/Date({int(datetime.fromisoformat(iso).timestamp() * 1000)})/"
