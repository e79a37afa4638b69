"""Models as the workspace registers them: a version for each trained model, whose name comes from its run's key.

A model that is one file lies at its address. One that is a folder (as MLflow writes them) lies below its address without the
ending; at the address is its *manifest*, each file's SHA-256 by its name, so that one hash stands for the whole of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from clients.azureml.workspace import AzureMlWorkspace
from clients.errors import Conflict, JobFailed, LedgerError, NotFound
from clients.storage import BlobRef, Container

# Of a model's address in the registry: its experiment, run key and attempt.
_ADDRESS = re.compile(r".*?/?(models/(?P<name>[^/]+)/(?P<key>[0-9a-f]{64})/(?P<attempt>\d+)\.ilearner)")
_ENDING = ".ilearner"
_KEY_DIGITS = 16
_FORMAT = "folder/1"
_CUSTOM, _MLFLOW = "custom_model", "mlflow_model"


def address_of(model: BlobRef) -> str:
    """A model's address in the registry; its whole path where that is none."""
    found = _ADDRESS.fullmatch(model.path)
    return found[1] if found else model.path


def folder_at(address: str) -> str:
    """The folder of the model at *address*, where it is one."""
    return address.removesuffix(_ENDING)


def manifest(files: Mapping[str, str]) -> bytes:
    """What lies at the address of a model that is a folder, from its *files*' SHA-256 by their names."""
    return json.dumps({"format": _FORMAT, "files": dict(files)}, sort_keys=True).encode()


def folder_of(model: BlobRef) -> BlobRef:
    """Where the files of a model lie that is a folder."""
    return BlobRef(model.base, f"{folder_at(model.path)}/")


def version_of(model: BlobRef) -> tuple[str, str]:
    """Name and version of a registered model; of one that no run left, by its path."""
    found = _ADDRESS.fullmatch(model.path)
    if found is None:
        return re.sub(r"[^A-Za-z0-9_-]+", "-", model.path.rpartition("/")[2]).strip("-") or "model", "1"
    return re.sub(r"[^A-Za-z0-9_-]", "-", found["name"]), f"{found['key'][:_KEY_DIGITS]}-{found['attempt']}"


def gather(workspace: AzureMlWorkspace, model: BlobRef) -> None:
    """Write the manifest of a model whose job left a folder. Raises JobFailed where it left nothing."""
    registry, address = workspace.registry(), address_of(model)
    folder = folder_at(address)
    if registry.stat(address) is not None:
        return
    files = {
        blob.name.removeprefix(f"{folder}/"): registry.sha256(blob.name, blob.etag)
        for blob in registry.list(f"{folder}/")
    }
    if not files:
        raise JobFailed(
            "the job left no model", "let the command write it to ${{outputs.<its model output>}}"
        )
    try:
        registry.write(address, manifest(files), etag=None)
    except Conflict:  # somebody else has, by the same files
        return


def register(workspace: AzureMlWorkspace, model: BlobRef, tags: Mapping[str, str] | None = None) -> str:
    """The id of a model's version, which is made where there is none, or given *tags* where it has not all of them.

    Raises LedgerError where a file of it is not the one that its run left.
    """
    name, version = version_of(model)
    id_ = f"{workspace.id}/models/{name}/versions/{version}"
    found = workspace.arm.find(id_)
    if found is None:
        place, kind = _verified(workspace.registry(), model)
        properties = {"modelUri": workspace.datastore_uri(place), "modelType": kind, "tags": dict(tags or {})}
        workspace.put(id_, properties)
        return id_
    kept = found["properties"]
    if tags and not set(tags.items()) <= set((kept.get("tags") or {}).items()):
        said = {name: kept[name] for name in ("modelUri", "modelType")}
        workspace.put(id_, {**said, "tags": {**(kept.get("tags") or {}), **tags}})
    return id_


def _verified(registry: Container, model: BlobRef) -> tuple[BlobRef, str]:
    """Where a model's content is, and of which type it is, once each file is seen to be its run's."""
    folder = folder_at(address_of(model))
    blobs = {blob.name.removeprefix(f"{folder}/"): blob for blob in registry.list(f"{folder}/")}
    if not blobs:
        return model, _CUSTOM
    try:
        files = json.loads(registry.read(address_of(model))[0])["files"]
        whole = {name: registry.sha256(blob.name, blob.etag) for name, blob in blobs.items()} == files
    except (NotFound, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise LedgerError(
            f"the files of the model {address_of(model)} are not those that its run left",
            "declare the data version that it is trained from with another `force`: it is trained again",
        )
    return folder_of(model), _MLFLOW if "MLmodel" in files else _CUSTOM
