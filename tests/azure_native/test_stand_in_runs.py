"""The process and its runs: attaching, several at once, ends, and a studio that is away."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from tests.waiting import DEADLINE, own_port

GROUP = "resources:ResourceGroup"


def test_it_greets_as_azure_native_does(engine: Any) -> None:
    """It takes secrets and configured naming, previews creates, and has the version it stands in for."""
    greeting = engine.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    configured = engine.configure()
    assert greeting.accept_secrets
    assert greeting.supports_autonaming_configuration
    assert not greeting.accept_outputs
    assert configured.acceptSecrets
    assert configured.supportsPreview
    assert not configured.acceptResources
    assert engine.stub.GetPluginInfo(empty_pb2.Empty()).version == "3.29.0"
    with pytest.raises(grpc.RpcError) as caught:
        engine.stub.GetSchema(provider_pb2.GetSchemaRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_cancel_ends_nothing(attach: Any, urn: Callable[..., str]) -> None:
    """`Cancel` comes at the end of every run; this run's later calls and other runs go on."""
    first, second = attach(), attach()
    first.stub.Cancel(empty_pb2.Empty())
    assert second.make(urn(GROUP), resourceGroupName="one")[0]
    assert first.make(urn(GROUP, "other"), resourceGroupName="two")[0]


def test_each_run_has_its_own_location(attach: Any, urn: Callable[..., str]) -> None:
    """Runs that are attached at once do not see each other's configuration."""
    runs = {place: attach(place) for place in ("eastus", "westus", "uksouth")}
    for place, run in runs.items():
        assert run.check(urn(GROUP), {})[0]["location"] == place


def test_many_creates_at_once_all_succeed(attach: Any, cloud: Any, urn: Callable[..., str]) -> None:
    """Four runs that create eight groups each, in parallel, make 32 groups."""
    runs = [attach() for _ in range(4)]

    def create(number: int) -> str:
        made: str = runs[number % 4].make(urn(GROUP, f"g{number}"), resourceGroupName=f"g{number}")[0]
        return made

    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(create, range(32)))
    assert sorted(cloud.kept()) == sorted(ids)


def test_the_cloud_file_is_read_with_every_configure(
    cloud: Any, attach: Any, urn: Callable[..., str]
) -> None:
    """A studio that moved is found by the next run, without a restart of the stand-in."""
    known = json.loads(cloud.cloud_file.read_text())
    nowhere = f"http://127.0.0.1:{own_port()}"
    cloud.cloud_file.write_text(json.dumps({**known, "studio": nowhere}))
    run = attach()
    with pytest.raises(grpc.RpcError) as caught:
        run.make(urn(GROUP), resourceGroupName="rg")
    assert caught.value.details() == (
        f"the local cloud does not answer at {nowhere}\nremedy: ./dev cloud start"
    )
    cloud.cloud_file.write_text(json.dumps(known))
    run.configure("eastus")
    assert run.make(urn(GROUP), resourceGroupName="rg")[0]


@pytest.mark.parametrize("content", [None, "{", "[]", '{"studio": "http://127.0.0.1:1"}'])
def test_a_cloud_file_that_is_no_cloud_file_is_named(cloud: Any, attach: Any, content: str | None) -> None:
    """Missing, broken and incomplete files are told apart, each with the remedy."""
    if content is None:
        cloud.cloud_file.unlink()
    else:
        cloud.cloud_file.write_text(content)
    run = attach(None)
    with pytest.raises(grpc.RpcError) as caught:
        run.configure("eastus")
    cause, remedy = caught.value.details().splitlines()
    assert str(cloud.cloud_file) in cause
    assert remedy.endswith("./dev cloud start")


def test_a_wrong_token_is_not_shown(cloud: Any, attach: Any, urn: Callable[..., str]) -> None:
    """ARM's 401 reaches the user with its code and a remedy, and without the token."""
    known = json.loads(cloud.cloud_file.read_text())
    cloud.cloud_file.write_text(json.dumps({**known, "armToken": "not-the-token"}))
    with pytest.raises(grpc.RpcError) as caught:
        attach().make(urn(GROUP), resourceGroupName="rg")
    assert caught.value.details().startswith("InvalidAuthenticationToken: ")
    assert "not-the-token" not in caught.value.details()


def test_arms_conflict_is_the_cause(cloud: Any, engine: Any, urn: Callable[..., str]) -> None:
    """What ARM refuses arrives with ARM's code and message on one line."""
    id_, inputs, outputs = engine.make(urn(GROUP), resourceGroupName="rg")
    with pytest.raises(grpc.RpcError) as caught:
        engine.update(urn(GROUP), id_, outputs, {**inputs, "location": "eastus"})
    cause, remedy = caught.value.details().splitlines()
    assert cause.startswith("InvalidResourceGroupLocation: Invalid resource group location 'eastus'.")
    assert remedy.startswith("remedy: ")


def _start(cloud_file: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "localcloud.azure_native",
            "--cloud-file",
            str(cloud_file),
            "--port",
            str(port),
        ],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )


def test_the_process_starts_quickly_and_ends_on_sigterm(tmp_path: Path) -> None:
    """It answers without a cloud file yet, without loading the SDK, and SIGTERM ends it though a client is connected."""
    process = _start(tmp_path / "cloud.json", 0)
    assert process.stderr is not None
    try:
        port = int(process.stderr.readline().rpartition(":")[2])
        maps = Path(f"/proc/{process.pid}/maps")
        assert not maps.exists() or "pulumi_azure_native" not in maps.read_text()
        with socket.create_connection(("127.0.0.1", port), DEADLINE):
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_a_taken_port_is_one_line_of_cause_and_one_of_remedy(tmp_path: Path) -> None:
    """It refuses a port that another program has, with exit status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = _start(tmp_path / "cloud.json", port)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    lines = [line for line in said.splitlines() if line.startswith(("error", "remedy"))]
    assert lines[0] == f"error: port {port} is taken by another program"
    assert lines[1].startswith("remedy: ")
    assert "Traceback" not in said
