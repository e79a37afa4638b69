"""Who may have a call answered: by key, by a token of the endpoint, or by one of the directory, as its mode has it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import jwt
from starlette.requests import Request

from localcloud.azureml.endpoints.state import LOCAL
from localcloud.azureml.serving.errors import ScoringRefused
from localcloud.directory.errors import TokenRefused
from localcloud.directory.state import ML_AUDIENCE, Directory
from localcloud.facilities.auth import credentials

KEY, AML_TOKEN, AAD_TOKEN = "Key", "AMLToken", "AADToken"
MODES = (KEY, AML_TOKEN, AAD_TOKEN)
_TOKEN_SECONDS = 12 * 3600
_REFRESH_SECONDS = 8 * 3600


def issue_token(endpoint: Mapping[str, Any], directory: Directory) -> dict[str, Any]:
    """A token that opens this endpoint for half a day, as `POST …/token` answers it; times in seconds since 1970."""
    now = int(directory.clock())
    claims = {"aud": _audience(endpoint), "iat": now, "nbf": now, "exp": now + _TOKEN_SECONDS}
    return {
        "accessToken": directory.key.sign(claims),
        "expiryTimeUtc": now + _TOKEN_SECONDS,
        "refreshAfterTimeUtc": now + _REFRESH_SECONDS,
        "tokenType": "Bearer",
    }


def check_caller(request: Request, endpoint: Mapping[str, Any], directory: Directory) -> None:
    """Raise `ScoringRefused` (401, or 403 for somebody who is known and may not score)."""
    given = credentials(request)
    if not given:
        raise _unauthorized("The Authorization header is missing: send a bearer token or key.")
    mode = endpoint["properties"]["authMode"]
    if mode == KEY:
        keys = [key.encode() for key in endpoint[LOCAL]["keys"].values()]
        matches = [hmac.compare_digest(one.encode(), key) for one in given for key in keys]
        if not any(matches):
            raise _unauthorized("The key is not one of the endpoint's.")
    elif mode == AML_TOKEN:
        _check_token(given[0], endpoint, directory)
    else:
        try:
            principal = directory.bearer(given[0], ML_AUDIENCE, ())
        except TokenRefused as error:
            raise _unauthorized(error.message) from None
        if principal.name != "owner":
            message = "The caller lacks the action onlineEndpoints/score/action on the endpoint."
            raise ScoringRefused(403, "Forbidden", message)


def _check_token(token: str, endpoint: Mapping[str, Any], directory: Directory) -> None:
    try:
        claims = directory.key.read(token)
    except jwt.InvalidTokenError:
        raise _unauthorized("The token is not one of the endpoint's.") from None
    if claims.get("aud") != _audience(endpoint):
        raise _unauthorized("The token is not one of the endpoint's.")
    if claims["exp"] <= directory.clock():
        raise _unauthorized("The token has expired.")


def _audience(endpoint: Mapping[str, Any]) -> str:
    # A name that is deleted and made again is another endpoint: old tokens don't open it.
    return f"{endpoint['id'].lower()}#{endpoint[LOCAL]['guid']}"


def _unauthorized(message: str) -> ScoringRefused:
    return ScoringRefused(401, "Unauthorized", message, {"WWW-Authenticate": "Bearer"})
