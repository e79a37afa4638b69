"""Microsoft.MachineLearningServices/workspaces/schedules: each submits a job whenever its trigger is due."""

from __future__ import annotations

from datetime import UTC, datetime

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call, Operation, created_by, section, text
from localcloud.azureml.assets.places import Document, Workspace
from localcloud.azureml.assets.workspace import PATH, not_found, page, refused, system_data, workspace_of
from localcloud.azureml.jobs.request import completed
from localcloud.azureml.schedules.firing import LOCAL, SCHEDULES, Clockwork, due_first, job_name, submitted
from localcloud.azureml.schedules.times import trigger_of
from localcloud.azureml.workspaces import going

_ALL, _ONE = f"{PATH}/schedules", f"{PATH}/schedules/{{name}}"
_ACTION = "CreateJob"
_VIEWS = {"enabledonly": (True,), "disabledonly": (False,), "all": (True, False)}


def _clockwork(call: Call) -> Clockwork:
    clockwork: Clockwork = call.request.app.state.azureml.clockwork
    return clockwork


def _found(call: Call) -> Document | None:
    return call.state.get(f"{workspace_of(call).id}/schedules/{call.path['name']}")


def _find(call: Call) -> Document:
    found = _found(call)
    if found is None:
        raise not_found("schedule", call.path["name"])
    return found


def _shown(call: Call, schedule: Document) -> Document:
    document = going.shown(call, schedule)
    return {name: value for name, value in document.items() if name != LOCAL}


def _put(call: Call) -> Answer:
    """Create one, or change it: its trigger, its job, and whether it is enabled."""
    workspace, name, moment = workspace_of(call), call.path["name"], datetime.now(UTC)
    properties = _completed(workspace, name, section(call.document(), "properties"))
    trigger, old = trigger_of(properties), _found(call)
    if old is None:
        local = {"base": call.base_url, "created": moment.isoformat(), "due": due_first(trigger, moment)}
    else:
        due = trigger.after(moment, datetime.fromisoformat(old[LOCAL]["created"]))
        local = {**old[LOCAL], "due": due.isoformat() if due else ""}
        if _same_time(properties, old["properties"]):
            local = old[LOCAL]
    document = {
        "id": old["id"] if old else f"{workspace.id}/schedules/{name}",
        "name": old["name"] if old else name,
        "type": SCHEDULES,
        "systemData": system_data(created_by(call), old),
        "properties": properties,
        LOCAL: local,
    }
    call.state.put(document)
    _clockwork(call).look()
    answer = going.updates(call, document, "mfe") if old else going.creates(call, document, "mfe", 201)
    return Answer(answer.status, _shown(call, document), answer.headers)


def _same_time(new: Document, old: Document) -> bool:
    """Whether it is due as before: one that was disabled is not due for the time that it was."""
    return bool(new["trigger"] == old["trigger"] and (old["isEnabled"] or not new["isEnabled"]))


def _completed(workspace: Workspace, name: str, given: Document) -> Document:
    """The properties to keep. Raises ArmError for what can't be one."""
    action = section(given, "action")
    if action.get("actionType") != _ACTION:
        kind = action.get("actionType")
        raise refused(f"This local cloud has schedules that {_ACTION}, not '{kind}'.", "action.actionType")
    completed(workspace, job_name(name, datetime.now(UTC)), {"properties": section(action, "jobDefinition")})
    enabled = given.get("isEnabled", True)
    if enabled not in (True, False, None):
        raise refused(f"isEnabled is true or false, not '{enabled}'.", "properties.isEnabled")
    return {
        "description": text(given, "description"),
        "displayName": text(given, "displayName"),
        "tags": section(given, "tags"),
        "properties": section(given, "properties"),
        "isEnabled": enabled is not False,
        "trigger": section(given, "trigger"),
        "action": action,
        "provisioningState": "Succeeded",
    }


def _get(call: Call) -> Answer:
    """Get one."""
    return Answer(200, _shown(call, _find(call)))


def _list(call: Call) -> Answer:
    """List those of a workspace: the enabled ones, unless others are asked for."""
    workspace, view = workspace_of(call), call.query.get("listViewType", "EnabledOnly")
    wanted = _VIEWS.get(view.lower())
    if wanted is None:
        raise refused(f"listViewType is EnabledOnly, DisabledOnly or All, not '{view}'.", "listViewType")
    found = call.state.store.arm_list(f"{workspace.id}/schedules/")
    return page(call, [_shown(call, one) for one in found if one["properties"]["isEnabled"] in wanted])


def _delete(call: Call) -> Answer:
    """Delete one; its jobs stay. 204 where there is none."""
    found = _found(call)
    if found is None:
        return Answer(204)
    call.state.store.arm_delete(found["id"])
    return going.goes(call, found, "mfe")


def _trigger(call: Call) -> Answer:
    """Submit its job now, as if it were due."""
    schedule, asked = _find(call), text(call.document(), "scheduleTime")
    if not schedule["properties"]["isEnabled"]:
        raise ArmError(400, "UserError", f"The schedule '{schedule['name']}' is disabled.")
    try:
        due = datetime.fromisoformat(asked) if asked else datetime.now(UTC)
    except ValueError:
        raise refused(f"'{asked}' is no time.", "scheduleTime") from None
    runner = call.request.app.state.azureml.runner
    at = due.astimezone(UTC) if due.tzinfo else due.replace(tzinfo=UTC)
    job_id = submitted(runner.jobs, schedule, at)
    runner.submit(job_id)
    return Answer(200, {"scheduleActionType": _ACTION, "submissionId": job_id.rpartition("/")[2]})


OPERATIONS: tuple[Operation, ...] = (
    Operation("PUT", _ONE, _put),
    Operation("GET", _ONE, _get),
    Operation("DELETE", _ONE, _delete),
    Operation("GET", _ALL, _list),
    Operation("POST", f"{_ONE}/trigger", _trigger),
)
