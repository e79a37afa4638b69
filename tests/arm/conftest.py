"""The ARM side in-process, over a store of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from localcloud.arm import routes
from localcloud.arm.operation import Operation
from localcloud.arm.tracked import ResourceType
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.store import Store

CLOUD = Cloud(
    blob="http://127.0.0.1:10001/retrainlocal",
    azurite="http://127.0.0.1:10000/retrainlocal",
    account="retrainlocal",
    account_key="a2V5",
    arm_token="arm-token-of-this-test",
    subscription="5d0c3f5e-2a44-4c55-9a7b-0f5a1b2c3d4e",
)


class Client:
    """HTTP calls to the ARM side over a store, without a socket."""

    def __init__(
        self,
        store: Store,
        more: Sequence[ResourceType] = (),
        further: Sequence[Operation] = (),
        others: Sequence[BaseRoute] = (),
        cloud: Cloud = CLOUD,
    ) -> None:
        served = [*others, *routes(store, cloud, more=more, further=further)]
        transport = httpx.ASGITransport(Starlette(routes=served))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://studio.test")
        self._runner = asyncio.Runner()

    def request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """One call."""
        return self._runner.run(self._http.request(method, path, **sent))

    def close(self) -> None:
        """End the client."""
        self._runner.run(self._http.aclose())
        self._runner.close()


@dataclass
class Arm:
    """Calls to the ARM side, signed in, with an api-version."""

    client: Client
    store: Store
    cloud: Cloud = CLOUD

    def restart(self) -> None:
        """End client and store, and begin again on the same data."""
        directory = self.store.data_dir
        self.close()
        self.store = Store(directory)
        self.client = Client(self.store)

    def close(self) -> None:
        """End client and store."""
        self.client.close()
        self.store.close()

    def __call__(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        """One call; `path` is below the subscription."""
        return self.raw(method, f"/subscriptions/{self.cloud.subscription}{path}", body, **query)

    def raw(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        """One call on a whole path."""
        return self.client.request(
            method,
            path,
            params={"api-version": "2019-10-01", **query},
            headers={"Authorization": f"Bearer {self.cloud.arm_token}"},
            json=body,
        )

    def group(self, name: str = "rg") -> str:
        """A resource group; its path below the subscription."""
        path = f"/resourceGroups/{name}"
        assert self("PUT", path, {"location": "westeurope"}).is_success
        return path

    def account(self, name: str = "store1", group: str = "rg") -> str:
        """A storage account in a group of its own; its whole id."""
        path = f"{self.group(group)}/providers/Microsoft.Storage/storageAccounts/{name}"
        answer = self(
            "PUT", path, {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def workspace(self, name: str = "ws", group: str = "rg", account: str = "store1") -> str:
        """A classic workspace with its account; its path below the subscription."""
        body = {
            "location": "West Europe",
            "properties": {
                "ownerEmail": "owner@example.org",
                "userStorageAccountId": self.account(account, group),
            },
        }
        path = f"/resourceGroups/{group}/providers/Microsoft.MachineLearning/workspaces/{name}"
        answer = self("PUT", path, body)
        assert answer.status_code == 200, answer.text
        return path


@pytest.fixture
def arm(tmp_path: Path) -> Iterator[Arm]:
    """A fresh ARM side."""
    store = Store(tmp_path)
    side = Arm(Client(store), store)
    yield side
    side.close()
