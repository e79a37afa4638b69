"""What goes wrong with a mirror on an MLflow tracking server, done as it is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cli.mirroring.server import Server
from tests.healing import Told
from tests.mirroring.world import World, a_server
from tests.waiting import own_port

AT = "cli/mirroring/server.py"


@pytest.fixture(autouse=True)
def _folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


@pytest.mark.heals(
    "leave them out, and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
)
def test_an_address_has_no_credentials_in_it(remedy: Told) -> None:
    """It is written down in stack files, and shown."""
    error = remedy.fails(lambda: Server.at("https://me:hush@mlflow.example.com"))
    assert "hush" not in str(error)
    Server.at("https://mlflow.example.com")


@pytest.mark.heals("uv pip install {}", at=AT)
def test_mlflow_is_installed_where_it_is_wanted(
    remedy: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing else needs it."""
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "mlflow", None)
        error = remedy.fails(lambda: a_server(tmp_path))
        assert error.remedy.endswith(" mlflow-skinny")
    a_server(tmp_path)


@pytest.mark.heals("restore it there, or give another --prefix")
def test_an_experiment_that_was_deleted_there_is_not_used(remedy: Told, tmp_path: Path) -> None:
    """Whoever deleted it says what is to become of it."""
    from mlflow import MlflowClient

    world, server = World(), a_server(tmp_path)
    world.trained(1)
    client = MlflowClient(server.uri, server.uri)
    made = client.create_experiment("flights")
    client.delete_experiment(made)
    remedy.fails(lambda: world.mirror(server))
    assert world.mirror(server, "new-").runs == 1
    client.restore_experiment(made)
    assert world.mirror(server).runs == 1


@pytest.mark.heals("check the address and that it runs, then mirror again")
def test_a_server_that_does_not_answer(remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said after a few attempts."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    world = World()
    world.trained(1)
    remedy.fails(lambda: world.mirror(Server.at(f"http://127.0.0.1:{own_port()}")))
    assert world.mirror(a_server(tmp_path)).runs == 1
