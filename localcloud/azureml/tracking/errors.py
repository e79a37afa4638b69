"""Errors as MLflow's REST API sends them: `{"error_code", "message"}`."""

from __future__ import annotations

from localcloud.facilities.errors import bounded

_STATUS = {
    "INVALID_PARAMETER_VALUE": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "INTERNAL_ERROR": 500,
}


class TrackingError(Exception):
    """An answer that is an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUS[code]

    def to_json(self) -> dict[str, str]:
        """The envelope."""
        return {"error_code": self.code, "message": bounded(str(self))}


def missing(what: str, name: str) -> TrackingError:
    """404: there is no such thing in the workspace."""
    return TrackingError("RESOURCE_DOES_NOT_EXIST", f"No {what} with ID '{name}' exists")


def invalid(message: str) -> TrackingError:
    """400."""
    return TrackingError("INVALID_PARAMETER_VALUE", message)
