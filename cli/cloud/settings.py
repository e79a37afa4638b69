"""The file that describes the local cloud: its addresses, its account, its secrets (mode 0600, random per checkout)."""

from __future__ import annotations

import base64
import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.cloud.ports import free_ports
from cli.errors import CliError

ACCOUNT = "retrainlocal"


@dataclass(frozen=True)
class Cloud:
    """The content of `cloud.json`; the fields have the names that every reader of the file uses."""

    version: int
    studio: str
    blob: str
    azurite: str
    azureNative: int  # noqa: N815
    account: str
    accountKey: str  # noqa: N815
    armToken: str  # noqa: N815
    subscription: str
    dataContainer: str  # noqa: N815
    registryContainer: str  # noqa: N815
    allowFaults: bool = False  # noqa: N815

    def __repr__(self) -> str:
        return f"Cloud(studio={self.studio!r}, blob={self.blob!r})"

    @property
    def ports(self) -> dict[str, int]:
        """The port of each service."""
        urls = {"azurite": self.azurite, "studio": self.studio, "blob": self.blob}
        return {name: urlsplit(url).port or 0 for name, url in urls.items()} | {
            "azure-native": self.azureNative
        }

    @property
    def connection_string(self) -> str:
        """The storage account's connection string."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.accountKey};"
            f"BlobEndpoint={self.blob};"
        )

    def with_ports(self, ports: dict[str, int]) -> Cloud:
        """The same cloud at other ports."""
        return replace(self, **_addresses(self.account, ports))


def _addresses(account: str, ports: dict[str, int]) -> dict[str, Any]:
    return {
        "studio": f"http://127.0.0.1:{ports['studio']}",
        "blob": f"http://127.0.0.1:{ports['blob']}/{account}",
        "azurite": f"http://127.0.0.1:{ports['azurite']}/{account}",
        "azureNative": ports["azure-native"],
    }


def new_cloud() -> Cloud:
    """A cloud with free ports and secrets of its own."""
    return Cloud(
        version=1,
        **_addresses(ACCOUNT, free_ports(["azurite", "studio", "blob", "azure-native"])),
        account=ACCOUNT,
        accountKey=base64.b64encode(secrets.token_bytes(64)).decode(),
        armToken=secrets.token_urlsafe(32),
        subscription=str(uuid.uuid4()),
        dataContainer="data",
        registryContainer="registry",
    )


def load(path: Path) -> Cloud | None:
    """Read the file; None where there is none."""
    try:
        content = json.loads(path.read_text())
        return Cloud(**{name: content[name] for name in Cloud.__dataclass_fields__ if name in content})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise CliError(
            f"the local cloud's file {path.name} can't be read ({type(error).__name__})",
            "./dev cloud reset, which deletes all local data, then ./dev up",
        ) from None


def save(cloud: Cloud, path: Path) -> None:
    """Write the file, whole or not at all, for this user only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(cloud), file, indent=2)
    part.replace(path)
