"""Command jobs of a workspace: submitted under the name of their run, so that another PUT of it is the same job.

Why a job failed, and its log, are in run history; what it measured in the tracking server of MLflow.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping

from clients.arm.resource_manager import Json
from clients.azureml import recipes
from clients.azureml.logs import tail
from clients.azureml.models import folder_of, gather, register
from clients.azureml.publishing import Publisher
from clients.azureml.workspace import AzureMlWorkspace
from clients.errors import NotFound, RetrainError, ServiceError
from clients.http.answers import part, rows, text
from clients.protocols import JobState, JobStatus
from clients.storage import BlobRef, Container

_WAITING = frozenset(("NotStarted", "Starting", "Provisioning", "Preparing", "Queued", "Scheduled"))
_ENDED = {"Completed": JobState.FINISHED, "Failed": JobState.FAILED, "Canceled": JobState.CANCELLED}
# The name of a result that every job has: what it measured, by MLflow's metrics.
MEASURED = "metrics"
# The compute that jobs run on which name none, where the workspace has it: components/services/azureml.py declares it.
CLUSTER = "cpu-cluster"
_MEASURED = "mlflow:"
_LOG_CHARACTERS = 160


class AzureMlJobs:
    """Jobs of the training service *service*."""

    def __init__(self, workspace: AzureMlWorkspace, service: str) -> None:
        self._workspace, self._service = workspace, service

    def create(
        self,
        name: str,
        inputs: Mapping[str, BlobRef],
        outputs: Mapping[str, BlobRef],
        parameters: Mapping[str, str],
        seconds: float = math.inf,
    ) -> str:
        """Submit it under its run's *name*; one that is there is the same run's."""
        if self._find(name) is not None:
            return name
        recipe = Publisher(self._workspace).current(self._service)
        body = recipes.job(
            recipe.settings,
            workspace=self._workspace.id,
            compute=self._compute(recipe.settings),
            seconds=min(seconds, recipe.settings.get("timeout") or math.inf),
            code=recipe.code,
            environment=recipe.environment,
            uris={
                port: self._workspace.datastore_uri(blob)
                for port, blob in _placed(recipe.settings, {**inputs, **outputs}).items()
            },
            parameters=parameters,
            tags={"retrain-service": self._service.rpartition("/")[2]},
        )
        try:
            self._workspace.put(self._id(name), body)
        except ServiceError:
            if self._find(name) is None:  # else somebody else has submitted it at the same moment
                raise
        return name

    def _compute(self, settings: recipes.Recipe) -> str | None:
        """The id of the compute that a job names, or else of the workspace's own; None lets the service find one."""
        name, wished = settings.get("compute"), settings["resources"].get("instance_type")
        compute = f"{self._workspace.id}/computes/{name or CLUSTER}"
        return compute if name or (not wished and self._workspace.arm.find(compute)) else None

    def start(self, job: str) -> None:
        """Nothing: a job that was submitted is started."""

    def status(self, job: str) -> JobStatus:
        """Look at it: while it runs, with the last line of its log."""
        found = self._find(job)
        if found is None:
            return JobStatus(JobState.LOST, {})
        said = text(found, "properties", "status")
        state = JobState.NOT_STARTED if said in _WAITING else _ENDED.get(said, JobState.RUNNING)
        if state is JobState.FINISHED:
            return JobStatus(state, self._results(job, found))
        if state is JobState.NOT_STARTED:
            return JobStatus(state, {}, progress=said)
        details, log = self._history(job, most=_LOG_CHARACTERS if state is JobState.RUNNING else 0)
        return JobStatus(state, {}, details=details, progress=log)

    def _results(self, job: str, found: Json) -> dict[str, BlobRef]:
        outputs = part(part(found, "properties"), "outputs")
        results = {
            name: BlobRef("", _path(self._workspace, text(port, "uri"))) for name, port in outputs.items()
        }
        return {MEASURED: BlobRef(_MEASURED, job)} | results

    def _history(self, job: str, *, most: int) -> tuple[str, str]:
        """Why it failed, where run history says so, and the last *most* characters of its log."""
        try:
            path = f"history/v1.0{self._workspace.id}/runs/{job}/details"
            details = self._workspace.history.object("GET", path)
            error = part(part(details, "error"), "error")
            said = ": ".join(filter(None, (str(error.get("code") or ""), str(error.get("message") or ""))))
            return said, tail(self._workspace, part(details, "logFiles"), most) if most else ""
        except RetrainError:  # it goes without
            return "", ""

    def cancel(self, job: str) -> None:
        """Stop it; one that is gone or has ended is not an error. Its record stays: its name is taken for ever.

        An interrupted update asks for it, and waits for nothing any more: the service ends it by itself.
        """
        try:
            self._workspace.arm.begin(f"{self._id(job)}/cancel")
        except NotFound:
            return
        except ServiceError as error:
            found = self._find(job)
            if error.status not in (400, 409) or (
                found and text(found, "properties", "status") not in _ENDED
            ):
                raise

    def fetch(self, result: BlobRef) -> bytes:
        """The content of a result: of an output, or what the job measured, as a table of one row."""
        if result.base == _MEASURED:
            return self._measured(result.path)
        target, (container, _, blob) = self._workspace.target, result.path.partition("/")
        return Container(target.connection_string, container, target.remedy).read(blob)[0]

    def _measured(self, job: str) -> bytes:
        run = self._workspace.tracking.object("GET", "api/2.0/mlflow/runs/get", run_id=job)
        metrics = {text(one, "key"): one.get("value") for one in rows(run, "run", "data", "metrics")}
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerows([[*metrics], [*metrics.values()]])
        return table.getvalue().encode()

    def gather(self, model: BlobRef) -> None:
        """Write the manifest of a *model* that the job left as a folder. Raises JobFailed where it left none."""
        gather(self._workspace, model)

    def register(self, model: BlobRef, tags: Mapping[str, str]) -> None:
        """Register a trained model as a version, with what is known of it as *tags*."""
        register(self._workspace, model, tags)

    def _find(self, job: str) -> Json | None:
        return self._workspace.arm.find(self._id(job))

    def _id(self, job: str) -> str:
        return f"{self._workspace.id}/jobs/{job}"


def _placed(recipe: recipes.Recipe, given: Mapping[str, BlobRef]) -> dict[str, BlobRef]:
    """Where the job's inputs and outputs are, of those *given* that it has; a model that is no single file, in a folder."""
    outputs = recipe["outputs"]
    return {
        port: folder_of(blob) if port in outputs and outputs[port]["type"] != recipes.FILE else blob
        for port, blob in given.items()
        if port in outputs or port in recipe["inputs"]
    }


def _path(workspace: AzureMlWorkspace, uri: str) -> str:
    """``container/path`` of a datastore's address that ``datastore_uri`` made."""
    _, _, rest = uri.partition("/datastores/")
    name, _, path = (rest or uri).partition("/paths/")
    if name.startswith("azureml:"):
        name = name.rpartition("/")[2]
    found = workspace.arm.get(f"{workspace.id}/datastores/{name}")
    return f"{text(found, 'properties', 'containerName')}/{path}"
