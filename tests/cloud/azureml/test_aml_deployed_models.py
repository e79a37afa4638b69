"""What deployments are made of: models and environments, brought and found again."""

from __future__ import annotations

import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.cloud.azureml.aml import Aml
from tests.cloud.azureml.serving import Endpoint


@pytest.fixture(scope="module")
def endpoint(aml: Aml) -> Endpoint:
    """An endpoint without deployments."""
    return Endpoint(aml, "of-models").create()


def test_a_model_and_an_environment_like_another_are_there_at_once(
    aml: Aml, endpoint: Endpoint, tmp_path: Path
) -> None:
    """The model's files are below AZUREML_MODEL_DIR; a second deployment of an equal environment makes no other."""
    script = (
        "import os, pathlib, numbers_of_this_test\n"
        "def run(raw):\n"
        "    files = pathlib.Path(os.environ['AZUREML_MODEL_DIR']).rglob('*.txt')\n"
        "    return [numbers_of_this_test.ONE, *(file.read_text() for file in files)]\n"
    )
    wheel = _wheel(tmp_path, "numbers_of_this_test", py="ONE = 1\n")
    conda = f"dependencies:\n- pip:\n  - {wheel}\n"
    container = aml.container("workspaceblobstore")
    aml.cloud.upload(container, "served/weights.txt", b"weights")
    model = aml.put("models", "served", "1", modelUri="azureml://datastores/workspaceblobstore/paths/served")
    code = aml.code("reading", score_py=script)
    made = aml.cloud.directory / "data" / "azureml" / "environments"
    seen = []
    for name in ("first", "second"):
        environment = aml.put("environments", name, "1", condaFile=conda)["id"]
        endpoint.deploy(name, code, model=model["id"], environmentId=environment)
        assert endpoint.score(0, name).json() == [1, "weights"]
        seen.append({one.name: one.stat().st_ctime_ns for one in made.iterdir()})
    assert seen[0] == seen[1]
    for name in ("first", "second"):
        endpoint.done(endpoint.delete(name))


def test_an_mlflow_model_is_served_without_code_and_environment(
    aml: Aml, endpoint: Endpoint, mlflow_folder: Path, tmp_path: Path
) -> None:
    """By the environment that it names itself: here one that finds MLflow where these tests do."""
    wheel = _wheel(tmp_path, "packages_of_this_test", pth=f"{sysconfig.get_path('purelib')}\n")
    container = aml.container("workspaceblobstore")
    for file in mlflow_folder.rglob("*"):
        if file.is_file():
            aml.cloud.upload(container, f"mlflow/model/{file.relative_to(mlflow_folder)}", file.read_bytes())
    conda = f"dependencies:\n- pip:\n  - {wheel}\n"
    aml.cloud.upload(container, "mlflow/model/conda.yaml", conda.encode())
    address = "azureml://datastores/workspaceblobstore/paths/mlflow/model"
    model = aml.put("models", "flows", "1", modelUri=address, modelType="mlflow_model")
    limits = {"requestTimeout": "PT60S"}
    endpoint.done(endpoint.deployment("flows", model=model["id"], environmentId=None, requestSettings=limits))
    rows = {"columns": ["surface"], "data": [[100], [50]]}
    answer = endpoint.score({"input_data": rows}, "flows")
    assert (answer.status_code, answer.json()) == (200, [200.0, 100.0])
    endpoint.done(endpoint.delete("flows"))


def _wheel(folder: Path, name: str, **files: str) -> Path:
    """A wheel with files by their endings, that no index has to be asked for."""
    path, info = folder / f"{name}-1-py3-none-any.whl", f"{name}-1.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for ending, content in files.items():
            wheel.writestr(f"{name}.{ending}", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path
