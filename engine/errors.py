"""What can go wrong in a run: with a provider, or with one step, which the run reports and survives."""

from __future__ import annotations

from backend.errors import StackError


class ProviderError(StackError):
    """A provider can't be started, isn't served here, or stopped during the run."""


class StepError(Exception):
    """One step failed; the message is what the user reads."""


def refused(feature: str) -> str:
    """The message for something that the real engine does and this one doesn't."""
    return (
        f"{feature}: not implemented by the embedded engine\n"
        "remedy: run it with the Pulumi CLI (--engine pulumi), or leave it out"
    )
