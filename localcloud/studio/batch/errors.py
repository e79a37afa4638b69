"""What batch execution says besides the errors that all APIs share."""

from __future__ import annotations

from collections.abc import Iterable

from localcloud.facilities.errors import BadArgument, InvalidOperation, NotFound, Refusal

no_job = Refusal(NotFound, "JobNotFound", "there is no job {} at this endpoint")
cannot_start = Refusal(InvalidOperation, "CannotStartJob", "job {} was started before; it is {}")


def wrong_extension(target: str, name: str, allowed: Iterable[str]) -> BadArgument:
    """The blob's name does not end as it must; the message lists how it may."""
    listed = ", ".join(allowed)
    return BadArgument(
        "InvalidBlobExtension",
        f"{target}: the blob '{name}' must have one of these extensions: {listed}",
        target,
    )
