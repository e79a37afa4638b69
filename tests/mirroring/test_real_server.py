"""A mirror on a real `mlflow server`: its database, its artifacts by HTTP, its models and aliases."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from cli.mirroring.server import Server
from tests.mirroring.world import World, seen
from tests.waiting import eventually, own_port

pytestmark = pytest.mark.skipif(
    not os.environ.get("MLFLOW_SERVER"),
    reason="MLFLOW_SERVER names no `mlflow` with a server: uv venv DIR; uv pip install -p DIR mlflow==3.17.2; DIR/bin/mlflow",
)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    port = own_port()
    url = f"http://127.0.0.1:{port}"
    command = [os.environ["MLFLOW_SERVER"], "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path}/db", "--workers", "1"]
    command += ["--artifacts-destination", str(tmp_path / "artifacts")]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=tmp_path) as process,
    ):
        try:
            eventually(lambda: _answers(url), "the server", 120)
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_a_real_server_has_all_of_it_once(address: str, tmp_path: Path) -> None:
    """Runs, versions with the models' bytes, aliases that move; nothing the second time."""
    from mlflow import MlflowClient
    from mlflow.artifacts import download_artifacts

    world = World()
    first, second = world.trained(1), world.trained(2)
    world.judged(second)
    world.bound(first)
    done = world.mirror(Server.at(address))
    assert (done.runs, done.models, done.aliases, done.notes) == (2, 2, 2, [])
    before = seen(Server.at(address))
    again = Server.at(address)
    world.mirror(again)
    assert again.writes == 0
    assert seen(again) == before
    world.bound(second)
    moved = Server.at(address)
    world.mirror(moved)
    assert moved.writes == 2
    client = MlflowClient(address, address)
    version = client.get_model_version_by_alias("flights", "champion")
    assert version.tags["retrain.verdict"] == "passed"
    place = Path(download_artifacts(version.source, dst_path=str(tmp_path), tracking_uri=address))
    assert [file.read_bytes() for file in place.iterdir()] == [b"model of 2"]
