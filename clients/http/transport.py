"""HTTP for all clients: one place for connections, retries and errors.

Reads are retried on dropped connections, 429 and 5xx, with the service's Retry-After where it gives one.
Writes are sent once: a repeated POST would start a second job. Only a 401, which proves that nothing was done, lets
any request be sent a second time, with a renewed credential. A write that is sent elsewhere by a redirect is an error.

Every wait has an end: all tries of a call with the pauses between them fit its timeout and the wait that it is part of
(``clients/deadlines.py``). A service that wants to be asked again later than that has answered.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from clients.deadlines import left, within
from clients.errors import (
    Conflict,
    CredentialError,
    NotFound,
    RetrainError,
    ServiceError,
    Throttled,
    Unreachable,
)
from clients.retrying import attempts

if TYPE_CHECKING:
    import requests

Answer: TypeAlias = "requests.Response"

_RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ATTEMPTS, _ATTEMPTS_SECONDS = 6, 30.0
_CLOCKS_DIFFER_MINUTES = 5.0  # signatures and tokens are valid from five minutes before
_CONNECT_SECONDS, _SHORTEST_SECONDS = 10.0, 0.1
# Codes of Azure Resource Manager: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
_MISSING_ROLE = frozenset({"AuthorizationFailed", "LinkedAuthorizationFailed"})
_ROLE = "ask for a role that allows it there (Contributor does), or sign in with a credential that has one"
# Codes of a 409 that says that another change goes on: that one ends. Others say what has to be done first.
BUSY = frozenset(("operationinprogress", "anotheroperationinprogress"))
_LATER = "run the update again in some minutes"
_CHANGED = "see what else is changing it, then run the update again"
_CORRECT = "correct what the message names, then run the update again"
_UNREGISTERED = frozenset({"MissingSubscriptionRegistration", "SubscriptionNotRegistered"})
_NAMESPACE = re.compile(r"'(Microsoft\.[A-Za-z.]+)'")


class _Retryable(Exception):
    def __init__(self, error: RetrainError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass
class Transport:
    """Sends requests to the service that *service* names in errors.

    *authorize* gives the headers that carry the credential; it is asked for each request, so that a renewed
    token is used at once. *renew* gets the headers that were refused with a 401 and says whether *authorize* has
    others now. *remedy* is what to do when nothing answers, *sign_in* what to do when the credential is refused.
    *timeout* bounds a call with all its tries, in seconds.
    """

    service: str
    base_url: str
    authorize: Callable[[], Mapping[str, str]] = dict
    remedy: str = "check the address and that the service runs"
    timeout: float = 100.0
    renew: Callable[[Mapping[str, str]], bool] = lambda _refused: False
    sign_in: str = (
        "sign in with a credential that may do this (locally: ./dev cloud stop, then ./dev cloud start)"
    )

    def get(self, path: str, **params: str) -> Any:
        """The JSON answer of a GET; retried."""
        return self.json(self.send("GET", path, params=params))

    def post(self, path: str, body: Any = None, **params: str) -> Any:
        """The JSON answer of a POST; sent once."""
        return self.json(self.send("POST", path, body, params=params))

    def put(self, path: str, body: Any, **params: str) -> Any:
        """The JSON answer of a PUT; sent once."""
        return self.json(self.send("PUT", path, body, params=params))

    def patch(self, path: str, body: Any, **params: str) -> Any:
        """The JSON answer of a PATCH, None where it is empty; sent once."""
        return self.json(self.send("PATCH", path, body, params=params))

    def delete(self, path: str, **params: str) -> None:
        """A DELETE, for which a thing that is gone already is not an error."""
        try:
            self.send("DELETE", path, params=params)
        except NotFound:
            return

    def read(self, path: str, body: Any, **params: str) -> Any:
        """The JSON answer of a POST that changes nothing (scoring, keys); retried like a GET."""
        return self.json(self.send("POST", path, body, params=params, retried=True))

    def tell(self, body: Any) -> int:
        """POST to the base address itself, once; the status of whatever answers. Raises Unreachable."""
        try:
            return self._exchange("POST", self.base_url, body, {}, {}).status_code
        except _Retryable as last:
            raise last.error from None

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        retried: bool | None = None,
    ) -> requests.Response:
        """Send one request to *path* (joined to the base address, or absolute).

        Raises CredentialError on 401 and 403, NotFound on 404, Conflict on 409 and 412, Throttled on 429 and
        503, ServiceError on any other status from 400, Unreachable where nothing answers.
        """
        url = path if "://" in path else self.base_url.rstrip("/") + "/" + path.lstrip("/")
        waiting = left()
        seconds = _ATTEMPTS_SECONDS if waiting is None else waiting
        try:
            with within(self.timeout if waiting is None else waiting):
                if retried if retried is not None else method == "GET":
                    for attempt in _attempts(seconds):
                        with attempt:
                            return self._once(method, url, body, params or {}, headers or {})
                return self._once(method, url, body, params or {}, headers or {})
        except _Retryable as last:
            raise last.error from None

    def _once(
        self, method: str, url: str, body: Any, params: Mapping[str, str], extra: Mapping[str, str]
    ) -> requests.Response:
        headers = self.authorize()
        response = self._exchange(method, url, body, params, {**extra, **headers})
        if response.status_code == 401 and self.renew(headers):
            response = self._exchange(method, url, body, params, {**extra, **self.authorize()})
        if response.status_code < 400 and response.status_code not in _REDIRECTS:
            return response
        error = self._error(method, response)
        if response.status_code in _RETRIED_STATUSES:
            raise _Retryable(error)
        raise error

    def _exchange(
        self, method: str, url: str, body: Any, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> requests.Response:
        import requests

        from clients.http import connections, listening

        waiting = left()
        seconds = max(_SHORTEST_SECONDS, min(self.timeout, self.timeout if waiting is None else waiting))
        late = Unreachable(f"{self.service} did not answer within {seconds:.0f} s", self.remedy)
        try:
            with connections.cut_after(seconds) as cut:
                began = time.monotonic()
                try:
                    response = connections.SESSION.request(
                        method,
                        url,
                        params=params,
                        json=body,
                        headers=dict(headers),
                        timeout=(min(_CONNECT_SECONDS, seconds), seconds),
                        allow_redirects=method == "GET",
                    )
                    listening.tell(method, response.status_code, time.monotonic() - began)
                    return response
                finally:
                    if cut.is_due:
                        raise requests.Timeout
        except requests.Timeout:
            raise _Retryable(late) from None
        except requests.ConnectionError as error:
            gone = (f"{self.service} does not answer at {self.base_url}", self.remedy)
            raise _Retryable(Unreachable(*(connections.what_is_missing_here(error) or gone))) from None
        except requests.RequestException as error:
            cause = f"{self.service} sent an answer that cannot be read: {error}"
            unreadable = ServiceError(cause, self.remedy)
            if isinstance(error, requests.exceptions.ChunkedEncodingError):  # it ended before its end
                raise _Retryable(unreadable) from None
            raise unreadable from None

    def _error(self, method: str, response: requests.Response) -> RetrainError:
        code, message = _envelope(response)
        status = response.status_code
        request_id = response.headers.get("x-ms-request-id")
        cause = f"{self.service} answered {status} {code}: {message}".replace("  ", " ")
        if status in (401, 403):
            missing_role = code in _MISSING_ROLE
            remedy = wrong_clock(response.headers) or (_ROLE if missing_role else self.sign_in)
            return CredentialError(cause, remedy, request_id=request_id)
        if code in _UNREGISTERED:
            return ServiceError(
                cause, _registration(message), status=status, code=code, request_id=request_id
            )
        kind, remedy = {
            404: (NotFound, "check the name; where it was deleted, run ./dev refresh, then ./dev up"),
            409: (Conflict, _conflict(code)),
            412: (Conflict, _CHANGED),
            429: (Throttled, _LATER),
            503: (Throttled, _LATER),
        }.get(status, (ServiceError, refused(status)))
        return kind(
            cause, remedy, status=status, code=code, request_id=request_id, retry_after=retry_after(response)
        )

    def json(self, response: requests.Response) -> Any:
        """What an answer's body says, None where it is empty. Raises ServiceError for one that is not JSON."""
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise ServiceError(
                f"{self.service} answered {response.status_code} with a body that is not JSON",
                "check that the address is the service's own",
                status=response.status_code,
            ) from None

    def object(self, method: str, path: str, body: Any = None, **params: str) -> dict[str, Any]:
        """The answer to one request, which says something of one thing. Raises ServiceError as ``said`` does."""
        return self.said(self.send(method, path, body, params=params))

    def said(self, response: requests.Response) -> dict[str, Any]:
        """What an answer says of one thing. Raises ServiceError for one that says nothing, or something else."""
        found = self.json(response)
        if isinstance(found, dict):
            return found
        raise ServiceError(
            f"{self.service} answered {response.status_code} without saying anything of what was asked for",
            "check that the address is the service's own, then run it again",
            status=response.status_code,
        )


def fetch(what: str, uri: str, remedy: str) -> bytes:
    """The content at *uri*, which needs no credential or carries a signature; *what* names it in errors."""
    return bytes(Transport(what, uri.partition("?")[0], remedy=remedy).send("GET", uri).content)


def _attempts(seconds: float) -> Iterator[Any]:
    """Tries that begin within *seconds*, the pause before each included."""
    end = time.monotonic() + seconds

    def pause(error: Exception) -> bool | float:
        if not isinstance(error, _Retryable):
            return False
        asked: float | None = getattr(error.error, "retry_after", None)
        if asked is None:
            return True
        return asked if time.monotonic() + asked <= end else False

    return attempts(pause, most=_ATTEMPTS, seconds=seconds, wait_initial=0.1, wait_jitter=0.2)


def _envelope(response: requests.Response) -> tuple[str, str]:
    """Code and message of the error envelope; of its first detail where there is one."""
    try:
        error = response.json()["error"]
        detail = (error.get("details") or [{}])[0]
        return detail.get("code") or error.get("code", ""), detail.get("message") or error.get("message", "")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        code = response.headers.get("x-ms-error-code", "")  # of storage, whose answers are XML
        said = "" if code else " ".join(response.text[:200].split())
        return code, said or response.reason or "nothing else"


def _conflict(code: str) -> str:
    """What to do about a 409, by its *code*."""
    if code.lower().endswith("inuse"):
        return "delete what uses it, or let that use another, then run the update again"
    return _CHANGED if not code or code.lower() in BUSY else _CORRECT


def refused(status: int) -> str:
    """What to do about a status that says no more."""
    if status >= 500 or status == 408:
        return "run the update again in some minutes; if it stays, show this message to those who run the service"
    return "check that the address is the service's own" if status in _REDIRECTS else _CORRECT


def _registration(message: str) -> str:
    found = _NAMESPACE.search(message)
    namespace = found[1] if found else "NAMESPACE"
    return f"register the provider once for the subscription: az provider register --namespace {namespace}"


def retry_after(response: requests.Response) -> float | None:
    """The seconds after which a service wants to be asked again, whichever way it says so; None where it does not."""
    said = response.headers.get("Retry-After", "").strip()
    with suppress(ValueError):
        if 0 <= (seconds := float(said)) < float("inf"):
            return seconds
    with suppress(ValueError, TypeError):
        then, now = parsedate_to_datetime(said), datetime.now(UTC)
        with suppress(ValueError, TypeError, KeyError):  # its own clock, where it says what that shows
            now = parsedate_to_datetime(response.headers["Date"])
        return max(0.0, (_utc(then) - _utc(now)).total_seconds())
    return None


def wrong_clock(headers: Mapping[str, str]) -> str:
    """What to do about this machine's clock where a service's differs too much for signatures and tokens; else empty."""
    with suppress(ValueError, TypeError, KeyError):
        minutes = (datetime.now(UTC) - _utc(parsedate_to_datetime(headers["Date"]))).total_seconds() / 60
        if abs(minutes) >= _CLOCKS_DIFFER_MINUTES:
            way = "ahead of" if minutes > 0 else "behind"
            return f"set this machine's clock, which is {abs(minutes):.0f} minutes {way} the service's, then run it again"
    return ""


def _utc(said: datetime) -> datetime:
    return said if said.tzinfo else said.replace(tzinfo=UTC)
