"""Bearer tokens: fetched when they are first needed, kept until shortly before they expire, renewed when refused.

A token of Azure comes from azure-identity's default chain: a service principal or a federated token (OIDC) from the
environment, a managed identity, the Azure CLI. The chain is imported when it is first asked, since that takes 0.25 s.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clients.clock import Clock, SystemClock
from clients.errors import CredentialError
from clients.text import told

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

_HEADER = "Authorization"
# A token that has less than this to live is renewed; one made for less than twice as long, at half its life.
_MARGIN_SECONDS = 300.0
# All tries of a sign-in, with their pauses: a longer Retry-After is not waited for.
_SIGN_IN_SECONDS = 60

_SIGN_IN = "run az login, or set AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE"
_SIGN_IN_AGAIN = (
    "run az login again, or renew the secret or the federated token that the AZURE_… variables name"
)
_AADSTS = re.compile(r"(AADSTS\d+: .*?)\.?\s*(?:Trace ID|Correlation ID|Timestamp|$)", re.MULTILINE)


@dataclass(frozen=True)
class Token:
    """A bearer token; *expires_at* in seconds since 1970, None where the service doesn't say."""

    value: str = field(repr=False)
    expires_at: float | None = None


class Bearer:
    """The Authorization header with a token that *fetch* gets; one instance may serve several threads.

    *token* is one that is known already. For a transport:
    ``Transport(…, authorize=bearer.headers, renew=bearer.renew)``.
    """

    def __init__(
        self, fetch: Callable[[], Token], clock: Clock | None = None, token: Token | None = None
    ) -> None:
        self._fetch = fetch
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._token = token
        self._renew_at: float | None = None

    def headers(self) -> Mapping[str, str]:
        """The header with a token that is still good. Raises what *fetch* raises."""
        with self._lock:
            if self._token is None or self._is_due():
                self._take()
            return self._header()

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Replace the token of the *refused* headers; whether there is another one now."""
        with self._lock:
            if self._token is None or self._header()[_HEADER] == refused.get(_HEADER):
                self._take()
            return self._header()[_HEADER] != refused.get(_HEADER)

    def _is_due(self) -> bool:
        return self._renew_at is not None and self._clock.now().timestamp() >= self._renew_at

    def _take(self) -> None:
        token = self._fetch()
        self._token, self._renew_at = token, None
        if token.expires_at is not None:
            life = token.expires_at - self._clock.now().timestamp()
            self._renew_at = token.expires_at - min(_MARGIN_SECONDS, life / 2)

    def _header(self) -> Mapping[str, str]:
        assert self._token is not None
        return {_HEADER: f"Bearer {self._token.value}"}


def azure(resource: str, chain: Callable[[], Any] | None = None) -> Callable[[], Token]:
    """How a token for *resource* (such as ``https://management.azure.com``) is got from Azure.

    *chain* makes the credential, azure-identity's default chain unless given. It is made anew for each token: one
    that lives on would answer a refused token out of its own memory.
    The function raises CredentialError: nobody is signed in, the sign-in was refused or has expired.
    """
    scope = f"{resource.rstrip('/')}/.default"

    def fetch() -> Token:
        from azure.core.exceptions import AzureError

        links = 0
        try:
            with (chain or _default_chain)() as credential:
                links = len(getattr(credential, "credentials", ()))
                found: AccessToken = credential.get_token(scope)
        except (AzureError, ValueError) as error:
            raise _refused(str(getattr(error, "message", error)), links) from None
        return Token(found.token, float(found.expires_on))

    return fetch


def _default_chain() -> Any:
    from azure.identity import AzureAuthorityHosts, DefaultAzureCredential

    from clients.http import connections

    # What fails is said once, by the CredentialError; without a handler Python would print the chain's own warning.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    known = {value for name, value in vars(AzureAuthorityHosts).items() if not name.startswith("_")}
    authority = os.environ.get("AZURE_AUTHORITY_HOST", "").removeprefix("https://").rstrip("/")
    # Azure's public directory vouches for its own hosts only; another one is trusted because the user named it.
    return DefaultAzureCredential(
        disable_instance_discovery=bool(authority) and authority not in known,
        transport=connections.for_azure(),
        retry_total=3,
        timeout=_SIGN_IN_SECONDS,
    )


def _refused(message: str, links: int) -> CredentialError:
    if said := _AADSTS.search(message):
        return CredentialError(f"Azure refused the sign-in: {said[1]}", _SIGN_IN_AGAIN)
    if "CERTIFICATE_VERIFY_FAILED" in message:
        return CredentialError(
            "the certificate of the sign-in service is not trusted",
            "name the file of its certificate authority in REQUESTS_CA_BUNDLE",
        )
    attempts = [line.strip() for line in message.splitlines() if line.startswith("\t")]
    if attempts and len(attempts) < links:  # the chain stops early at a credential that is there and fails
        return CredentialError(f"the sign-in to Azure failed: {told(attempts[-1], 300)}", _SIGN_IN_AGAIN)
    if not attempts:
        return CredentialError(f"the sign-in to Azure failed: {told(message, 300)}", _SIGN_IN_AGAIN)
    return CredentialError("nobody is signed in to Azure", _SIGN_IN)
