"""What the Studio API says when a thing is not there, or is there already."""

from __future__ import annotations

from localcloud.facilities.errors import Conflict, NotFound, Refusal

UNAUTHORIZED = "AdminRequestUnauthorized"

no_experiment = Refusal(NotFound, "ExperimentNotFound", "the workspace has no experiment {}")
no_activity = Refusal(NotFound, "ActivityNotFound", "there is no publishing {}")
no_run = Refusal(
    NotFound, "OutputNotFound", "experiment '{}' has not been run: a finished job of its web service is one"
)
already_published = Refusal(
    Conflict,
    "WebServiceAlreadyExists",
    "experiment '{}' is published already; say updateExistingWebService=true to publish it again",
)
