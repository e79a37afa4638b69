"""Calls to the local cloud's ARM side: one request, one JSON document or an ArmFailure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from localcloud.azure_native.cloud import Cloud
from localcloud.azure_native.errors import ArmFailure, CloudUnreachable

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)

# The local cloud keeps it as `systemData.createdBy`; see localcloud/arm/gateway.py.
_CREATED_BY_HEADER = "x-local-created-by"


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
        self, cloud: Cloud, resource_id: str, api_version: str, body: Mapping[str, Any], created_by: str
    ) -> dict[str, Any]:
        """Create or update the resource, and read it back: PUT answers may be sparse."""
        answer = self.call(cloud, "PUT", resource_id, api_version, body, created_by)
        return self.call(cloud, "GET", str(answer.get("id") or resource_id), api_version)

    def delete(self, cloud: Cloud, resource_id: str, api_version: str) -> None:
        """Delete the resource; it being gone already is what was wanted."""
        try:
            self.call(cloud, "DELETE", resource_id, api_version)
        except ArmFailure as failure:
            if failure.status != 404:
                raise

    def call(
        self,
        cloud: Cloud,
        method: str,
        path: str,
        api_version: str,
        body: Mapping[str, Any] | None = None,
        created_by: str | None = None,
    ) -> dict[str, Any]:
        """The JSON object of the answer ({} for none); raises ArmFailure, CloudUnreachable."""
        headers = {"Authorization": f"Bearer {cloud.arm_token}"}
        if created_by is not None:
            headers[_CREATED_BY_HEADER] = created_by
        try:
            answer = self._http.request(
                method,
                f"{cloud.studio}{path}",
                params={"api-version": api_version},
                json=body,
                headers=headers,
            )
        except httpx.ConnectError:
            raise CloudUnreachable(
                f"the local cloud does not answer at {cloud.studio}", "./dev cloud start"
            ) from None
        except httpx.TransportError as error:
            raise CloudUnreachable(
                f"the local cloud did not finish its answer to {method} {path} ({type(error).__name__})",
                "./dev cloud logs shows the local cloud's side of it",
            ) from None
        if answer.is_success:
            return _object(answer)
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
