"""The directory and the ARM side behind HTTPS, in a thread of the test, with a clock of their own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from starlette.applications import Starlette

import localcloud.directory.routes
from localcloud import arm
from localcloud.directory.keys import SigningKey
from localcloud.directory.state import Directory
from localcloud.facilities.cloud import Cloud, Principal
from localcloud.facilities.files import write_private
from localcloud.facilities.store import Store
from localcloud.faults.middleware import ClosableProtocol
from localcloud.server.process import Server
from localcloud.server.tls import Tls

SUBSCRIPTION = "5d0c3f5e-2a44-4c55-9a7b-0f5a1b2c3d4e"
TENANT = "0b6f3f0e-58d4-4f0e-9f4e-0c5a5e6f7a8b"


def cloud_of(folder: Path) -> Cloud:
    """A cloud with an owner and a reader."""

    def principal(name: Any, digit: str, token: str = "") -> Principal:
        return Principal(
            name=name,
            client_id=f"{digit * 8}-1111-4111-8111-111111111111",
            object_id=f"{digit * 8}-2222-4222-8222-222222222222",
            secret=f"{name}-secret-{digit * 20}",
            token=token,
            federated_token_file=folder / "federated" / f"{name}.jwt",
        )

    return Cloud(
        blob="http://127.0.0.1:10001/retrainlocal",
        azurite="http://127.0.0.1:10000/retrainlocal",
        account="retrainlocal",
        account_key="a2V5",
        arm_token="static-token-of-the-owner",
        subscription=SUBSCRIPTION,
        tenant=TENANT,
        signs_in=(principal("owner", "a"), principal("reader", "b", "static-token-of-the-reader")),
        identity_header="header-of-the-managed-identity",
        ca_file=folder / "tls" / "ca.pem",
    )


class Clock:
    """The server's clock: the machine's, and what was added."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Door:
    """A running server: its addresses, its cloud, and what it keeps."""

    cloud: Cloud
    directory: Directory
    store: Store
    tls: Tls
    clock: Clock
    http: str = ""
    https: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def ca(self) -> str:
        """The file that clients trust."""
        return str(self.cloud.ca_file)

    @property
    def scope(self) -> str:
        """What SDKs ask a token for."""
        return "https://management.azure.com/.default"

    def principal(self, name: str) -> Principal:
        """The owner or the reader."""
        return next(one for one in self.cloud.principals if one.name == name)

    def environment(self, name: str = "owner") -> dict[str, str]:
        """How azure-identity finds the door, without a credential."""
        return {
            "AZURE_AUTHORITY_HOST": self.https,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": self.principal(name).client_id,
            "REQUESTS_CA_BUNDLE": self.ca,
            "RETRAIN_ARM_URL": self.https,
            "RETRAIN_STORAGE_CONNECTION_STRING": "BlobEndpoint=http://nowhere",
        }

    def sign_in(self, path: str, form: dict[str, str], **options: Any) -> requests.Response:
        """POST a form to the directory."""
        return self.session.post(f"{self.https}/{path}", data=form, timeout=30, **options)

    def form(self, name: str = "owner", **changes: str) -> dict[str, str]:
        """A form that gets a token."""
        who = self.principal(name)
        good = {
            "grant_type": "client_credentials",
            "client_id": who.client_id,
            "client_secret": who.secret,
            "scope": self.scope,
        }
        return {key: value for key, value in (good | changes).items() if value}

    def token(self, name: str = "owner", **changes: str) -> str:
        """A token of the directory."""
        answer = self.sign_in(f"{TENANT}/oauth2/v2.0/token", self.form(name, **changes))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def arm(self, token: str, path: str = "", method: str = "GET", body: Any = None) -> requests.Response:
        """A call of Resource Manager; `path` is below the subscription."""
        return self.session.request(
            method,
            f"{self.https}/subscriptions/{SUBSCRIPTION}{path}",
            params={"api-version": "2021-04-01"},
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            timeout=30,
        )


def _listen() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A key's file, made once since that takes a while."""
    file = tmp_path_factory.mktemp("key") / "signing.key"
    SigningKey.open(file)
    return file.read_bytes()


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signing_key: bytes) -> Iterator[Door]:
    """A server of this test alone; the environment names no credential but what the test sets."""
    for name in (
        "SSL_CERT_FILE",
        "CURL_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "https_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("CLIENT_ID", "TENANT_ID", "CLIENT_SECRET", "FEDERATED_TOKEN_FILE", "AUTHORITY_HOST"):
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    cloud, clock, store = cloud_of(tmp_path), Clock(), Store(tmp_path / "store")
    write_private(tmp_path / "signing.key", signing_key)
    directory = Directory(cloud, tmp_path / "signing.key", clock)
    directory.write_federated_tokens()
    assert cloud.ca_file
    opened = Door(cloud, directory, store, Tls(cloud.ca_file), clock)
    opened.session.verify = opened.ca
    opened.session.trust_env = False
    app = Starlette(
        routes=[
            *arm.routes(store, cloud, directory=directory),
            *localcloud.directory.routes.routes(directory),
        ],
    )
    config = uvicorn.Config(
        app,
        http=ClosableProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    with _listen() as plain, _listen() as secure:
        opened.http = f"http://127.0.0.1:{plain.getsockname()[1]}"
        opened.https = f"https://127.0.0.1:{secure.getsockname()[1]}"
        server = Server(config, secure, opened.tls)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([plain])))
        thread.start()
        try:
            yield opened
        finally:
            opened.session.close()
            server.should_exit = True
            thread.join()
            store.close()
