"""What the server knows of the local cloud around it: the file that the supervisor writes."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from localcloud.facilities.errors import StartError

Role = Literal["owner", "reader"]

_ROLES: tuple[Role, ...] = ("owner", "reader")
_REMEDY = "start the local cloud with ./dev cloud start, which writes that file"


@dataclass(frozen=True)
class Principal:
    """Who may sign in, and as what: a reader reads, an owner does all. What is empty opens nothing.

    `token` is a static bearer token; `federated_token_file` is where the local cloud writes the principal's federated token.
    """

    name: Role
    client_id: str = ""
    object_id: str = ""
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    federated_token_file: Path | None = None


@dataclass(frozen=True)
class Cloud:
    """Addresses and secrets of one local cloud. `blob` is the proxy, `azurite` what it forwards to.

    `names` are the hosts of its addresses, by which it may be called; `studio` is its own address, without HTTPS. `signs_in` are the principals that the file names; `ca_file` is the certificate authority of its HTTPS.
    With `soft_delete` the names of deleted vaults and of Azure ML's workspaces stay taken until they are purged.
    """

    blob: str
    azurite: str
    account: str
    account_key: str = field(repr=False)
    arm_token: str = field(repr=False)
    subscription: str
    studio: str = ""
    names: frozenset[str] = frozenset()
    tenant: str = ""
    signs_in: tuple[Principal, ...] = ()
    identity_header: str = field(default="", repr=False)
    token_seconds: int = 3600
    ca_file: Path | None = None
    soft_delete: bool = False

    def __post_init__(self) -> None:
        if not self.tenant:
            # Made from the subscription, so that it is as stable.
            tenant = uuid.uuid5(uuid.NAMESPACE_OID, f"tenant:{self.subscription}")
            object.__setattr__(self, "tenant", str(tenant))

    @property
    def principals(self) -> tuple[Principal, ...]:
        """Who may call Resource Manager, the owner first; the file's static token is the owner's."""
        owner = next((one for one in self.signs_in if one.name == "owner"), Principal("owner"))
        others = (one for one in self.signs_in if one.name != "owner")
        return (replace(owner, token=self.arm_token), *others)

    @property
    def azurite_address(self) -> tuple[str, int]:
        """Host and port of Azurite itself."""
        parts = urlsplit(self.azurite)
        return parts.hostname or "127.0.0.1", parts.port or 10000


def read_cloud(path: Path) -> Cloud:
    """Read the cloud file. Raises `StartError` where it is missing, unreadable or incomplete."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartError(f"cannot read the cloud file {path}: {error.strerror}", _REMEDY) from None
    except ValueError:
        raise StartError(f"the cloud file {path} is not JSON", _REMEDY) from None
    names = ("blob", "azurite", "account", "accountKey", "armToken", "subscription")
    missing = [
        name for name in names if not isinstance(document, dict) or not isinstance(document.get(name), str)
    ]
    if missing:
        raise StartError(f"the cloud file {path} lacks {', '.join(missing)}", _REMEDY)
    try:
        base64.b64decode(document["accountKey"], validate=True)
    except binascii.Error:
        raise StartError(f"the accountKey in {path} is not base64", _REMEDY) from None
    return Cloud(
        blob=document["blob"].rstrip("/"),
        azurite=document["azurite"].rstrip("/"),
        account=document["account"],
        account_key=document["accountKey"],
        arm_token=document["armToken"],
        subscription=document["subscription"],
        studio=str(document.get("studio") or "").rstrip("/"),
        soft_delete=document.get("softDelete") is True,
        names=frozenset(
            host
            for name in ("studio", "studioHttps", "blob")
            if (host := urlsplit(str(document.get(name) or "")).hostname)
        ),
        **_sign_in(document, path),
    )


def _sign_in(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What the file says of signing in and HTTPS; files of older versions say nothing. Raises `StartError`."""
    try:
        return {
            "tenant": str(document.get("tenant") or ""),
            "signs_in": tuple(
                Principal(
                    name=name,
                    client_id=str(given["clientId"]),
                    object_id=str(given["objectId"]),
                    secret=str(given["clientSecret"]),
                    token=str(given.get("token") or ""),
                    federated_token_file=Path(given["federatedTokenFile"]),
                )
                for name in _ROLES
                if (given := document.get(name))
            ),
            "identity_header": str(document.get("identityHeader") or ""),
            "token_seconds": max(1, int(document.get("tokenSeconds") or 3600)),
            "ca_file": Path(document["caFile"]) if document.get("caFile") else None,
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StartError(
            f"the cloud file {path} has a wrong entry for signing in: {error!r}", _REMEDY
        ) from None
