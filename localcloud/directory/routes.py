"""The directory's addresses: `/{tenant}/…` as at login.microsoftonline.com, and the managed identity's endpoint.

The latter has the shape of App Service, which asks for a header that only the cloud file tells, and not that of the
virtual machines' metadata service, which gives a token to every process that reaches it: here, to every user of the machine.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.directory import errors, wire
from localcloud.directory.errors import AadError
from localcloud.directory.state import Directory, Issued
from localcloud.facilities.bodies import LARGEST_FORM, BodyTooLarge, read_body
from localcloud.facilities.cloud import Principal
from localcloud.facilities.wire import base_url

IDENTITY_PATH = "/msi/token"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MOST_FIELDS = 100
_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_Tokens = Callable[[Issued], dict[str, Any]]


def routes(directory: Directory) -> list[BaseRoute]:
    """All routes of the directory."""
    endpoints = _Endpoints(directory)
    return [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", endpoints.configuration, methods=["GET"]),
        Route("/{tenant}/.well-known/openid-configuration", endpoints.configuration, methods=["GET"]),
        Route("/{tenant}/discovery/instance", endpoints.instance, methods=["GET"]),
        Route("/{tenant}/discovery/v2.0/keys", endpoints.keys, methods=["GET"]),
        Route("/{tenant}/oauth2/v2.0/token", endpoints.token_v2, methods=["POST"]),
        Route("/{tenant}/oauth2/token", endpoints.token_v1, methods=["POST"]),
        Route(IDENTITY_PATH, endpoints.identity, methods=["GET"]),
    ]


class _Endpoints:
    """What answers each address."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def configuration(self, request: Request) -> Response:
        """GET where everything is."""
        try:
            self._directory.check_tenant(request.path_params["tenant"])
        except AadError as error:
            return _refusal(error)
        return JSONResponse(wire.openid_configuration(base_url(request), self._directory.tenant))

    async def instance(self, request: Request) -> Response:
        """GET that this is an instance of the directory."""
        return JSONResponse(wire.instance_discovery(base_url(request), self._directory.tenant))

    async def keys(self, _request: Request) -> Response:
        """GET the public keys."""
        return JSONResponse(wire.key_set(self._directory.key))

    async def token_v2(self, request: Request) -> Response:
        """POST a form with `scope`; a token."""
        return await self._token(request, _resource_of_scope, wire.token_v2)

    async def token_v1(self, request: Request) -> Response:
        """POST a form with `resource`; a token."""
        return await self._token(request, lambda form: _required(form, "resource"), wire.token_v1)

    async def identity(self, request: Request) -> Response:
        """GET a token of the managed identity, with the header that proves who asks."""
        directory, query = self._directory, request.query_params
        found = directory.managed_identity(
            request.headers.get("x-identity-header", ""), query.get("client_id") or query.get("clientid")
        )
        if found is None:
            message = (
                "The header X-IDENTITY-HEADER is wrong, or there is no managed identity of that client id."
            )
            return JSONResponse({"statusCode": 400, "message": message}, 400, _NOT_KEPT)
        try:
            token = directory.issue(found, query.get("resource", ""), base_url(request))
        except AadError as error:
            return JSONResponse({"statusCode": error.status, "message": error.message}, 400, _NOT_KEPT)
        return JSONResponse(wire.token_of_identity(token, found.client_id), headers=_NOT_KEPT)

    async def _token(
        self, request: Request, resource: Callable[[Mapping[str, str]], str], shown: _Tokens
    ) -> Response:
        try:
            self._directory.check_tenant(request.path_params["tenant"])
            try:
                sent = (await read_body(request, LARGEST_FORM)).decode("utf-8", "replace")
                form = dict(parse_qsl(sent, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
            except BodyTooLarge as error:
                raise errors.too_large(str(error)) from None
            except ValueError:
                raise errors.too_large(f"it has more than {_MOST_FIELDS} fields") from None
            if (grant := _required(form, "grant_type")) != "client_credentials":
                raise errors.unsupported_grant(grant)
            principal = self._authenticate(request, form)
            token = self._directory.issue(principal, resource(form), base_url(request))
        except AadError as error:
            return _refusal(error)
        return JSONResponse(shown(token), headers=_NOT_KEPT)

    def _authenticate(self, request: Request, form: Mapping[str, str]) -> Principal:
        basic = _basic(request)
        if basic is not None:
            return self._directory.by_secret(*basic)
        client_id = _required(form, "client_id")
        if assertion := form.get("client_assertion"):
            if form.get("client_assertion_type") != _ASSERTION:
                raise errors.missing_parameter("client_assertion_type")
            return self._directory.by_assertion(client_id, assertion)
        if secret := form.get("client_secret"):
            return self._directory.by_secret(client_id, secret)
        raise errors.no_credential()


def _basic(request: Request) -> tuple[str, str] | None:
    """Client id and secret of the header (RFC 6749, 2.3.1: both are form-encoded first)."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise errors.no_credential() from None
    return unquote(client_id), unquote(secret)


def _resource_of_scope(form: Mapping[str, str]) -> str:
    """The resource of a `scope` such as `https://management.azure.com/.default`, among OpenID's own scopes."""
    own = {"openid", "profile", "offline_access"}
    scopes = [scope for scope in _required(form, "scope").split() if scope not in own]
    if len(scopes) != 1 or not scopes[0].endswith("/.default"):
        raise errors.invalid_scope(" ".join(scopes))
    return scopes[0].removesuffix("/.default")


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        raise errors.missing_parameter(name)
    return value


def _refusal(error: AadError) -> Response:
    return JSONResponse(error.to_json(), error.status, _NOT_KEPT)
