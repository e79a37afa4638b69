"""MLflow's own client, inside and outside of jobs, and who may log what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.azureml.aml import Aml
from tests.studio.running import ARM_TOKEN
from tests.waiting import eventually

CONDA = "dependencies:\n- python=3.11\n- pip:\n  - mlflow-skinny>=3.1\n  - scikit-learn>=1.6\n  - pandas\n  - skops\n"


def client(aml: Aml, script: str, directory: Path, token: str = ARM_TOKEN) -> dict[str, Any]:
    """What a script outside prints as its last line, in JSON, with `mlflow` set to the workspace."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import json, mlflow\n" + textwrap.dedent(script)],
        cwd=directory,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "MLFLOW_TRACKING_URI": f"{aml.cloud.url}/mlflow/v1.0{aml.path}",
            "MLFLOW_TRACKING_TOKEN": token,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_job_logs_and_its_run_is_read_afterwards(aml: Aml, tmp_path: Path) -> None:
    """Parameters, metrics with steps, tags, files and a model of scikit-learn; the run is the job's."""
    environment = aml.put("environments", "sklearn", "1", image="x", condaFile=CONDA)["id"]
    code = aml.code(
        "logs",
        train_py=(
            "import mlflow, math, pathlib\n"
            "from sklearn.linear_model import LinearRegression\n"
            "model = LinearRegression().fit([[1], [2]], [2, 4])\n"
            "with mlflow.start_run():\n"
            "    mlflow.log_param('depth', 3)\n"
            "    for step in range(3): mlflow.log_metric('loss', 1 / (step + 1), step=step)\n"
            "    mlflow.log_metric('odd', math.nan)\n"
            "    mlflow.set_tag('kind', 'linear')\n"
            "    mlflow.log_text('hello', 'notes/a.txt')\n"
            "    mlflow.sklearn.log_model(model, name='model', pip_requirements=['scikit-learn'])\n"
        ),
    )
    details = aml.run("logger", "python train.py", codeId=code, environmentId=environment)
    assert details["status"] == "Completed", (details, aml.log("logger"))
    said = client(
        aml,
        """
        from mlflow import MlflowClient
        run = mlflow.get_run("logger")
        history = [(m.step, m.value) for m in MlflowClient().get_metric_history("logger", "loss")]
        found = mlflow.search_runs(
            experiment_names=["tests"], filter_string="metrics.loss < 0.5 and tags.kind = 'linear'",
            order_by=["metrics.loss ASC"], output_format="list",
        )
        text = mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/a.txt")
        path = mlflow.artifacts.download_artifacts("runs:/logger/model", dst_path="model")
        print(json.dumps({
            "status": run.info.status, "params": run.data.params, "loss": run.data.metrics["loss"],
            "odd": str(run.data.metrics["odd"]), "history": history, "found": [r.info.run_id for r in found],
            "text": text, "listed": [f.path for f in MlflowClient().list_artifacts("logger")],
        }))
        """,
        tmp_path,
    )
    assert said == {
        "status": "FINISHED",
        "params": {"depth": "3"},
        "loss": pytest.approx(1 / 3),
        "odd": "nan",
        "history": [[0, 1.0], [1, 0.5], [2, pytest.approx(1 / 3)]],
        "found": ["logger"],
        "text": "hello",
        "listed": said["listed"],
    }
    assert "notes" in said["listed"]
    assert list((tmp_path / "model").rglob("MLmodel"))
    model = aml.put("models", "logged", "1", modelUri="runs:/logger/model", modelType="mlflow_model")
    assert model["properties"]["jobName"] == "logger"
    place = model["properties"]["modelUri"].partition("/paths/")[2]
    assert "MLmodel" in aml.blobs("workspaceartifactstore", place)


def test_a_client_outside_has_runs_of_its_own(aml: Aml, tmp_path: Path) -> None:
    """An experiment is made by name, runs are found, changed and deleted."""
    said = client(
        aml,
        """
        from mlflow import MlflowClient
        mlflow.set_experiment("outside")
        with mlflow.start_run(run_name="one") as first:
            mlflow.log_params({"a": "1", "b": "x"})
            mlflow.log_metrics({"auc": 0.9})
            with mlflow.start_run(run_name="two", nested=True) as second:
                mlflow.log_metrics({"auc": 0.7})
        try:
            mlflow.MlflowClient().log_param(first.info.run_id, "a", "2")
            changed = "changed"
        except mlflow.MlflowException as error:
            changed = str(error)
        def names(**asked):
            found = mlflow.search_runs(experiment_names=["outside"], output_format="list", **asked)
            return [run.info.run_name for run in found]
        both = names(order_by=["metrics.auc DESC"])
        filters = [
            names(filter_string=text)
            for text in ("params.b = 'x'", "metrics.auc <= 0.7", "attributes.run_name LIKE 't%'", "tags.none = 'x'")
        ]
        try:
            names(filter_string="auc >")
        except mlflow.MlflowException as error:
            wrong = str(error)
        mlflow.delete_run(second.info.run_id)
        print(json.dumps({"changed": changed, "both": both, "left": names(), "filters": filters, "wrong": wrong,
                          "experiments": [e.name for e in mlflow.search_experiments()]}))
        """,
        tmp_path,
    )
    assert "Changing param values is not allowed" in said["changed"]
    assert (said["both"], said["left"]) == (["one", "two"], ["one"])
    assert said["filters"] == [["one"], ["two"], ["two"], []]
    assert "Invalid clause" in said["wrong"]
    assert "outside" in said["experiments"]


def test_a_jobs_token_opens_its_own_run_and_no_other_jobs_and_ends_with_it(aml: Aml) -> None:
    """It is not one of Resource Manager either; a stranger's, or a changed one, opens nothing."""
    aml.run("other", "true")
    command = 'echo "$MLFLOW_TRACKING_TOKEN"; while [ ! -e ../go ]; do sleep 0.1; done'
    aml.job("holder", command).raise_for_status()
    aml.wait("holder", "Running")
    token = eventually(lambda: aml.log("holder").strip(), "the token")
    assert aml.mlflow("GET", "runs/get", token, run_id="other").status_code == 200
    tag = {"key": "a", "value": "b"}
    assert aml.mlflow("POST", "runs/set-tag", token, run_id="holder", **tag).status_code == 200
    refused = aml.mlflow("POST", "runs/set-tag", token, run_id="other", **tag)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")
    files = f"/mlflow/v1.0{aml.path}/api/2.0/mlflow-artifacts/artifacts/ExperimentRun"
    assert aml.call("PUT", f"{files}/dcid.other/x", {}, token).status_code == 403
    assert aml.call("PUT", f"{files}/dcid.holder/x", {}, token).status_code == 200
    history = f"/history/v1.0{aml.path}/runs"
    assert aml.call("PATCH", f"{history}/other", {"tags": {"a": "b"}}, token).status_code == 403
    assert aml.call("PATCH", f"{history}/holder", {"tags": {"a": "b"}}, token).status_code == 200
    path = f"{aml.path}/jobs/holder"
    assert aml.call("GET", path, token=token, **{"api-version": "2024-10-01"}).status_code == 401
    for wrong in ("x", token[:-1], token.replace(token[:4], "AAAA")):
        assert aml.mlflow("GET", "runs/get", wrong, run_id="holder").status_code == 401
    other = Aml(aml.cloud, "amlg2", "mlsecond").create()
    assert other.mlflow("GET", "experiments/get", token, experiment_id="0").status_code == 401
    aml.ws("POST", "jobs/holder/cancel").raise_for_status()
    aml.wait("holder")
    assert aml.mlflow("GET", "runs/get", token, run_id="holder").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "given", "status", "code"),
    [
        ("GET", "runs/get", {"run_id": "none"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "runs/get", {}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "experiments/create", {"name": " "}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/create", {"experiment_id": "none"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "runs/search", {"filter": "a.b = 1"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"max_results": "x"}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "nothing/here", {}, 404, "ENDPOINT_NOT_FOUND"),
        ("GET", "artifacts/list", {"run_id": "none"}, 404, "RESOURCE_DOES_NOT_EXIST"),
    ],
)
def test_what_is_wrong_is_said_as_mlflow_says_it(
    aml: Aml, method: str, path: str, given: dict[str, Any], status: int, code: str
) -> None:
    """By MLflow's own codes."""
    answer = aml.mlflow(method, path, **given)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)


def test_a_batch_is_logged_whole_or_not_at_all(aml: Aml) -> None:
    """One bad metric of it, and nothing of it is there."""
    experiment = aml.mlflow("POST", "experiments/create", name="batches").json()["experiment_id"]
    run = aml.mlflow("POST", "runs/create", experiment_id=experiment).json()["run"]["info"]["run_id"]
    bad = [{"key": "a", "value": 1, "timestamp": 1, "step": 0}, {"key": "b", "value": "many"}]
    answer = aml.mlflow(
        "POST", "runs/log-batch", run_id=run, metrics=bad, params=[{"key": "p", "value": "1"}]
    )
    assert answer.status_code == 400
    data = aml.mlflow("GET", "runs/get", run_id=run).json()["run"]["data"]
    assert (data["metrics"], data["params"]) == ([], [])
