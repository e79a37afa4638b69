"""The door of the ARM side: who calls, with which role and api-version, for what; and the headers of every answer."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from localcloud.arm import roles
from localcloud.arm.errors import (
    ArmError,
    invalid_content,
    missing_api_version,
    not_authenticated,
    not_registered,
    subscription_not_found,
    too_large,
    unknown_namespace,
)
from localcloud.arm.operation import Answer, Call, Operation
from localcloud.arm.state import ArmState
from localcloud.directory.errors import TokenRefused
from localcloud.directory.state import Directory
from localcloud.facilities.auth import credentials
from localcloud.facilities.bodies import BodyTooLarge, UnreadableBody, parse_json, read_body
from localcloud.facilities.cloud import Principal
from localcloud.facilities.errors import ApiError
from localcloud.facilities.wire import base_url

# Below /subscriptions/{id} the data plane of New web services has `services`: that is not ARM's.
_OURS = re.compile(
    r"/subscriptions(/[^/]+(/(resourcegroups|providers)(/.*)?)?)?/?|/providers(/microsoft\.[^/]+(/.*)?)?/?",
    re.IGNORECASE,
)
_NAMESPACE = re.compile(r"/providers/(?P<namespace>[^/]+)(/(?P<type>[^/]+))?", re.IGNORECASE)

# A local extension: who creates, kept as `systemData.createdBy`. The azure-native stand-in sends the URN, so
# that a run that was killed between a PUT and its record recognises its own resource.
CREATED_BY_HEADER = "x-local-created-by"


class Gateway:
    """Lets calls in and hands them to their operation."""

    def __init__(self, state: ArmState, operations: Iterable[Operation], directory: Directory) -> None:
        self._state = state
        self._directory = directory
        self._table = [(operation.pattern(), operation) for operation in operations]
        self._namespaces = {
            found["namespace"].lower()
            for _, operation in self._table
            if (found := _NAMESPACE.search(operation.path)) and not found["namespace"].startswith("{")
        }

    async def answer(self, request: Request) -> Response:
        """The response to one request, errors included."""
        try:
            principal = self._authenticate(request)
            answer = await self._dispatch(request, principal, await _document(request))
        except ArmError as error:
            answer = Answer(error.status, error.to_json(), error.headers)
        except ApiError as error:
            answer = Answer(error.status, error.to_json())
        return _response(request, answer)

    async def _dispatch(self, request: Request, principal: Principal, body: Any) -> Answer:
        api_version = request.query_params.get("api-version", "")
        if not api_version:
            raise missing_api_version()
        path: str = request.scope["path"]
        self._check_subscription(path)
        allowed = []
        for pattern, operation in self._table:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            if operation.method == request.method:
                parameters = found.groupdict()
                roles.require(principal, operation, path, parameters.get("namespace", ""))
                self._check_registration(operation)
                answer = operation.answer(self._call(request, principal, parameters, body))
                return answer if isinstance(answer, Answer) else await answer
            allowed.append(operation.method)
        if allowed:
            message = f"The requested resource does not support http method '{request.method}'."
            raise ArmError(
                405, "MethodNotAllowed", message, gateway=True, headers={"Allow": ", ".join(sorted(allowed))}
            )
        raise self._nothing_there(path, api_version)

    def _authenticate(self, request: Request) -> Principal:
        base = base_url(request)
        authority = f"{base}/{self._directory.tenant}"
        refused = TokenRefused(
            "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
        )
        for given in credentials(request):
            try:
                return self._directory.bearer(given, base)
            except TokenRefused as error:
                refused = error
        raise not_authenticated(refused.message, authority, refused.code)

    def _check_registration(self, operation: Operation) -> None:
        found = _NAMESPACE.search(operation.path)
        if operation.method in ("GET", "HEAD") or found is None or found["namespace"].startswith("{"):
            return
        if not self._state.is_registered(found["namespace"]):
            raise not_registered(found["namespace"])

    def _check_subscription(self, path: str) -> None:
        segments = path.split("/")
        if len(segments) > 2 and segments[1].lower() == "subscriptions" and segments[2]:
            subscription = segments[2]
            if subscription.lower() != self._state.cloud.subscription.lower():
                raise subscription_not_found(subscription)

    def _call(self, request: Request, principal: Principal, parameters: dict[str, Any], body: Any) -> Call:
        return Call(
            state=self._state,
            path=parameters,
            query=dict(request.query_params),
            body=body,
            base_url=base_url(request),
            request=request,
            created_by=request.headers.get(CREATED_BY_HEADER),
            client_id=principal.client_id,
        )

    def _nothing_there(self, path: str, api_version: str) -> ArmError:
        found = _NAMESPACE.search(path)
        if found is None:
            message = f"No operation of Resource Manager has the path '{path}'."
            return ArmError(404, "InvalidResourceType", message, gateway=True)
        namespace = found["namespace"]
        if namespace.lower() not in self._namespaces:
            return unknown_namespace(namespace)
        message = (
            f"The resource type '{found['type'] or ''}' could not be found in the namespace '{namespace}'"
            f" for api version '{api_version}'."
        )
        return ArmError(404, "InvalidResourceType", message, gateway=True)


class ArmRoute(BaseRoute):
    """Matches ARM's paths without regard to case, which Starlette's own routes do not."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for a path of ARM, whatever the method: ARM has its own 405."""
        if scope["type"] == "http" and _OURS.fullmatch(scope["path"]):
            return Match.FULL, {"endpoint": self._gateway.answer}
        return Match.NONE, {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """ARM's paths are not looked up by name."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._gateway.answer(Request(scope, receive, send))
        await response(scope, receive, send)


async def _document(request: Request) -> Any:
    """The JSON body; None where there are no bytes. Raises ArmError."""
    try:
        raw = await read_body(request)
        return parse_json(raw) if raw.strip() else None
    except BodyTooLarge as error:
        raise too_large(str(error)) from None
    except UnreadableBody as error:
        raise invalid_content(str(error), error.place or None) from None


def _response(request: Request, answer: Answer) -> Response:
    request_id = str(uuid.uuid4())
    headers = {
        "Cache-Control": "no-cache",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", request_id),
        "x-ms-routing-request-id": f"LOCAL:{request_id}",
        "x-ms-ratelimit-remaining-subscription-reads"
        if request.method in ("GET", "HEAD")
        else "x-ms-ratelimit-remaining-subscription-writes": "11999",
        **answer.headers,
    }
    if client_id := request.headers.get("x-ms-client-request-id"):
        headers["x-ms-client-request-id"] = client_id
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    return Response(
        json.dumps(answer.body).encode(),
        status_code=answer.status,
        headers=headers,
        media_type="application/json; charset=utf-8",
    )
