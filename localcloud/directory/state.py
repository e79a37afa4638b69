"""Who may sign in to the local cloud, and the tokens that prove it.

There are two principals, an owner and a reader, each with a secret and a federated token of its own; the owner is also
the machine's managed identity. Besides issued tokens (JWT, RS256), the static tokens of the cloud file are accepted.
"""

from __future__ import annotations

import hmac
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import jwt

from localcloud.directory import errors
from localcloud.directory.errors import TokenRefused
from localcloud.directory.keys import SigningKey
from localcloud.facilities.cloud import Cloud, Principal
from localcloud.facilities.files import write_private

ARM_AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
ML_AUDIENCE = "https://ml.azure.com"
_OTHER_RESOURCES = ("https://storage.azure.com", "https://studio.azureml.net", ML_AUDIENCE)
FEDERATION_AUDIENCE = "api://AzureADTokenExchange"
_FEDERATED_SECONDS = 24 * 3600
_CLOCK_SKEW_SECONDS = 300  # how far a service's clock may be behind, as Azure has it


@dataclass(frozen=True)
class Issued:
    """An access token as it is answered; times in seconds since 1970."""

    value: str = field(repr=False)
    resource: str
    issued_at: int
    expires_at: int


class Directory:
    """The principals of one cloud. `clock` gives seconds since 1970."""

    def __init__(
        self, cloud: Cloud, key_file: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.cloud = cloud
        self.tenant = cloud.tenant
        self.clock = clock
        self._key_file = key_file

    @cached_property
    def key(self) -> SigningKey:
        """What tokens are signed with: kept in the key file, or in memory only where there is none."""
        return SigningKey.open(self._key_file) if self._key_file else SigningKey.new()

    @property
    def _issuer(self) -> str:
        return f"https://sts.windows.net/{self.tenant}/"

    @property
    def _federation_issuer(self) -> str:
        return f"https://federation.local/{self.tenant}"

    def check_tenant(self, tenant: str) -> None:
        """Raise AadError for a tenant that is none of this cloud."""
        if tenant.lower() not in (self.tenant.lower(), "common", "organizations"):
            raise errors.tenant_not_found(tenant)

    def by_secret(self, client_id: str, secret: str) -> Principal:
        """The principal with that client id and secret. Raises AadError."""
        found = self._principal(client_id)
        if not found.secret or not hmac.compare_digest(found.secret.encode(), secret.encode()):
            raise errors.wrong_secret(client_id)
        return found

    def by_assertion(self, client_id: str, assertion: str) -> Principal:
        """The principal with that client id and federated token. Raises AadError."""
        found = self._principal(client_id)
        try:
            claims = self.key.read(assertion)
        except jwt.InvalidTokenError:
            raise errors.assertion_invalid("its issuer is not trusted") from None
        if claims.get("iss") != self._federation_issuer:
            raise errors.assertion_invalid("its issuer is not trusted")
        if claims.get("aud") != FEDERATION_AUDIENCE:
            raise errors.assertion_invalid(f"its audience is not {FEDERATION_AUDIENCE}")
        if not claims.get("nbf", 0) - _CLOCK_SKEW_SECONDS <= self.clock() < claims["exp"]:
            raise errors.assertion_expired()
        if claims.get("sub") != found.name:
            raise errors.assertion_of_another(str(claims.get("sub")))
        return found

    def managed_identity(self, header: str, client_id: str | None) -> Principal | None:
        """The machine's own identity, for who knows the header of its endpoint; None for anybody else."""
        expected = self.cloud.identity_header
        if not expected or not hmac.compare_digest(expected.encode(), header.encode()):
            return None
        identity = self.cloud.principals[0]
        return identity if client_id in (None, identity.client_id) else None

    def issue(self, principal: Principal, resource: str, own_address: str) -> Issued:
        """A token of `principal` for a service of this cloud. Raises AadError for any other."""
        known = (*ARM_AUDIENCES, *_OTHER_RESOURCES, own_address)
        if resource.rstrip("/") not in known:
            raise errors.unknown_resource(resource, self.tenant)
        now = int(self.clock())
        expires_at = now + self.cloud.token_seconds
        claims = {
            "aud": resource,
            "iss": self._issuer,
            "iat": now,
            "nbf": now,
            "exp": expires_at,
            "appid": principal.client_id,
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": self.tenant,
            "uti": uuid.uuid4().hex,
            "ver": "1.0",
        }
        return Issued(self.key.sign(claims), resource, now, expires_at)

    def bearer(self, token: str, own_address: str, audiences: tuple[str, ...] = ARM_AUDIENCES) -> Principal:
        """The principal that a bearer token proves, for Resource Manager or for other `audiences`. Raises TokenRefused."""
        for principal in self.cloud.principals:
            if principal.token and hmac.compare_digest(principal.token.encode(), token.encode()):
                return principal
        try:
            claims = self.key.read(token)
        except jwt.InvalidTokenError:
            raise TokenRefused("InvalidAuthenticationToken", "The access token is invalid.") from None
        if claims.get("iss") != self._issuer:
            raise TokenRefused(
                "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer."
            )
        self._check_audience(str(claims.get("aud")), (*audiences, own_address))
        now = self.clock()
        if claims["exp"] <= now:
            raise TokenRefused(
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time '{_shown(claims['exp'])}' is earlier than current UTC time"
                f" '{_shown(now)}'.",
            )
        found = [one for one in self.cloud.principals if one.object_id == claims.get("oid")]
        if not found:
            raise TokenRefused("InvalidAuthenticationToken", "The access token is of an unknown principal.")
        return found[0]

    def write_federated_tokens(self) -> None:
        """Write each principal's federated token to its file, as a CI system or a cluster would. Raises OSError."""
        now = int(self.clock())
        for principal in self.cloud.principals:
            if principal.federated_token_file is not None:
                claims = {
                    "iss": self._federation_issuer,
                    "sub": principal.name,
                    "aud": FEDERATION_AUDIENCE,
                    "iat": now,
                    "nbf": now,
                    "exp": now + _FEDERATED_SECONDS,
                }
                write_private(principal.federated_token_file, self.key.sign(claims).encode())

    def _principal(self, client_id: str) -> Principal:
        for principal in self.cloud.principals:
            if principal.client_id and principal.client_id.lower() == client_id.lower():
                return principal
        raise errors.unknown_client(client_id, self.tenant)

    @staticmethod
    def _check_audience(audience: str, allowed: tuple[str, ...]) -> None:
        if audience.rstrip("/") not in allowed:
            shown = ",".join(f"'{one}'" for one in allowed)
            raise TokenRefused(
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{audience}'. It should"
                f" exactly match with one of the allowed audiences {shown}.",
            )


def _shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%m/%d/%Y %I:%M:%S %p")
