"""Jobs in Resource Manager: a PUT under a name is that job, however often it is sent; cancel and DELETE are looked at later."""

from __future__ import annotations

from uuid import uuid4

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call, Operation, created_by
from localcloud.azureml.assets.places import NAMESPACE, Document, Workspace
from localcloud.azureml.assets.workspace import PATH, TYPE, listed, not_found, page, workspace_of
from localcloud.azureml.jobs import misbehaving
from localcloud.azureml.jobs import state as states
from localcloud.azureml.jobs.request import changed, completed
from localcloud.azureml.jobs.runner import JobRunner
from localcloud.azureml.jobs.state import Jobs, shown
from localcloud.azureml.tracking.errors import TrackingError

_ALL, _ONE = f"{PATH}/jobs", f"{PATH}/jobs/{{name}}"
_RESULT = f"/subscriptions/{{subscription}}/providers/{NAMESPACE}/locations/{{location}}/mfeOperationResults/jobs:{{about}}"


def _runner(call: Call) -> JobRunner:
    runner: JobRunner = call.request.app.state.azureml.runner
    return runner


def _find(workspace: Workspace, name: str) -> Document:
    found = workspace.job(name)
    if found is None:
        raise not_found("job", name)
    return found


def _put(call: Call) -> Answer:
    """Submit a job, or change what of one can be changed."""
    workspace, name = workspace_of(call), call.path["name"]
    properties = completed(workspace, name, call.document())
    jobs = _runner(call)
    with call.state.transaction():
        old = workspace.job(name)
        if old is not None:
            status = old["properties"]["status"]
            document = {**old, "properties": {**changed(old["properties"], {**properties}), "status": status}}
            jobs.jobs.put(document)
            return Answer(200, shown(document))
        document = create(jobs.jobs, workspace, name, properties, created_by(call), call.base_url)
    misbehaving.submit(call.request, jobs, document["id"])
    return Answer(201, shown(document))


def create(
    jobs: Jobs, workspace: Workspace, name: str, properties: Document, by: Document, base: str
) -> Document:
    """Write a new job down, with *properties* as `completed` gives them. Raises ArmError where its name is taken."""
    addresses = {
        "Studio": f"https://ml.azure.com/runs/{name}?wsid={workspace.id}",
        "Tracking": workspace.tracking_uri(base),
    }
    services = {
        kind: {**service, "endpoint": addresses[kind]} for kind, service in properties["services"].items()
    }
    document = {
        "id": f"{workspace.id}/jobs/{name}",
        "name": name,
        "type": f"{TYPE}/jobs",
        "systemData": by,
        "properties": {**properties, "services": services, "status": states.NOT_STARTED},
        "run": {"base": base},
    }
    try:
        jobs.create(workspace, document)
    except TrackingError as error:
        raise ArmError(409, "Conflict", str(error)) from None
    return document


def _get(call: Call) -> Answer:
    """Get a job."""
    workspace, name = workspace_of(call), call.path["name"]
    misbehaving.look(call.request, _runner(call), _find(workspace, name))
    return Answer(200, shown(_find(workspace, name)))


def _list(call: Call) -> Answer:
    """List the jobs, the newest first."""
    workspace = workspace_of(call)
    kind = call.query.get("jobType", "").lower()
    found = [
        shown(job)
        for job in workspace.store.arm_list(f"{workspace.id}/jobs/")
        if listed(call, job) and kind in ("", job["properties"]["jobType"].lower())
    ]
    found.sort(key=lambda job: job["systemData"]["createdAt"], reverse=True)
    return page(call, found)


def _cancel(call: Call) -> Answer:
    """Have a job end; one that is over stays as it is."""
    workspace = workspace_of(call)
    job = _find(workspace, call.path["name"])
    if job["properties"]["status"] in states.OVER:
        return Answer(200)
    _runner(call).cancel(job["id"])
    return _later(call, workspace, job["name"])


def _delete(call: Call) -> Answer:
    """Delete a job that is over; what it wrote stays."""
    workspace = workspace_of(call)
    job = workspace.job(call.path["name"])
    if job is None:
        return Answer(204)
    if job["properties"]["status"] not in states.OVER:
        message = f"The job '{job['name']}' is {job['properties']['status']}: cancel it before it is deleted."
        raise ArmError(409, "Conflict", message)
    call.state.store.arm_delete(job["id"])
    return _later(call, workspace, job["name"])


def _later(call: Call, workspace: Workspace, name: str) -> Answer:
    path = _RESULT.format(
        subscription=call.path["subscription"],
        location=workspace.document["location"],
        about=f"{workspace.guid}:{name}:{uuid4().hex}",
    )
    version = call.query["api-version"]
    return Answer(202, headers={"Location": f"{call.base_url}{path}?api-version={version}"})


def _result(call: Call) -> Answer:
    """Whether a job that was cancelled or deleted is over: 202 until then."""
    guid, _, rest = call.path["about"].partition(":")
    name = rest.rpartition(":")[0]
    for workspace in call.state.resources(TYPE):
        if workspace["properties"]["workspaceId"] == guid:
            job = call.state.get(f"{workspace['id']}/jobs/{name}")
            if job is not None and job["properties"]["status"] not in states.OVER:
                return Answer(202, headers={"Location": str(call.request.url)})
    return Answer(200)


OPERATIONS: tuple[Operation, ...] = (
    Operation("PUT", _ONE, _put),
    Operation("GET", _ONE, _get),
    Operation("DELETE", _ONE, _delete),
    Operation("GET", _ALL, _list),
    Operation("POST", f"{_ONE}/cancel", _cancel),
    Operation("GET", _RESULT, _result),
)
