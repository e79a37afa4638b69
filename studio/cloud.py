"""What the studio knows of the local cloud around it: the file that the supervisor writes."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from studio.errors import StartError

_REMEDY = "start the local cloud with ./dev cloud start, which writes that file"


@dataclass(frozen=True)
class Cloud:
    """Addresses and secrets of one local cloud. `blob` is the proxy, `azurite` what it forwards to."""

    blob: str
    azurite: str
    account: str
    account_key: str = field(repr=False)
    arm_token: str = field(repr=False)
    subscription: str

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
    )
