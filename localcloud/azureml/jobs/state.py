"""Jobs as they are kept: the document that Resource Manager shows, and under `run` what came of it so far."""

from __future__ import annotations

import json
from typing import Any

from localcloud.azureml.assets.places import Document, Workspace
from localcloud.azureml.assets.workspace import TYPE
from localcloud.azureml.tracking.errors import TrackingError
from localcloud.azureml.tracking.state import Tracking, milliseconds
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.store import Store, now

NOT_STARTED, QUEUED, PREPARING, RUNNING, FINALIZING = (
    "NotStarted",
    "Queued",
    "Preparing",
    "Running",
    "Finalizing",
)
CANCEL_REQUESTED = "CancelRequested"
COMPLETED, FAILED, CANCELED = "Completed", "Failed", "Canceled"
OVER = (COMPLETED, FAILED, CANCELED)
_OF_RUN = {RUNNING: "RUNNING", COMPLETED: "FINISHED", FAILED: "FAILED", CANCELED: "KILLED"}


class Jobs:
    """Reads and writes jobs, and the run of each (`Tracking`)."""

    def __init__(self, store: Store, cloud: Cloud, tracking: Tracking) -> None:
        self.store = store
        self.cloud = cloud
        self.tracking = tracking

    def get(self, job_id: str) -> Document | None:
        """A job by its id."""
        return self.store.arm_get(job_id)

    def unfinished(self) -> list[str]:
        """The ids of all jobs that are not over, in the order in which they came."""
        found = self._read("SELECT document FROM arm WHERE key LIKE ?")
        found.sort(key=lambda job: job["systemData"]["createdAt"])
        return [job["id"] for job in found if job["properties"]["status"] not in OVER]

    def newest(self, limit: int) -> list[Document]:
        """The jobs that changed last."""
        return self._read("SELECT document FROM arm WHERE key LIKE ? ORDER BY rowid DESC LIMIT ?", limit)

    def _read(self, query: str, *more: int) -> list[Document]:
        rows = self.store.rows(query, f"%/providers/{TYPE}/%/jobs/%".lower(), *more)
        return [json.loads(row["document"]) for row in rows]

    def workspace(self, job: Document) -> Workspace | None:
        """The workspace of a job, unless it is gone."""
        found = self.store.arm_get(job["id"].rpartition("/jobs/")[0])
        return None if found is None else Workspace(self.store, self.cloud, found)

    def create(self, workspace: Workspace, job: Document) -> None:
        """Write a new job down, with its run. Raises TrackingError where another run has that id."""
        properties = job["properties"]
        with self.store.transaction():
            experiment = self.tracking.ensure_experiment(workspace.guid, properties["experimentName"])
            self.tracking.create_run(
                workspace.guid,
                experiment["experiment_id"],
                run_id=job["name"],
                name=properties["displayName"],
                user=job["systemData"]["createdBy"],
                tags=properties["tags"],
                job=True,
            )
            self.put({**job, "run": {**job["run"], "folder": f"{workspace.guid}/{job['name']}"}})

    def put(self, job: Document) -> None:
        """Write a job down."""
        self.store.arm_put(job["id"], job)

    def mark(self, job_id: str, status: str = "", **facts: Any) -> Document | None:
        """Give a job a state and facts about its run; None where it is gone. What is over stays so."""
        with self.store.transaction():
            job = self.get(job_id)
            if job is None or job["properties"]["status"] in OVER:
                return None
            if status in (RUNNING, *OVER):
                facts = {("ended" if status in OVER else "started"): now(), **facts}
            # Who asked for an end sees that until it comes.
            if status and (status in OVER or job["properties"]["status"] != CANCEL_REQUESTED):
                job["properties"]["status"] = status
            job["run"] = {**job["run"], **facts}
            self.put(job)
            if status in _OF_RUN:
                self._mark_run(job, _OF_RUN[status])
        return job

    def _mark_run(self, job: Document, status: str) -> None:
        workspace = self.workspace(job)
        if workspace is None:
            return
        try:
            run = self.tracking.run(workspace.guid, job["name"])
        except TrackingError:
            return
        run["info"]["status"] = status
        if status != "RUNNING":
            run["info"]["end_time"] = milliseconds()
        self.tracking.save_run(workspace.guid, run)


def shown(job: Document) -> Document:
    """A job as Resource Manager shows it."""
    return {name: value for name, value in job.items() if name != "run"}
