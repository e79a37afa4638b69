"""What the stand-in reports to a person: one line of cause, one of remedy.

ProviderError            anything a run may see
├── CloudFileError       the cloud file is missing or not what the local cloud writes
├── CloudUnreachable    nothing answers at the local cloud's address, or not in time
├── ArmFailure           the ARM side refused a call; carries ARM's own code and message
│   └── OperationFailed  it took the call, and what that began did not succeed
└── UnknownToken         a type or function that the stand-in does not answer
"""

from __future__ import annotations


class ProviderError(Exception):
    """A failure with its cause and what to do about it."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}\nremedy: {remedy}")
        self.cause = cause
        self.remedy = remedy


class CloudFileError(ProviderError):
    """The cloud file is missing, unreadable or incomplete."""


class CloudUnreachable(ProviderError):
    """The local cloud gives no answer."""


class UnknownToken(ProviderError):
    """The program asked for something that is not in the catalog."""


_REMEDIES = {
    "AuthenticationFailed": "the local cloud was started with another token: ./dev cloud stop, then ./dev cloud start",
    "InvalidAuthenticationToken": "the local cloud was started with another token: ./dev cloud stop, then ./dev cloud start",
    "ResourceGroupNotFound": "./dev refresh brings the state in line with the local cloud, then ./dev up",
    "ResourceNotFound": "./dev refresh brings the state in line with the local cloud, then ./dev up",
    "SubscriptionNotFound": "./dev refresh brings the state in line with the local cloud, then ./dev up",
    "OperationInterrupted": "./dev up goes on where this run ended",
    "OperationNotFinished": "./dev up goes on where this run ended",
    "StorageAccountAlreadyTaken": "choose another accountName, or leave it out to have one made up",
}


class ArmFailure(ProviderError):
    """An answer of the ARM side that is an error: HTTP status, `code` and `message` of its envelope."""

    def __init__(self, status: int, code: str, message: str, request_id: str = "") -> None:
        self.status = status
        self.code = code
        trace = f" (request {request_id})" if request_id else ""
        if code in _REMEDIES:
            remedy = _REMEDIES[code]
        elif status == 429:
            remedy = "run the update again in some minutes"
        elif status < 500:
            remedy = "correct the named property in the program or its configuration, and run again"
        else:
            remedy = "./dev cloud logs shows the local cloud's side of it"
        super().__init__(f"{code}: {' '.join(message.split())}{trace}", remedy)


class OperationFailed(ArmFailure):
    """What ARM had begun failed, was cancelled, or was not waited for any longer; the resource may be there.

    `detail` is what the engine keeps of one that is: a serialized `google.rpc.Status`.
    """

    detail: bytes = b""
