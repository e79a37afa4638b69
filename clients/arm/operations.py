"""Long-running operations of Resource Manager, followed to their end in one place.

A change was accepted; where it stands is said, in this order, by the address in ``Azure-AsyncOperation`` (JSON with
``status``), by the one in ``Location`` (202 while it goes on), or by the resource itself (``provisioningState``). An
answer may be empty, name another address for the next look, and ask by ``Retry-After`` not to be asked before.
Source: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clients.clock import Clock
from clients.errors import Conflict, NotFound, RetrainError, ServiceError
from clients.http.transport import BUSY, Answer, Transport, retry_after
from clients.poller import Pace, wait

_OPERATION, _LOCATION = "Azure-AsyncOperation", "Location"
_SUCCEEDED = "succeeded"
_ENDED_BADLY = frozenset(("failed", "canceled", "cancelled"))
DEADLINE_SECONDS = 900.0
_PACE = Pace(shortest=0.1, longest=15.0)


class _Asked:
    """The pace of looks: the service's own wish where its last answer had one."""

    def __init__(self) -> None:
        self.wish: float | None = None

    def after(self, waited: float) -> float:
        return _PACE.after(waited) if self.wish is None else max(self.wish, _PACE.shortest)


@dataclass(frozen=True)
class Change:
    """One change of a *resource* through *transport*: its *method*, and *what* it is called in errors.

    *own* gives back a link that is Resource Manager's own, *version* is the api-version as a parameter; *deadline* is in seconds.
    """

    transport: Transport
    clock: Clock
    method: str
    resource: str
    what: str
    version: Mapping[str, str]
    own: Callable[[str], str]
    deadline: float = DEADLINE_SECONDS

    def make(self, body: Any, query: Mapping[str, str], condition: Mapping[str, str]) -> None:
        """Send it, and return when it has come to its end. A resource that is busy with another change is waited for.

        Raises Conflict, DeadlineExceeded, ServiceError with what went wrong.
        """
        asked = _Asked()

        def send(waited: float) -> Answer | None:
            asked.wish = None
            try:
                return self.transport.send(
                    self.method, self.resource, body, params={**self.version, **query}, headers=condition
                )
            except Conflict as error:
                busy = error.code.lower() in BUSY
                if busy and waited < self.deadline:
                    asked.wish = error.retry_after
                    return None
                changed = " is being changed by somebody else" if busy or error.status == 412 else ""
                raise Conflict(
                    f"{self.what}{changed}: {error.cause}",
                    "wait until that is done, then run the update again" if busy else error.remedy,
                    status=error.status,
                    code=error.code,
                    request_id=error.request_id,
                ) from None

        self._follow(wait(send, what=self.what, deadline=self.deadline, clock=self.clock, pace=asked))

    def _follow(self, accepted: Answer) -> None:
        place, asked = self._place_after(accepted, _Place(self.resource, "")), _Asked()
        if accepted.status_code != 202 and not place.header and self._has_ended(accepted, place):
            return
        asked.wish = retry_after(accepted)

        def look(waited: float) -> bool | None:
            nonlocal place
            if waited == 0 and asked.wish:
                return None
            answer = self._look(place)
            asked.wish = None if answer is None else retry_after(answer)
            if answer is None and not place.header:
                return True if self.method == "DELETE" else None  # it is gone; it is not there yet
            if answer is None or (place.header == _OPERATION and _says_nothing(answer)):
                place = _Place(
                    self.resource, ""
                )  # the operation is forgotten: the resource shows what became of it
                return True if self.method == "POST" else None
            place = self._place_after(answer, place)
            return True if self._has_ended(answer, place) else None

        wait(look, what=self.what, deadline=self.deadline, clock=self.clock, pace=asked)

    def _look(self, place: _Place) -> Answer | None:
        try:
            return self.transport.send("GET", place.url, params={} if place.header else self.version)
        except NotFound:
            return None

    def _place_after(self, answer: Answer, place: _Place) -> _Place:
        """Where to look next: what *answer*, that of a look at *place*, names, else there again."""
        for header in (_OPERATION, _LOCATION):
            if header == _LOCATION and (place.header == _OPERATION or answer.status_code != 202):
                break  # there it says where the result is, or where what was made is
            if url := answer.headers.get(header):
                return _Place(self.own(url), header)
        return place

    def _has_ended(self, answer: Answer, place: _Place) -> bool:
        """Whether *answer*, of a look at *place*, tells of a good end. Raises what went wrong."""
        said = self.transport.json(answer) if answer.content else None
        body: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
        state = _state(body, place.header)
        if state.lower() in _ENDED_BADLY:
            raise _failure(body.get("error") or body.get("errorInfo"), f"{self.what} {state.lower()}")
        if place.header == _OPERATION and not state and answer.status_code != 202:
            raise ServiceError(
                f"{self.what}: Resource Manager does not say how its operation stands",
                "look at the resource, then run the update again",
            )
        if state:
            return state.lower() == _SUCCEEDED and (place.header != _LOCATION or answer.status_code != 202)
        return answer.status_code != 202 and not (self.method == "DELETE" and not place.header and body)


@dataclass(frozen=True)
class _Place:
    """Where to look how a change stands, and the *header* that named it; none names the resource itself."""

    url: str
    header: str


def _says_nothing(answer: Answer) -> bool:
    return not answer.content and answer.status_code != 202


def _state(body: Mapping[str, Any], header: str) -> str:
    """How an operation, a result or a resource says that it stands; empty where it does not. Every word but
    Succeeded, Failed and Canceled means that it goes on.
    """
    properties = next((value for name, value in body.items() if name.lower() == "properties"), None)
    own = properties if isinstance(properties, Mapping) else {}
    state = next((value for name, value in own.items() if name.lower() == "provisioningstate"), None)
    found = body.get("status") if header == _OPERATION or (state is None and header) else state
    return found if isinstance(found, str) else ""


def _failure(said: Any, what: str) -> RetrainError:
    error: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    details = error.get("details")
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], Mapping) else {}
    code = str(first.get("code") or error.get("code") or "")
    message = str(first.get("message") or error.get("message") or "no reason is given")
    return ServiceError(
        f"{what}: {code} {message}", "correct what the message names, then run the update again", code=code
    )
