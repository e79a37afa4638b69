"""What a scoring address answers where no model does, and why a deployment does not come to serve."""

from __future__ import annotations

from collections.abc import Mapping


class ScoringRefused(Exception):
    """Answered as `status`, with code, message and headers."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})

    def to_json(self) -> dict[str, object]:
        """The envelope; clients of Azure's read it as JSON."""
        return {"error": {"code": self.code, "message": str(self)}}


class NotServing(Exception):
    """A deployment cannot serve: Azure's code of the kind of fault, and what was found."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
