"""What the resource provider of New web services refuses, in the envelope that Resource Manager hands on.

The message of the envelope is general, its first detail says what is the matter: so the recorded refusals are.
"""

from __future__ import annotations

from localcloud.facilities.errors import ApiError, Conflict, InvalidOperation, NotFound, Refusal


class BadRequest(ApiError, status=400, summary="The request is invalid."):
    """The definition cannot be taken as it is."""


class PreconditionFailed(ApiError, status=412, summary="The condition of the request is not met."):
    """Somebody else was faster."""


def missing(what: str, code: str = "IncompleteSettings") -> BadRequest:
    """A member that a definition needs."""
    return BadRequest(code, f"The property '{what}' is required.", what)


def wrong(what: str, must: str, code: str = "BadParameterValue") -> BadRequest:
    """A member that is not what it must be."""
    return BadRequest(code, f"The property '{what}' {must}.", what)


no_web_service = Refusal(NotFound, "WebServiceNotFound", "The web service '{}' was not found.")
no_region = Refusal(
    NotFound,
    "PerRegionPayloadNotFound",
    "The web service '{}' has no payload for the region '{}': call CreateRegionalBlob.",
)
account_changed = Refusal(
    BadRequest,
    "CannotChangeStorageAccount",
    "The StorageAccount cannot be changed. Currently configured storage account name = '{}'."
    " Leave storageAccount out, or send that name.",
    "properties.storageAccount",
)
plan_changed = Refusal(
    BadRequest,
    "CannotChangeCommitmentPlan",
    "The CommitmentPlan cannot be changed. Move the plan's commitment association instead.",
    "properties.commitmentPlan",
)
no_plan = Refusal(
    BadRequest,
    "CommitmentPlanNotFound",
    "The commitment plan '{}' was not found. Create it, or name another.",
    "properties.commitmentPlan",
)
plan_elsewhere = Refusal(
    BadRequest,
    "CommitmentPlanInOtherRegion",
    "The commitment plan '{}' is in {}, the web service is to be in {}: name a plan of the same region.",
    "properties.commitmentPlan",
)
read_only = Refusal(
    InvalidOperation,
    "WebServiceIsReadOnly",
    "The web service is read-only: it can be removed, and neither updated nor patched.",
    "properties.readOnly",
)
in_progress = Refusal(
    Conflict,
    "OperationInProgress",
    "An operation on the web service '{}' is in progress ({}): wait for its end.",
)
changed_meanwhile = Refusal(
    PreconditionFailed,
    "ConditionNotMet",
    "The web service '{}' was changed by somebody else: get it again.",
    "If-Match",
)
