"""What the Studio API says when a thing is not there, or is there already."""

from __future__ import annotations

from studio.errors import Conflict, NotFound

UNAUTHORIZED = "AdminRequestUnauthorized"


def no_experiment(experiment_id: str) -> NotFound:
    """The workspace has no such experiment."""
    return NotFound("ExperimentNotFound", f"the workspace has no experiment {experiment_id}", experiment_id)


def no_activity(activity_id: str) -> NotFound:
    """Nothing was published under that id."""
    return NotFound("ActivityNotFound", f"there is no publishing {activity_id}", activity_id)


def already_published(name: str) -> Conflict:
    """Publishing again has to be asked for."""
    return Conflict(
        "WebServiceAlreadyExists",
        f"experiment '{name}' is published already; say updateExistingWebService=true to publish it again",
        name,
    )
