"""What the local cloud's page tells (`pages.facts.Source`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from graph import GraphError, InvalidModel
from localcloud.azureml.endpoints.access import KEY
from localcloud.azureml.endpoints.state import LOCAL, all_endpoints
from localcloud.azureml.jobs import state as azureml_jobs
from localcloud.azureml.registered import AzureMl
from localcloud.facilities.errors import ApiError
from localcloud.facilities.store import now
from localcloud.server.pages import scoring
from localcloud.studio.web_services.state import owner_of
from localcloud.works.batch.jobs import FAILED, FINISHED, Run
from localcloud.works.context import Works
from localcloud.works.services import Endpoint
from pages import facts
from pages.facts import Problem

_ENDPOINTS, _JOBS = 200, 50
_RUN = re.compile(r"/([0-9a-f]{64})/")


class CloudSource(facts.LiveOnly):
    """All that one local cloud has. It has no runs and plans: these are stacks'."""

    title = "Local cloud"
    parts: tuple[facts.Part, ...] = ("jobs", "score", "journal")

    def __init__(self, works: Works, azureml: AzureMl, whole: Callable[[], ASGIApp]) -> None:
        self._works, self._azureml, self._whole = works, azureml, whole

    async def overview(self) -> facts.Overview:
        """The endpoints of all its workspaces."""
        classic = [self._endpoint(name, one) for name, one in self._works.services.all_endpoints(_ENDPOINTS)]
        online = [self._online(one) for one in all_endpoints(self._works.store, _ENDPOINTS)]
        full = f"Of more than {_ENDPOINTS} endpoints the first are shown."
        return facts.Overview(
            [*classic, *online], now(), [full] if _ENDPOINTS in (len(classic), len(online)) else []
        )

    async def jobs(self) -> facts.Jobs:
        """Batch jobs, and those of Azure ML v2; what runs first."""
        found = [self._job(name, run) for name, run in self._works.jobs.newest(_JOBS)]
        found += [_azureml_job(one) for one in self._azureml.runner.jobs.newest(_JOBS)]
        newest = sorted(found, key=lambda job: job.since, reverse=True)
        return facts.Jobs(sorted(newest, key=lambda job: job.over)[:_JOBS])

    async def columns(self, endpoint: str) -> Mapping[str, str]:
        """What the endpoint's graph asks for, with a row that its model was trained on."""
        one = self._classic(endpoint)
        if one is None:
            return {}
        try:
            scorer = await run_in_threadpool(self._works.graphs.scorer, one.package, one.resources)
        except (ApiError, GraphError, InvalidModel, LookupError):
            return {}
        examples = {name: scorer.example.get(name) for name, _type in scorer.input_schema}
        return {name: "" if value is None else str(value) for name, value in examples.items()}

    async def score(self, endpoint: str, row: Mapping[str, Any]) -> Mapping[str, str]:
        """What an endpoint answers to a row, which is sent as a client would, with the endpoint's key."""
        if (one := self._classic(endpoint)) is not None:
            experiment = self._works.graphs.experiment(one.package)
            call = scoring.classic(self._path(one), one.primary_key, experiment.inputs[:1], row)
        elif (document := self._document(endpoint)) is not None:
            if document["properties"]["authMode"] != KEY:
                raise Problem("This endpoint takes tokens, and no key.", "Score by a client of yours.")
            path = f"/inference/{document['location']}/{document['name']}/score"
            call = scoring.online(path, document[LOCAL]["keys"]["primaryKey"], row)
        else:
            raise Problem("There is no such endpoint.", "Choose one that is there.", 404)
        return await scoring.answered(self._whole(), call)

    async def journal(self, limit: int) -> Sequence[facts.Call]:
        """The last calls."""
        return [
            facts.Call(
                one["id"],
                one["at"],
                one["method"],
                one["path"],
                one["status"],
                one["effect"],
                one["service"],
                one.get("fault", ""),
            )
            for one in reversed(self._works.journal.newest(limit))
        ]

    # -- the parts

    def _endpoint(self, name: str, one: Endpoint) -> facts.Endpoint:
        said = ""
        try:
            scores = not self._works.graphs.experiment(one.package).trains
        except ApiError as error:
            scores, said = False, str(error)
        model = ", ".join(resource.relative for resource in one.resources)
        key = found[1] if (found := _RUN.search(model)) else ""
        serves = f"run {key[:12]}" if key else model or "no trained model"
        if not scores and not said:
            serves = "trains models, by batch jobs"
        return facts.Endpoint(
            one.id,
            f"{one.name} of {name}",
            f"{self._works.cloud.studio}{self._path(one)}",
            serves,
            said=said,
            scores=scores,
        )

    def _online(self, one: Mapping[str, Any]) -> facts.Endpoint:
        traffic = {name: share for name, share in one["properties"]["traffic"].items() if share}
        serves = ", ".join(f"{name} {share} %" for name, share in traffic.items())
        url = f"{self._works.cloud.studio}/inference/{one['location']}/{one['name']}/score"
        return facts.Endpoint(
            one["id"], f"{one['name']} (Azure ML)", url, serves or "no deployment has traffic"
        )

    def _path(self, one: Endpoint) -> str:
        """Where the endpoint's data plane is."""
        subscription = self._works.cloud.subscription
        if one.workspace_id == owner_of(subscription):
            return f"/subscriptions/{one.workspace_id}/services/{one.id}"
        return f"/workspaces/{one.workspace_id}/services/{one.id}"

    def _classic(self, id_: str) -> Endpoint | None:
        found = self._works.services.all_endpoints(_ENDPOINTS)
        return next((one for _name, one in found if one.id == id_), None)

    def _document(self, id_: str) -> Mapping[str, Any] | None:
        return next((one for one in all_endpoints(self._works.store, _ENDPOINTS) if one["id"] == id_), None)

    def _job(self, name: str, run: Run) -> facts.Job:
        progress = self._works.runner.progress(run.id)
        share, doing = None, ""
        if progress is not None:
            share = progress["Done"] / progress["Total"] if progress["Total"] else None
            doing = f"{progress['Module']}, {progress['Rows']:,} rows"
        over = run.state in (FINISHED, FAILED)
        since = run.finished if over and run.finished else run.created
        return facts.Job(
            run.id, f"{name} {run.id[:8]}", run.state, over, since, doing, share, run.details or ""
        )


def _azureml_job(document: Mapping[str, Any]) -> facts.Job:
    properties, run = document["properties"], document.get("run") or {}
    state = properties["status"]
    since = run.get("ended") or run.get("started") or document["systemData"]["createdAt"]
    error = str((run.get("error") or {}).get("message") or "") if isinstance(run.get("error"), dict) else ""
    name = f"{properties.get('displayName') or document['name']} (Azure ML)"
    return facts.Job(document["id"], name, state, state in azureml_jobs.OVER, since, error=error)
