"""Runs mirrored to a workspace's tracking server, which keeps no registered models for MLflow's own client."""

from __future__ import annotations

import pytest

from cli.mirroring.server import Server
from tests.cloud.azureml.aml import Aml
from tests.healing import Told
from tests.mirroring.world import World
from tests.studio.running import ARM_TOKEN


@pytest.mark.heals("see that it is an MLflow tracking server, then mirror again")
@pytest.mark.heals(
    "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, to those of an account that may "
    "write there"
)
def test_runs_are_mirrored_to_a_workspace(aml: Aml, monkeypatch: pytest.MonkeyPatch, remedy: Told) -> None:
    """At its own address, with a token: whole, once, and what it doesn't keep is said."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    world = World()
    run = world.trained(1, "mirrored")
    world.judged(run)
    world.bound(run)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", ARM_TOKEN)
    remedy.fails(lambda: world.mirror(Server.at(aml.cloud.url)))
    address = f"{aml.cloud.url}/mlflow/v1.0{aml.path}"
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "stale")
    remedy.fails(lambda: world.mirror(Server.at(address)))
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", ARM_TOKEN)
    done = world.mirror(Server.at(address))
    assert (done.runs, done.models) == (1, 0)
    assert done.notes == ["mirrored: the server keeps no registered models with aliases"]
    experiment = aml.mlflow("GET", "experiments/get-by-name", experiment_name="mirrored").json()["experiment"]
    found = aml.mlflow("POST", "runs/search", experiment_ids=[experiment["experiment_id"]]).json()["runs"]
    assert [one["info"]["status"] for one in found] == ["FINISHED"]
    assert {"key": "auc", "value": 0.71}.items() <= found[0]["data"]["metrics"][0].items()
    again = Server.at(address)
    world.mirror(again)
    assert again.writes == 0
