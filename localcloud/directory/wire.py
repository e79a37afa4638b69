"""The directory's JSON, as the clients of both of its versions read it.

Version 1 is what adal, ms-rest-azure and Azure PowerShell speak (`resource=`, numbers as strings); version 2 is msal's
(`scope=`). Source: https://learn.microsoft.com/entra/identity-platform, and RFC 6749, 7517, 8414.
"""

from __future__ import annotations

from typing import Any

from localcloud.directory.keys import SigningKey
from localcloud.directory.state import Issued


def openid_configuration(base: str, tenant: str) -> dict[str, Any]:
    """Where everything is (OpenID Connect discovery)."""
    authority = f"{base}/{tenant}"
    return {
        "issuer": f"{authority}/v2.0",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{authority}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "client_secret_basic",
            "private_key_jwt",
        ],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": None,
        "cloud_instance_name": base.partition("://")[2],
    }


def instance_discovery(base: str, tenant: str) -> dict[str, Any]:
    """That this host is an instance of the directory, and the only one of its kind."""
    host = base.partition("://")[2]
    return {
        "tenant_discovery_endpoint": f"{base}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }


def key_set(key: SigningKey) -> dict[str, Any]:
    """The public keys that tokens can be checked with."""
    return {"keys": [key.public_json()]}


def token_v2(token: Issued) -> dict[str, Any]:
    """An answer of `/oauth2/v2.0/token`."""
    seconds = token.expires_at - token.issued_at
    return {
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token.value,
    }


def token_v1(token: Issued) -> dict[str, Any]:
    """An answer of `/oauth2/token`."""
    seconds = str(token.expires_at - token.issued_at)
    return {
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "expires_on": str(token.expires_at),
        "not_before": str(token.issued_at),
        "resource": token.resource,
        "access_token": token.value,
    }


def token_of_identity(token: Issued, client_id: str) -> dict[str, Any]:
    """An answer of the managed identity's endpoint (App Service, 2019-08-01)."""
    return {
        "access_token": token.value,
        "client_id": client_id,
        "expires_on": str(token.expires_at),
        "resource": token.resource,
        "token_type": "Bearer",
    }
