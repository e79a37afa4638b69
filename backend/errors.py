"""Why a stack can't be opened, read, written, or run at all.

StackError
├── ProjectError      Pulumi.yaml, the stack file or a configuration value
├── LockedError       another run holds the stack
├── StateError        the checkpoint can't be read or written
├── PassphraseError   a secret has to be read and the passphrase is missing or wrong
└── ProviderError     (of the engine) a provider can't be started, was refused, or stopped
"""

from __future__ import annotations


class StackError(Exception):
    """A failure with a cause and a remedy, one line each.

    `str()` gives `cause\\nremedy: …`, the form in which errors reach the user.
    """

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(f"{cause}\nremedy: {remedy}" if remedy else cause)
        self.cause = cause
        self.remedy = remedy


class ProjectError(StackError):
    """Pulumi.yaml, the stack file or a configuration value is missing or wrong."""


class LockedError(StackError):
    """Another run holds the stack's lock."""


class StateError(StackError):
    """The checkpoint can't be read or written."""


class PassphraseError(StackError):
    """A secret has to be read or written and the passphrase is missing or wrong."""
