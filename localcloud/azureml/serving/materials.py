"""What a deployment is made of, brought to this machine: its model and code from blobs, its environment, and so its plan.

<home>/model/<last part of the model's path>    AZUREML_MODEL_DIR is <home>/model
<home>/code                                     where the scoring script runs
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.azureml.assets.blobs import NoBlobs, OutOfFolder, Place, download, is_blob
from localcloud.azureml.assets.places import Workspace
from localcloud.azureml.environments.making import Environments
from localcloud.azureml.environments.recipe import EnvironmentFailed, Recipe, recipe_of, recipe_of_conda
from localcloud.azureml.serving.errors import NotServing
from localcloud.azureml.serving.plan import MLFLOW, SCRIPT, Plan, Probes, Settings
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.store import Store

_MLMODEL, _CONDA, _REQUIREMENTS = "MLmodel", "conda.yaml", "requirements.txt"
_TRITON = "triton_model"

Document = Mapping[str, Any]


def check_materials(store: Store, deployment: Document) -> None:
    """Raise ArmError (400) for a deployment that names what is not there, or says too little to be served."""
    properties = deployment["properties"]
    model = _named(store, deployment, "model", properties["model"])
    code = properties["codeConfiguration"]
    if code is not None:
        _named(store, deployment, "code", code["codeId"] or "")
    environment = _named(store, deployment, "environment", properties["environmentId"])
    if properties["modelMountPath"]:
        raise _refused("modelMountPath is for containers; read the model from AZUREML_MODEL_DIR.")
    if model is None and code is None:
        raise _refused("The deployment has no model.")
    kind = model["properties"].get("modelType") if model else None
    if kind == _TRITON:
        raise _refused("This local cloud serves no Triton models.")
    if code is None and kind != "mlflow_model":
        raise _refused("A deployment without codeConfiguration needs a model of the type mlflow_model.")
    if environment is None and kind != "mlflow_model":
        raise _refused("The deployment has no environmentId, which only MLflow models can do without.")


async def prepare(
    store: Store, cloud: Cloud, environments: Environments, deployment: Document, home: Path, log: Path
) -> Plan:
    """Bring all that a deployment is made of below `home`, and write it to `log`. Raises `NotServing`."""
    properties, said = deployment["properties"], _Log(log)
    try:
        models, code = home / "model", home / "code"
        for folder in (models, code):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        model = store.arm_get(properties["model"]) if properties["model"] else None
        if model is not None:
            await _bring(store, cloud, model, "modelUri", models, said)
        configuration = properties["codeConfiguration"]
        if configuration is not None:
            asset = store.arm_get(configuration["codeId"]) if configuration["codeId"] else None
            if asset is not None:
                await _bring(store, cloud, asset, "codeUri", code, said, below=False)
            runs, path = SCRIPT, _inside(code, configuration["scoringScript"])
        else:
            runs, path = MLFLOW, _holding(models, _MLMODEL)
        python = str(await _python(store, environments, properties["environmentId"], models, said))
    except EnvironmentFailed as error:
        said(f"the environment failed: {error}")
        raise NotServing("ImageBuildFailure", f"The environment cannot be made: {error}") from None
    except OSError as error:
        raise NotServing("StorageInitializerFailed", f"The files cannot be brought: {error}") from None
    said("all is there")
    return Plan(
        runs=runs,
        python=python,
        path=path,
        home=home,
        folder=code,
        model_folder=models,
        variables=properties["environmentVariables"],
        instances=deployment["sku"]["capacity"],
        settings=Settings.of(properties),
        probes=Probes.of(properties),
    )


async def _bring(
    store: Store, cloud: Cloud, asset: Document, member: str, folder: Path, said: _Log, *, below: bool = True
) -> None:
    """Copy what an asset names; `below` a folder by the last part of its path, or else right there."""
    uri = asset["properties"][member]
    before, found, after = asset["id"].partition("/workspaces/")
    workspace = store.arm_get(f"{before}{found}{after.partition('/')[0]}")
    try:
        if workspace is None:
            raise NoBlobs("its workspace is gone")
        place = Workspace(store, cloud, workspace).place(uri)
        await asyncio.to_thread(_fetch, cloud, place, folder, below)
    except (ArmError, NoBlobs, OutOfFolder) as error:
        message = f"{uri} cannot be read: {error}"
        said(message)
        raise NotServing("ResourceNotFound", message) from None
    said(f"{uri} is there")


def _fetch(cloud: Cloud, place: Place, folder: Path, below: bool) -> None:
    if below and not is_blob(cloud, place):
        folder /= place.path.rstrip("/").rpartition("/")[2]
    download(cloud, place, folder)


async def _python(
    store: Store, environments: Environments, environment_id: str | None, models: Path, said: _Log
) -> Path:
    """The interpreter of the deployment's environment, or of the one that its MLflow model names."""
    environment = store.arm_get(environment_id) if environment_id else None
    recipe = recipe_of(environment["properties"]) if environment else _recipe_of_mlflow(models)
    said(f"the environment: Python {recipe.python}, {', '.join(recipe.requirements) or 'no packages'}")
    return await environments.python(recipe)


def _recipe_of_mlflow(models: Path) -> Recipe:
    folder = _holding(models, _MLMODEL)
    if (folder / _CONDA).exists():
        return recipe_of_conda((folder / _CONDA).read_text(encoding="utf-8"))
    if (folder / _REQUIREMENTS).exists():
        lines = (folder / _REQUIREMENTS).read_text(encoding="utf-8").splitlines()
        return Recipe(recipe_of({}).python, tuple(line for line in lines if line.strip()))
    raise EnvironmentFailed(f"the MLflow model has neither {_CONDA} nor {_REQUIREMENTS}")


def _holding(models: Path, name: str) -> Path:
    """The folder of the model's files that holds one of that name, the outermost."""
    found = sorted(models.rglob(name), key=lambda one: (len(one.parts), str(one)))
    if not found:
        raise NotServing("ResourceNotFound", f"The model has no file {name}.")
    return found[0].parent


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise NotServing("BadArgument", f"The code has no file {name} (codeConfiguration.scoringScript).")
    return path


def _named(store: Store, deployment: Document, kind: str, asset_id: str | None) -> dict[str, Any] | None:
    """The asset that a deployment names; None where it names none. Raises ArmError (400) where it is missing."""
    if not asset_id:
        return None
    found = store.arm_get(asset_id)
    if found is None or f"/{kind}s/" not in asset_id.lower():
        raise _refused(f"The {kind} '{asset_id}' of the deployment '{deployment['name']}' does not exist.")
    return found


def _refused(message: str) -> ArmError:
    return ArmError(400, "BadArgument", message)


class _Log:
    """Lines with their time, as the container that brings the files writes them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __call__(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
