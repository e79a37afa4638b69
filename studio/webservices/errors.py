"""What the resource provider of New web services refuses, in the envelope that Resource Manager hands on.

The message of the envelope is general, its first detail says what is the matter: so the recorded refusals are.
"""

from __future__ import annotations

from studio.errors import ApiError, Conflict, InvalidOperation, NotFound


class BadRequest(ApiError):
    """The definition cannot be taken as it is."""

    status = 400
    code = "BadRequest"
    summary = "The request is invalid."


class PreconditionFailed(ApiError):
    """Somebody else was faster."""

    status = 412
    code = "PreconditionFailed"
    summary = "The condition of the request is not met."


def no_web_service(name: str) -> NotFound:
    """There is no such web service."""
    return NotFound("WebServiceNotFound", f"The web service '{name}' was not found.", name)


def no_region(name: str, region: str) -> NotFound:
    """The web service was not prepared for that region."""
    message = f"The web service '{name}' has no payload for the region '{region}': call CreateRegionalBlob."
    return NotFound("PerRegionPayloadNotFound", message, name)


def missing(what: str, code: str = "IncompleteSettings") -> BadRequest:
    """A member that a definition needs."""
    return BadRequest(code, f"The property '{what}' is required.", what)


def wrong(what: str, must: str, code: str = "BadParameterValue") -> BadRequest:
    """A member that is not what it must be."""
    return BadRequest(code, f"The property '{what}' {must}.", what)


def account_changed(name: object) -> BadRequest:
    """A web service keeps its storage account."""
    message = (
        f"The StorageAccount cannot be changed. Currently configured storage account name = '{name}'."
        " Leave storageAccount out, or send that name."
    )
    return BadRequest("CannotChangeStorageAccount", message, "properties.storageAccount")


def plan_changed() -> BadRequest:
    """A web service keeps its commitment plan."""
    message = "The CommitmentPlan cannot be changed. Move the plan's commitment association instead."
    return BadRequest("CannotChangeCommitmentPlan", message, "properties.commitmentPlan")


def no_plan(plan: str) -> BadRequest:
    """The commitment plan is not there."""
    message = f"The commitment plan '{plan}' was not found. Create it, or name another."
    return BadRequest("CommitmentPlanNotFound", message, "properties.commitmentPlan")


def read_only() -> InvalidOperation:
    """A read-only service can only be removed."""
    message = "The web service is read-only: it can be removed, and neither updated nor patched."
    return InvalidOperation("WebServiceIsReadOnly", message, "properties.readOnly")


def in_progress(name: str, operation: str) -> Conflict:
    """One operation at a time."""
    message = f"An operation on the web service '{name}' is in progress ({operation}): wait for its end."
    return Conflict("OperationInProgress", message, name)


def changed_meanwhile(name: str) -> PreconditionFailed:
    """The ETag is that of an older state."""
    message = f"The web service '{name}' was changed by somebody else: get it again."
    return PreconditionFailed("ConditionNotMet", message, "If-Match")
