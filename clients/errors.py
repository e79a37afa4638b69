"""Every error a user can meet, in one tree.

::

    RetrainError                 cause, remedy; catch this to show a failure
    ├── ConfigurationError       a value the user wrote is wrong or missing
    │   ├── DataVersionNotFound  no blob belongs to the data version
    │   └── ExperimentInvalid    an experiment package that cannot be used
    ├── CredentialError          nobody signed in, or the service refused the key or token
    ├── Unreachable              no service answers at the address
    ├── ServiceError             the service answered with an error (status, code, request id)
    │   ├── NotFound             … that there is no such thing
    │   ├── Conflict             … that somebody else changed it first (HTTP 409, 412)
    │   └── Throttled            … to come back later (HTTP 429, 503)
    ├── JobFailed                the batch job ended, and not with a model
    ├── GateRefused              the gate does not let the trained model through
    ├── BindingFailed            the endpoint does not serve what was asked for
    ├── LedgerError              a training record that cannot be trusted
    ├── FleetError               members of a fleet ended without the model that they are to have
    ├── DeadlineExceeded         a wait came to its end
    └── UpdateCancelled          the update was interrupted; what was started is recorded
        └── EngineGone           … and its engine has ended: nothing more may be changed

Each has one line of cause and one line of remedy; ``str(error)`` is both. What others wrote may be in them: it passes
the door for text from outside here (``clients/text.py``).
"""

from __future__ import annotations

from clients.text import told


class RetrainError(Exception):
    """A failure with one line of *cause* and one line of *remedy*.

    *request_id* is the service's correlation id where it gave one.
    """

    def __init__(self, cause: str, remedy: str, *, request_id: str | None = None) -> None:
        self.cause = told(cause)
        self.remedy = told(remedy)
        self.request_id = told(request_id, 100) if request_id else None
        super().__init__(self.cause, self.remedy)

    def __str__(self) -> str:
        suffix = f" (request id {self.request_id})" if self.request_id else ""
        return f"{self.cause}{suffix}\nremedy: {self.remedy}"


class ConfigurationError(RetrainError):
    """A value the user wrote is wrong or missing."""


class DataVersionNotFound(ConfigurationError):
    """No blob belongs to the data version."""


class ExperimentInvalid(ConfigurationError):
    """An experiment package that cannot be read, published or retrained."""


class CredentialError(RetrainError):
    """Nobody signed in, or the service refused the key or token (HTTP 401, 403)."""


class Unreachable(RetrainError):
    """No service answers at the address."""


class ServiceError(RetrainError):
    """The service answered with an error.

    *status* is the HTTP status, *code* the most specific code of the error envelope
    (``error.details[0].code``, else ``error.code``), *retry_after* the seconds after which it wants to be asked again.
    """

    def __init__(
        self,
        cause: str,
        remedy: str,
        *,
        status: int = 0,
        code: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(cause, remedy, request_id=request_id)
        self.status = status
        self.retry_after = retry_after
        self.code = code


class NotFound(ServiceError):
    """The service says that there is no such thing (HTTP 404)."""


class Conflict(ServiceError):
    """Somebody else changed it first (HTTP 409, 412)."""


class Throttled(ServiceError):
    """The service asks to come back later (HTTP 429, 503)."""


class JobFailed(RetrainError):
    """The batch job ended, and not with a model."""


class GateRefused(RetrainError):
    """The gate does not let the trained model through; what was bound still serves."""


class BindingFailed(RetrainError):
    """The endpoint does not serve what was asked for."""


class LedgerError(RetrainError):
    """A training record that cannot be trusted."""


class FleetError(RetrainError):
    """Members of a fleet ended without the model that they are to have."""


class DeadlineExceeded(RetrainError):
    """A wait came to its end."""


class UpdateCancelled(RetrainError):
    """The update was interrupted; what was started is recorded."""


class EngineGone(UpdateCancelled):
    """The engine of this update has ended; another update may be under way, so nothing more may be changed."""
