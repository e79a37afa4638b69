"""Calls to the local cloud's ARM side: one request, one JSON document or an ArmFailure.

What ARM begins and goes on with after its answer is followed until it ends. The addresses of such operations are
signed: they are asked and forgotten, never kept, shown or logged.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urljoin

import httpx

from localcloud.azure_native.cloud import Cloud
from localcloud.azure_native.errors import ArmFailure, CloudUnreachable, OperationFailed

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)

# The local cloud keeps it as `systemData.createdBy`; see localcloud/arm/gateway.py.
_CREATED_BY_HEADER = "x-local-created-by"

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_LONGEST = 1800.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an operation is waited for: until the seconds are over, or `stopped` is set."""

    stopped: threading.Event = field(default_factory=threading.Event)
    seconds: float = _LONGEST


class ArmClient:
    """Speaks to the ARM side of whichever cloud a call names; safe to use from several threads."""

    def __init__(self) -> None:
        # Loopback only: a proxy from the environment must not get between.
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=False)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    def find(self, cloud: Cloud, resource_id: str, api_version: str) -> dict[str, Any] | None:
        """The resource of that id, or None where there is none (ARM's 404)."""
        try:
            return self.call(cloud, "GET", resource_id, api_version)
        except ArmFailure as failure:
            if failure.status != 404:
                raise
            return None

    def put(
        self,
        cloud: Cloud,
        resource_id: str,
        api_version: str,
        body: Mapping[str, Any],
        created_by: str,
        patience: Patience,
    ) -> dict[str, Any]:
        """Create or update the resource, and read it back once it is done: PUT answers may be sparse."""
        answer = self._send(
            cloud, "PUT", resource_id, {"api-version": api_version}, body, {_CREATED_BY_HEADER: created_by}
        )
        self._follow(cloud, answer, patience)
        return self.call(cloud, "GET", str(_object(answer).get("id") or resource_id), api_version)

    def delete(
        self,
        cloud: Cloud,
        resource_id: str,
        api_version: str,
        query: Mapping[str, str],
        patience: Patience,
    ) -> None:
        """Delete the resource; it being gone already is what was wanted."""
        try:
            answer = self._send(cloud, "DELETE", resource_id, {"api-version": api_version, **query})
        except ArmFailure as failure:
            if failure.status != 404:
                raise
        else:
            self._follow(cloud, answer, patience)

    def call(self, cloud: Cloud, method: str, path: str, api_version: str) -> dict[str, Any]:
        """The JSON object of the answer ({} for none); raises ArmFailure, CloudUnreachable."""
        return _object(self._send(cloud, method, path, {"api-version": api_version}))

    def _follow(self, cloud: Cloud, answer: httpx.Response, patience: Patience) -> None:
        """Wait for the end of what an answer says has begun. Raises OperationFailed."""
        told, where = True, answer.headers.get("Azure-AsyncOperation")
        if where is None and answer.status_code == 202:
            told, where = False, answer.headers.get("Location")
        if where is None:
            return
        address = httpx.URL(urljoin(f"{cloud.studio}/", where))
        if not str(address).startswith(f"{cloud.studio}/"):
            raise OperationFailed(502, "InvalidAnswer", "an operation's address is not at this local cloud")
        pause, until = _FIRST_PAUSE, monotonic() + patience.seconds
        while not (self._told if told else self._over)(cloud, address):
            if patience.stopped.wait(pause):
                raise OperationFailed(409, "OperationInterrupted", "the run was stopped while it went on")
            if monotonic() > until:
                message = f"it still goes on after {patience.seconds:.0f} seconds"
                raise OperationFailed(409, "OperationNotFinished", message)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _told(self, cloud: Cloud, address: httpx.URL) -> bool:
        """Whether an operation has succeeded, as its document tells; raises OperationFailed."""
        document = _object(self._ask(cloud, address))
        status = str(document.get("status", "")).lower()
        if status in ("failed", "canceled"):
            error = document.get("error")
            error = error if isinstance(error, Mapping) else {}
            code = error.get("code") or f"Operation{status.capitalize()}"
            raise OperationFailed(400, str(code), str(error.get("message") or "no reason was given"))
        return status == "succeeded"

    def _over(self, cloud: Cloud, address: httpx.URL) -> bool:
        """Whether an operation without a document is over: its address no longer answers 202."""
        return self._ask(cloud, address).status_code != 202

    def _ask(self, cloud: Cloud, address: httpx.URL) -> httpx.Response:
        return self._request(cloud, "GET", address, "an operation's address", {})

    def _send(
        self,
        cloud: Cloud,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        address = httpx.URL(f"{cloud.studio}{path}", params=dict(query))
        return self._request(cloud, method, address, path, headers or {}, body)

    def _request(
        self,
        cloud: Cloud,
        method: str,
        address: httpx.URL,
        called: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """One answer that is no error; `called` is what a person reads of the address."""
        headers = {"Authorization": f"Bearer {cloud.arm_token}", **headers}
        try:
            answer = self._http.request(method, address, json=body, headers=headers)
        except httpx.ConnectError:
            raise CloudUnreachable(
                f"the local cloud does not answer at {cloud.studio}", "./dev cloud start"
            ) from None
        except httpx.TransportError as error:
            raise CloudUnreachable(
                f"the local cloud did not finish its answer to {method} {called} ({type(error).__name__})",
                "./dev cloud logs shows the local cloud's side of it",
            ) from None
        if answer.is_success:
            return answer
        raise _failure(answer)


def _object(answer: httpx.Response) -> dict[str, Any]:
    if not answer.content.strip():
        return {}
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ArmFailure(
            502, "InvalidAnswer", f"the answer to {answer.request.url.path} is not a JSON object"
        )
    return document


def _failure(answer: httpx.Response) -> ArmFailure:
    try:
        error = answer.json()["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        code, message = f"HTTP {answer.status_code}", answer.reason_phrase or "no reason was given"
    return ArmFailure(answer.status_code, code, message, answer.headers.get("x-ms-request-id", ""))
