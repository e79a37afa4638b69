"""What a model's address becomes when it is registered: a job's output or a run's artifact, as a path of a datastore."""

from __future__ import annotations

import asyncio

from localcloud.arm.operation import text
from localcloud.azureml.assets.blobs import Place, exist
from localcloud.azureml.assets.places import Document, Workspace, bad_address


async def resolved(workspace: Workspace, given: Document) -> Document:
    """The properties of a model whose address is looked up, where it is of a job. Raises ArmError."""
    address = text(given, "modelUri", "properties.modelUri") or ""
    job = workspace.job_of(address)
    if not job:
        return given
    place = await content_of(workspace, address)
    known = workspace.job(job) is not None
    return {
        **given,
        "modelUri": workspace.datastore_uri(place),
        **({"jobName": job} if known and not given.get("jobName") else {}),
    }


async def content_of(workspace: Workspace, address: str) -> Place:
    """Where the content of an address is; there is some. Raises ArmError."""
    place = workspace.place(address)
    if await asyncio.to_thread(exist, workspace.cloud, place):
        return place
    if address.startswith("runs:/"):
        # MLflow 3 keeps a run's model apart from the run's artifacts, below the model's own id.
        _, run, *path = address.replace("runs:/", "runs/", 1).split("/")
        row = workspace.store.row(
            "SELECT location FROM aml_models WHERE workspace=? AND run=? AND name=? ORDER BY created DESC",
            workspace.guid,
            run,
            "/".join(path),
        )
        if row is not None:
            return workspace.place(row["location"])
    raise bad_address(address, "there is nothing")
