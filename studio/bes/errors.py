"""What batch execution says besides the errors that all APIs share."""

from __future__ import annotations

from collections.abc import Iterable

from studio.errors import BadArgument, InvalidOperation, NotFound


def no_job(job_id: str) -> NotFound:
    """There is no such job, or it was deleted."""
    return NotFound("JobNotFound", f"there is no job {job_id} at this endpoint", job_id)


def cannot_start(job_id: str, state: str) -> InvalidOperation:
    """A job is started once."""
    return InvalidOperation("CannotStartJob", f"job {job_id} was started before; it is {state}", job_id)


def wrong_extension(target: str, name: str, allowed: Iterable[str]) -> BadArgument:
    """The blob's name does not end as it must; the message lists how it may."""
    listed = ", ".join(allowed)
    return BadArgument(
        "InvalidBlobExtension",
        f"{target}: the blob '{name}' must have one of these extensions: {listed}",
        target,
    )
