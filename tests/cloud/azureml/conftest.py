"""Resource Manager with Azure ML v2 in-process, over a store of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localcloud.azure_native.server import Server
from localcloud.azureml.registered import OPERATIONS, TYPES
from localcloud.azureml.registered import routes as data_plane
from localcloud.facilities.store import Store
from tests.arm.conftest import Arm, Client
from tests.cloud.azureml.aml import Aml
from tests.studio.shared import Shared


@pytest.fixture
def arm(tmp_path: Path) -> Iterator[Arm]:
    """A fresh side, to which nothing is declared yet."""
    store = Store(tmp_path)
    side = Arm(Client(store, TYPES, OPERATIONS, data_plane()), store)
    yield side
    side.close()


GROUP = "/resourceGroups/rg"
PROVIDERS = f"{GROUP}/providers"
WORKSPACE = f"{PROVIDERS}/Microsoft.MachineLearningServices/workspaces/mlw"


def stands_on(arm: Arm) -> dict[str, str]:
    """What a workspace stands on, declared: the ids by the workspace's properties."""
    ids = {"storageAccount": arm.account("store1", "rg")}
    declared: dict[str, tuple[str, dict[str, Any]]] = {
        "keyVault": (
            "Microsoft.KeyVault/vaults/kv-one",
            {"properties": {"tenantId": arm.cloud.tenant, "sku": {"family": "A", "name": "standard"}}},
        ),
        "applicationInsights": (
            "Microsoft.Insights/components/appi",
            {"kind": "web", "properties": {"Application_Type": "web"}},
        ),
        "containerRegistry": (
            "Microsoft.ContainerRegistry/registries/acrone",
            {"sku": {"name": "Basic"}},
        ),
    }
    for name, (place, body) in declared.items():
        answer = arm("PUT", f"{PROVIDERS}/{place}", {"location": "westeurope", **body})
        assert answer.is_success, answer.text
        ids[name] = answer.json()["id"]
    return ids


def workspace(arm: Arm) -> dict[str, Any]:
    """A workspace, declared."""
    body = {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": stands_on(arm)}
    followed(arm, arm("PUT", WORKSPACE, body))
    found: dict[str, Any] = arm("GET", WORKSPACE).json()
    return found


def followed(arm: Arm, answer: httpx.Response) -> list[str]:
    """What an operation says until it is over."""
    assert answer.is_success, answer.text
    said = ["InProgress"]
    while said[-1] == "InProgress":
        headers = {"Authorization": f"Bearer {arm.cloud.arm_token}"}
        look = arm.client.request("GET", answer.headers["Azure-AsyncOperation"], headers=headers)
        said.append(look.json()["status"])
    return said[1:]


@pytest.fixture(scope="session")
def aml(cloud: Shared) -> Aml:
    """A workspace in the run's cloud."""
    return Aml(cloud, "amlg", "mljobs").create()


@pytest.fixture(scope="session")
def mlflow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow model with a signature, saved by MLflow itself."""
    folder = tmp_path_factory.mktemp("mlflow")
    (folder / "double.py").write_text(
        "import mlflow\n"
        "class Double(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n"
        "        return model_input['surface'] * 2\n"
        "mlflow.models.set_model(Double())\n"
    )
    code = (
        "import mlflow, pandas\n"
        "from mlflow.models import infer_signature\n"
        "rows = pandas.DataFrame({'surface': [1.0, 2.0]})\n"
        "mlflow.pyfunc.save_model('model', python_model='double.py', pip_requirements=[],"
        " signature=infer_signature(rows, rows['surface']))\n"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, check=True, capture_output=True, timeout=120
    )
    return folder / "model"


@pytest.fixture
def stand_in(cloud: Shared) -> Iterator[Server]:
    """The provider's stand-in, before the run's cloud."""
    server = Server(cloud.directory / "cloud.json")
    server.start()
    yield server
    server.stop()
