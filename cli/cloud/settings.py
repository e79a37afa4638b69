"""The file that describes the local cloud: its addresses, its account, its secrets (mode 0600, random per checkout)."""

from __future__ import annotations

import base64
import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.cloud.ports import free_ports
from cli.errors import CliError

ACCOUNT = "retrainlocal"


VERSION = 2
_PORTS = ("azurite", "studio", "blob", "azure-native", "studio-https")


@dataclass(frozen=True)
class Cloud:
    """The content of `cloud.json`; the fields have the names that every reader of the file uses.

    Files of version 1 end with `allowFaults`; what follows is empty in them until `completed` fills it. The owner's
    static token is `armToken`; the reader's is with it.
    """

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
    studioHttps: str = ""  # noqa: N815
    caFile: str = ""  # noqa: N815
    tenant: str = ""
    owner: dict[str, str] = field(default_factory=dict)
    reader: dict[str, str] = field(default_factory=dict)
    identityHeader: str = ""  # noqa: N815
    tokenSeconds: int = 3600  # noqa: N815
    executor: str = "processes"
    softDelete: bool = False  # noqa: N815
    allowScripts: bool = False  # noqa: N815

    def __repr__(self) -> str:
        return f"Cloud(studio={self.studio!r}, blob={self.blob!r})"

    @property
    def ports(self) -> dict[str, int]:
        """The port of each service; 0 where it has none yet."""
        urls = {
            "azurite": self.azurite,
            "studio": self.studio,
            "blob": self.blob,
            "studio-https": self.studioHttps,
        }
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

    def sign_in(self, principal: str) -> dict[str, str]:
        """The environment in which Azure's libraries, and the target `environment`, are at this cloud as a principal."""
        who = self.owner if principal == "owner" else self.reader
        return {
            "AZURE_AUTHORITY_HOST": self.studioHttps,
            "AZURE_TENANT_ID": self.tenant,
            "AZURE_CLIENT_ID": who.get("clientId", ""),
            "AZURE_CLIENT_SECRET": who.get("clientSecret", ""),
            "REQUESTS_CA_BUNDLE": self.caFile,
            "RETRAIN_ARM_URL": self.studioHttps,
            "RETRAIN_STUDIO_URL": self.studioHttps,
            "RETRAIN_STORAGE_CONNECTION_STRING": self.connection_string,
        }

    def with_ports(self, ports: dict[str, int]) -> Cloud:
        """The same cloud at other ports."""
        return replace(self, **_addresses(self.account, ports))

    def completed(self, directory: Path) -> Cloud:
        """The same cloud with what a file of an older version lacks, and with its files below `directory`."""
        known = {name: port for name, port in self.ports.items() if port}
        missing = [name for name in _PORTS if name not in known]
        reader = self.reader or {"token": secrets.token_urlsafe(32)}
        return replace(
            self,
            version=max(VERSION, self.version),
            **_addresses(self.account, known | free_ports(missing)),
            caFile=str(directory / "tls" / "ca.pem"),
            tenant=self.tenant or str(uuid.uuid4()),
            owner=_new_principal() | self.owner | _files("owner", directory),
            reader=_new_principal() | reader | _files("reader", directory),
            identityHeader=self.identityHeader or secrets.token_urlsafe(32),
        )


def _new_principal() -> dict[str, str]:
    return {
        "clientId": str(uuid.uuid4()),
        "objectId": str(uuid.uuid4()),
        "clientSecret": secrets.token_urlsafe(32),
    }


def _files(principal: str, directory: Path) -> dict[str, str]:
    return {"federatedTokenFile": str(directory / "federated" / f"{principal}.jwt")}


def _addresses(account: str, ports: dict[str, int]) -> dict[str, Any]:
    return {
        "studio": f"http://127.0.0.1:{ports['studio']}",
        "studioHttps": f"https://127.0.0.1:{ports['studio-https']}",
        "blob": f"http://127.0.0.1:{ports['blob']}/{account}",
        "azurite": f"http://127.0.0.1:{ports['azurite']}/{account}",
        "azureNative": ports["azure-native"],
    }


def new_cloud(directory: Path) -> Cloud:
    """A cloud with free ports and secrets of its own; its files are below `directory`."""
    return Cloud(
        version=1,
        **_addresses(ACCOUNT, free_ports(list(_PORTS))),
        account=ACCOUNT,
        accountKey=base64.b64encode(secrets.token_bytes(64)).decode(),
        armToken=secrets.token_urlsafe(32),
        subscription=str(uuid.uuid4()),
        dataContainer="data",
        registryContainer="registry",
    ).completed(directory)


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
    """Write the file, whole or not at all, for this user only; what it holds besides is kept."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(_content(path) | asdict(cloud), file, indent=2)
    part.replace(path)


def _content(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}
