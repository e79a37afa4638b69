"""The ARM side on a real loopback port, and the stand-in in front of it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import uvicorn
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from localcloud.arm import routes
from localcloud.azure_native.server import Server
from localcloud.azure_native.wire import decode, encode
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.store import Store

TOKEN = "arm-token-of-this-test"
SUBSCRIPTION = "5d0c3f5e-2a44-4c55-9a7b-0f5a1b2c3d4e"


@dataclass
class LocalCloud:
    """A running ARM side: its store, its cloud file, and calls to it."""

    store: Store
    cloud_file: Path
    studio: str

    def arm(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """One call with the token and an api-version; `path` below the subscription."""
        return httpx.request(
            method,
            f"{self.studio}/subscriptions/{SUBSCRIPTION}{path}",
            params={"api-version": "2024-03-01"},
            headers={"Authorization": f"Bearer {TOKEN}"},
            json=body,
            trust_env=False,
        )

    def kept(self) -> list[str]:
        """The ids of all that is there."""
        return [document["id"] for document in self.store.arm_list("/subscriptions/")]


def write_cloud_file(path: Path, studio: str, token: str = TOKEN) -> Path:
    """A cloud file as far as the stand-in reads it."""
    path.write_text(json.dumps({"studio": studio, "armToken": token, "subscription": SUBSCRIPTION}))
    return path


class Listener:
    """One HTTP server for all tests, which answers with the app of the test that runs."""

    def __init__(self) -> None:
        self.app: Starlette | None = None
        # With its protocol named, or asyncio leaves Nagle's algorithm on: 40 ms a call.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(self._answer, interface="asgi3", log_level="error", lifespan="off")
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    def close(self) -> None:
        """Stop the server."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """The HTTP server."""
    server = Listener()
    yield server
    server.close()


@pytest.fixture
def cloud(listener: Listener, tmp_path: Path) -> Iterator[LocalCloud]:
    """A fresh ARM side on a loopback port."""
    store = Store(tmp_path / "studio")
    known = Cloud(
        blob="http://127.0.0.1:10001/retrainlocal",
        azurite="http://127.0.0.1:10000/retrainlocal",
        account="retrainlocal",
        account_key="a2V5",
        arm_token=TOKEN,
        subscription=SUBSCRIPTION,
    )
    listener.app = Starlette(routes=routes(store, known))
    yield LocalCloud(store, write_cloud_file(tmp_path / "cloud.json", listener.url), listener.url)
    store.close()


@pytest.fixture
def stand_in(cloud: LocalCloud) -> Iterator[Server]:
    """The stand-in, serving on a free port."""
    server = Server(cloud.cloud_file)
    server.start()
    yield server
    server.stop()


class Engine:
    """The calls that Pulumi's engine makes for one resource at a time, in plain values."""

    def __init__(self, port: int, location: str | None = "West Europe") -> None:
        # A channel of its own, as each run of Pulumi is a process of its own.
        self.channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", options=(("grpc.use_local_subchannel_pool", 1),)
        )
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        if location is not None:
            self.configure(location)

    def configure(self, location: str = "") -> Any:
        """Configure, with `azure-native:location` where one is given."""
        variables = {"azure-native:config:location": location} if location else {}
        return self.stub.Configure(provider_pb2.ConfigureRequest(variables=variables, acceptSecrets=True))

    def check(
        self, urn: str, news: dict[str, Any], olds: dict[str, Any] | None = None, seed: bytes = b"seed"
    ) -> tuple[dict[str, Any], list[str]]:
        """Checked inputs, and the reasons of failures."""
        request = provider_pb2.CheckRequest(urn=urn, news=encode(news), randomSeed=seed)
        if olds is not None:
            request.olds.CopyFrom(encode(olds))
        answer = self.stub.Check(request)
        return decode(answer.inputs), [failure.reason for failure in answer.failures]

    def diff(
        self, urn: str, olds: dict[str, Any], news: dict[str, Any], state: dict[str, Any] | None = None
    ) -> Any:
        """The diff of old inputs and new ones."""
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                urn=urn, old_inputs=encode(olds), news=encode(news), olds=encode(state or olds)
            )
        )

    def create(
        self, urn: str, inputs: dict[str, Any], *, preview: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """The id and the outputs."""
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=urn, properties=encode(inputs), preview=preview)
        )
        return answer.id, decode(answer.properties)

    def update(
        self, urn: str, id_: str, olds: dict[str, Any], news: dict[str, Any], *, preview: bool = False
    ) -> dict[str, Any]:
        """The outputs after an update."""
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(urn=urn, id=id_, olds=encode(olds), news=encode(news), preview=preview)
        )
        return decode(answer.properties)

    def read(
        self, urn: str, id_: str, state: dict[str, Any] | None = None, inputs: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Id, outputs and inputs of the live resource."""
        request = provider_pb2.ReadRequest(
            urn=urn, id=id_, properties=encode(state or {}), inputs=encode(inputs or {})
        )
        answer = self.stub.Read(request)
        return answer.id, decode(answer.properties), decode(answer.inputs)

    def delete(self, urn: str, id_: str) -> None:
        """Delete it."""
        self.stub.Delete(provider_pb2.DeleteRequest(urn=urn, id=id_))

    def invoke(self, token: str, args: dict[str, Any]) -> dict[str, Any]:
        """What a function answers."""
        return decode(
            getattr(self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(args))), "return")
        )

    def make(self, urn: str, **inputs: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Check and create; id, inputs, outputs."""
        checked, failures = self.check(urn, inputs)
        assert failures == []
        id_, outputs = self.create(urn, checked)
        return id_, checked, outputs


def urn_of(kind: str, name: str = "thing", stack: str = "dev") -> str:
    """A URN as the engine writes it, inside a component."""
    return f"urn:pulumi:{stack}::project::retrain:index:Workspace$azure-native:{kind}::{name}"


@pytest.fixture
def engine(stand_in: Server) -> Iterator[Engine]:
    """A run that is attached and configured."""
    run = Engine(stand_in.port)
    yield run
    run.channel.close()


@pytest.fixture
def attach(stand_in: Server) -> Iterator[Callable[..., Engine]]:
    """Attach further runs, which end with the test."""
    runs: list[Engine] = []

    def one_more(location: str | None = "West Europe") -> Engine:
        runs.append(Engine(stand_in.port, location))
        return runs[-1]

    yield one_more
    for run in runs:
        run.channel.close()


@pytest.fixture
def urn() -> Callable[..., str]:
    """Makes URNs; see `urn_of`."""
    return urn_of
