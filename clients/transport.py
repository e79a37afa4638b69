"""HTTP for all REST clients: one session, one place for retries, errors and redaction.

Reads are retried on dropped connections, 429 and 5xx, with the service's Retry-After where it gives one.
Writes are sent once: a repeated POST would start a second job. Only a 401, which proves that nothing was done, lets
any request be sent a second time, with a renewed credential.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import stamina

from clients.errors import (
    Conflict,
    CredentialError,
    NotFound,
    RetrainError,
    ServiceError,
    Throttled,
    Unreachable,
)

_RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
# Codes of Azure Resource Manager: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
_MISSING_ROLE = frozenset({"AuthorizationFailed", "LinkedAuthorizationFailed"})
_ROLE = "ask for a role that allows it there (Contributor does), or sign in with a credential that has one"
_UNREGISTERED = frozenset({"MissingSubscriptionRegistration", "SubscriptionNotRegistered"})
_NAMESPACE = re.compile(r"'(Microsoft\.[A-Za-z.]+)'")
_SECRETS = re.compile(r"(?i)(sig=|AccountKey=|Bearer\s+)[^&;\s\"']+")


def redact(text: str) -> str:
    """*text* without SAS signatures, account keys and bearer tokens."""
    return _SECRETS.sub(r"\1***", text)


@dataclass(frozen=True)
class Retry:
    """How often and how long a read is tried again: *attempts* in all, *seconds* in all."""

    attempts: int = 6
    seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.seconds <= 0:
            raise ValueError("a Retry needs at least one attempt and more than no time")


class _Retryable(Exception):
    def __init__(self, error: RetrainError, retry_after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after


def _backoff(error: Exception) -> bool | float:
    if not isinstance(error, _Retryable):
        return False
    return error.retry_after if error.retry_after is not None else True


@dataclass
class Transport:
    """Sends requests to the service that *service* names in errors.

    *authorize* gives the headers that carry the credential; it is asked for each request, so that a renewed
    token is used at once. *renew* gets the headers that were refused with a 401 and says whether *authorize* has
    others now. *remedy* is what to do when nothing answers, *sign_in* what to do when the credential is refused.
    """

    service: str
    base_url: str
    authorize: Callable[[], Mapping[str, str]] = dict
    remedy: str = "check the address and that the service runs"
    timeout: float = 100.0
    retry: Retry = field(default_factory=Retry)
    session: requests.Session = field(default_factory=requests.Session)
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
        """A DELETE, for which a thing that is gone already is no error."""
        try:
            self.send("DELETE", path, params=params)
        except NotFound:
            return

    def read(self, path: str, body: Any, **params: str) -> Any:
        """The JSON answer of a POST that changes nothing (scoring, keys); retried like a GET."""
        return self.json(self.send("POST", path, body, params=params, retried=True))

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
        try:
            for attempt in self._attempts(method == "GET" if retried is None else retried):
                with attempt:
                    return self._once(method, url, body, params or {}, headers or {})
        except _Retryable as last:
            raise last.error from None
        raise AssertionError("a retry loop ends with an answer or an error")

    def _attempts(self, retried: bool) -> Iterator[Any]:
        return iter(
            stamina.retry_context(
                on=_backoff,
                attempts=self.retry.attempts if retried else 1,
                timeout=self.retry.seconds,
                wait_initial=0.1,
                wait_jitter=0.2,
            )
        )

    def _once(
        self, method: str, url: str, body: Any, params: Mapping[str, str], extra: Mapping[str, str]
    ) -> requests.Response:
        headers = self.authorize()
        response = self._exchange(method, url, body, params, {**extra, **headers})
        if response.status_code == 401 and self.renew(headers):
            response = self._exchange(method, url, body, params, {**extra, **self.authorize()})
        if response.status_code < 400:
            return response
        error = self._error(method, response)
        if response.status_code in _RETRIED_STATUSES:
            raise _Retryable(error, _retry_after(response))
        raise error

    def _exchange(
        self, method: str, url: str, body: Any, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> requests.Response:
        try:
            return self.session.request(
                method,
                url,
                params=params,
                json=body,
                headers=dict(headers),
                auth=_as_it_is,
                timeout=self.timeout,
            )
        except requests.Timeout:
            raise _Retryable(
                Unreachable(f"{self.service} did not answer within {self.timeout:.0f} s", self.remedy)
            ) from None
        except requests.ConnectionError:
            raise _Retryable(
                Unreachable(f"{self.service} does not answer at {self.base_url}", self.remedy)
            ) from None
        except requests.RequestException as error:
            cause = f"{self.service} sent an answer that cannot be read: {redact(str(error))}"
            unreadable = ServiceError(cause, self.remedy)
            if isinstance(error, requests.exceptions.ChunkedEncodingError):  # it ended before its end
                raise _Retryable(unreadable) from None
            raise unreadable from None

    def _error(self, method: str, response: requests.Response) -> RetrainError:
        code, message = _envelope(response)
        status = response.status_code
        request_id = response.headers.get("x-ms-request-id")
        cause = f"{self.service} answered {status} {code}: {redact(message)}".replace("  ", " ")
        if status in (401, 403):
            missing_role = code in _MISSING_ROLE
            return CredentialError(cause, _ROLE if missing_role else self.sign_in, request_id=request_id)
        if code in _UNREGISTERED:
            return ServiceError(
                cause, _registration(message), status=status, code=code, request_id=request_id
            )
        kind, remedy = {
            404: (NotFound, "check the name; ./dev refresh shows what is there"),
            409: (Conflict, "see what else is changing it, then run the update again"),
            412: (Conflict, "see what else is changing it, then run the update again"),
            429: (Throttled, "run the update again in some minutes"),
            503: (Throttled, "run the update again in some minutes"),
        }.get(status, (ServiceError, "correct what the message names, then run the update again"))
        return kind(cause, remedy, status=status, code=code, request_id=request_id)

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


def _envelope(response: requests.Response) -> tuple[str, str]:
    """Code and message of the error envelope; of its first detail where there is one."""
    try:
        error = response.json()["error"]
        detail = (error.get("details") or [{}])[0]
        return detail.get("code") or error.get("code", ""), detail.get("message") or error.get("message", "")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "", " ".join(response.text[:200].split()) or response.reason or "nothing else"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the credential alone: without this, requests would replace it by an entry of the user's .netrc."""
    return request


def _registration(message: str) -> str:
    found = _NAMESPACE.search(message)
    namespace = found[1] if found else "NAMESPACE"
    return f"register the provider once for the subscription: az provider register --namespace {namespace}"


def _retry_after(response: requests.Response) -> float | None:
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
