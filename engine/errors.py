"""What can go wrong in the engine before, or apart from, a resource's own failure.

    EngineError
    ├── ProjectError      Pulumi.yaml, the stack file or a configuration value
    ├── LockedError       another run holds the stack
    ├── StateError        the checkpoint can't be read or written
    ├── PassphraseError   a secret has to be read and the passphrase is missing or wrong
    └── ProviderError     a provider can't be started, was refused, or stopped

`StepError` is internal: the failure of one step, which the run reports and survives.
"""

from __future__ import annotations


class EngineError(Exception):
    """A failure with a cause and a remedy, one line each.

    `str()` gives `cause\\nremedy: …`, the form in which errors reach the user.
    """

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(f"{cause}\nremedy: {remedy}" if remedy else cause)
        self.cause = cause
        self.remedy = remedy


class ProjectError(EngineError):
    """Pulumi.yaml, the stack file or a configuration value is missing or wrong."""


class LockedError(EngineError):
    """Another run holds the stack's lock."""


class StateError(EngineError):
    """The checkpoint can't be read or written."""


class PassphraseError(EngineError):
    """A secret has to be read or written and the passphrase is missing or wrong."""


class ProviderError(EngineError):
    """A provider can't be started, isn't served here, or stopped during the run."""


class StepError(Exception):
    """One step failed; the message is what the user reads."""


def refused(feature: str) -> str:
    """The message for something that the real engine does and this one doesn't."""
    return (
        f"{feature}: not implemented by the embedded engine\n"
        "remedy: run it with the Pulumi CLI (--engine pulumi), or leave it out"
    )
