"""The example of own code: read as `az ml` reads it, trained on its data, measured, and served."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.cloud.example_data import tumour_blobs
from retrain_hooks.experiments.own_code import OwnCode, form_of, load_own_code
from tasks import TASKS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "experiments" / "tumours"


@pytest.fixture(scope="module")
def own() -> OwnCode:
    return load_own_code("tumours", ROOT)


@pytest.fixture(scope="module")
def tables() -> dict[str, bytes]:
    return dict(tumour_blobs())


def rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode())))


def test_it_is_read_as_a_job_and_a_deployment(own: OwnCode) -> None:
    """By its own conventions."""
    assert form_of("tumours", ROOT) == "own code"
    assert own.training.resolve({}) == {"penalty": "1", "held_out": "0.25", "seed": "0"}
    assert set(own.training.code_files()) == {"train.py", "score.py"}


def test_az_ml_reads_the_same(own: OwnCode) -> None:
    """The SDK beneath `az ml` loads both files, and finds in them what is found here."""
    with warnings.catch_warnings(action="ignore"):
        from azure.ai.ml import load_job, load_online_deployment

        job = load_job(FOLDER / "job.yml")
        deployment = load_online_deployment(FOLDER / "deployment.yml")
    training, serving = own.training, own.deployment
    assert job.command == training.command
    assert set(job.inputs) == {*training.inputs, *training.parameters}
    assert {name: output.type for name, output in job.outputs.items()} == {"model": "custom_model"}
    assert job.limits.timeout == training.timeout
    assert job.environment.image == training.environment.image
    packages = yaml.safe_load(training.environment.conda)
    assert job.environment.conda_file == {"name": "tumours", **packages}
    assert deployment.code_configuration.scoring_script == serving.scoring_script
    assert deployment.instance_type == serving.instance_type
    assert serving.request_settings is not None
    assert deployment.request_settings.request_timeout_ms == serving.request_settings.request_timeout_ms
    assert serving.liveness_probe is not None
    assert deployment.liveness_probe.failure_threshold == serving.liveness_probe.failure_threshold


def test_its_data_is_as_data_json_says(tables: dict[str, bytes]) -> None:
    """Versions and columns; no row of the holdout is one of those that are trained from."""
    data = json.loads((FOLDER / "data.json").read_text(encoding="utf-8"))
    assert [data["path"].format(version=version) for version in data["versions"]] == list(tables)
    first, second, held = map(rows, tables.values())
    assert list(first[0]) == list(data["columns"])
    assert (len(first), len(second), len(held)) == (300, 450, 119)
    assert second[:300] == first
    assert not [row for row in held if row in second]
    assert list(json.loads((FOLDER / "sample.json").read_text())["input1"]) == list(data["columns"])[:-1]


def run(arguments: list[str], cwd: Path, **variables: str) -> str:
    """Run this Python in a folder of the experiment's code."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(cwd), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SCORE = "import json, sys, score; score.init(); print(json.dumps(score.run(sys.argv[1])))"


def test_it_trains_logs_the_gates_metrics_and_scores(
    own: OwnCode, tables: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command as it is, and the script; what the stack's rule asks for is met on rows that nobody trained from, too."""
    import mlflow
    from sklearn.metrics import roc_auc_score

    (tmp_path / "data.csv").write_bytes(tables["tumours/v1.csv"])
    given = {f"inputs.{name}": text for name, text in own.training.literals({}).items()}
    given |= {"inputs.data": str(tmp_path / "data.csv"), "outputs.model": str(tmp_path / "model" / "out")}
    command = own.training.command.removeprefix("python ")
    for name, text in given.items():
        command = command.replace(f"${{{{{name}}}}}", text)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    store = (tmp_path / "runs").as_uri()
    with warnings.catch_warnings(action="ignore"):
        client: Any = mlflow.MlflowClient(store)
        begun = client.create_run("0").info.run_id
        tracking = {"MLFLOW_TRACKING_URI": store, "MLFLOW_RUN_ID": begun, "MLFLOW_ALLOW_FILE_STORE": "true"}
        run(command.split(), FOLDER / "src", **tracking)
        metrics = client.get_run(begun).data.metrics
    assert set(metrics) == {one.name for one in TASKS["two-class"].metrics}
    assert metrics["auc"] >= 0.95
    held = rows(tables["tumours/holdout.csv"])
    happened = [row.pop("diagnosis") == "malignant" for row in held]
    answered = run(
        ["-c", SCORE, json.dumps({"rows": held})], FOLDER / "src", AZUREML_MODEL_DIR=str(tmp_path / "model")
    )
    scores = [row["Scored Probabilities"] for row in json.loads(answered)]
    assert roc_auc_score(happened, scores) >= 0.95


def test_its_stack_asks_for_a_metric_that_it_logs() -> None:
    """And for the experiment, its data and the kind that it needs."""
    config = yaml.safe_load((ROOT / "Pulumi.tumours.yaml").read_text())["config"]
    assert config["retraining:experiment"] == "tumours"
    assert config["retraining:kind"] == "azureml"
    data = json.loads((FOLDER / "data.json").read_text(encoding="utf-8"))
    assert config["retraining:dataPath"] == data["path"]
    assert config["retraining:dataVersion"] in data["versions"]
    assert all(TASKS["two-class"].metric(rule.split()[0]) for rule in config["retraining:gateRules"])
