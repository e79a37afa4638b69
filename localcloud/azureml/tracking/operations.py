"""MLflow's operations on experiments and runs, by method and path; each takes one call and answers JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.azureml.assets.places import Workspace
from localcloud.azureml.tracking import search
from localcloud.azureml.tracking.access import Caller
from localcloud.azureml.tracking.errors import invalid, missing
from localcloud.azureml.tracking.state import Document, Tracking, listed, pairs

_MOST = 50_000
_LONGEST_TIME = 16  # digits
_FEW = 1000


@dataclass(frozen=True)
class Call:
    """One call: who calls, on which workspace, with which parameters (a body's, a query's, and the path's)."""

    tracking: Tracking
    workspace: Workspace
    caller: Caller
    given: Mapping[str, Any]

    @property
    def guid(self) -> str:
        """The workspace's."""
        return self.workspace.guid

    def text(self, *names: str) -> str:
        """The first of these parameters that is there, a string. Raises TrackingError."""
        for name in names:
            if (value := self.given.get(name)) not in (None, ""):
                if not isinstance(value, str | int | float):
                    raise invalid(f"Invalid value for parameter '{name}' supplied")
                return str(value)
        raise invalid(f"Missing value for required parameter '{names[0]}'")

    def words(self, name: str) -> list[str]:
        """A parameter that is a list of strings, or absent. Raises TrackingError."""
        found = self.given.get(name) or []
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise invalid(f"{name} is not a list of strings")
        return found

    def run(self, *, write: bool = False) -> Document:
        """The run that is named. Raises TrackingError."""
        run = self.tracking.run(self.guid, self.text("run_id", "run_uuid"))
        if write:
            self.caller.check_write(run)
        return run

    def experiment(self) -> Document:
        """The experiment that is named; 0 is the default one. Raises TrackingError."""
        given = self.text("experiment_id")
        return (
            self.tracking.default_experiment(self.guid)
            if given == "0"
            else self.tracking.experiment(self.guid, given)
        )


def _experiment(document: Document) -> Document:
    return {"experiment": {**document, "tags": listed(document["tags"])}}


def _create_experiment(call: Call) -> Document:
    call.caller.check_writes()
    made = call.tracking.create_experiment(call.guid, call.given.get("name", ""), call.given.get("tags"))
    return {"experiment_id": made["experiment_id"]}


def _get_experiment(call: Call) -> Document:
    return _experiment(call.experiment())


def _get_experiment_by_name(call: Call) -> Document:
    name = call.text("experiment_name")
    found = call.tracking.experiment_by_name(call.guid, name)
    if found is None and name == "Default":
        found = call.tracking.default_experiment(call.guid)
    if found is None:
        raise missing("Experiment", name)
    return _experiment(found)


def _search_experiments(call: Call) -> Document:
    conditions = search.conditions(call.given.get("filter"))
    stage = str(call.given.get("view_type", "ACTIVE_ONLY"))
    found = [
        one
        for one in call.tracking.experiments(call.guid)
        if _in_view(one["lifecycle_stage"], stage)
        and search.matches({"attributes": one, "tags": one["tags"], "metrics": {}, "params": {}}, conditions)
    ]
    return page(call, "experiments", [_experiment(one)["experiment"] for one in found])


def _change_experiment(**changes: Callable[[Call], Any]) -> Callable[[Call], Document]:
    def change(call: Call) -> Document:
        call.caller.check_writes()
        document = call.experiment()
        document.update({name: value(call) for name, value in changes.items()})
        call.tracking.save_experiment(call.guid, document)
        return {}

    return change


def _tag_experiment(call: Call) -> Document:
    call.caller.check_writes()
    document = call.experiment()
    document["tags"][call.text("key")] = str(call.given.get("value", ""))
    call.tracking.save_experiment(call.guid, document)
    return {}


def _fields(call: Call, run: Document) -> search.Fields:
    metrics = {
        one["key"]: float(one["value"]) for one in call.tracking.metrics(call.guid, run["info"]["run_id"])
    }
    return {"metrics": metrics, "params": run["params"], "tags": run["tags"], "attributes": run["info"]}


def _shown(call: Call, run: Document) -> Document:
    data = {
        "metrics": call.tracking.metrics(call.guid, run["info"]["run_id"]),
        "params": listed(run["params"]),
        "tags": listed(run["tags"]),
    }
    return {"info": run["info"], "data": data, "inputs": {}, "outputs": {"model_outputs": run["outputs"]}}


def _create_run(call: Call) -> Document:
    call.caller.check_writes()
    tags = pairs(call.given.get("tags"))
    started = str(call.given.get("start_time") or "")
    run = call.tracking.create_run(
        call.guid,
        call.experiment()["experiment_id"] if call.given.get("experiment_id") else "",
        name=str(call.given.get("run_name") or tags.get("mlflow.runName") or ""),
        user=str(call.given.get("user_id") or ""),
        started=int(started) if started.isdecimal() and len(started) < _LONGEST_TIME else 0,
        tags=tags,
    )
    return {"run": _shown(call, run)}


def _get_run(call: Call) -> Document:
    return {"run": _shown(call, call.run())}


def _update_run(call: Call) -> Document:
    run = call.run(write=True)
    info = run["info"]
    for name in ("status", "end_time", "run_name"):
        if call.given.get(name):
            info[name] = call.given[name]
    if call.given.get("run_name"):
        run["tags"]["mlflow.runName"] = call.given["run_name"]
    call.tracking.save_run(call.guid, run)
    return {"run_info": info}


def _stage_run(stage: str) -> Callable[[Call], Document]:
    def change(call: Call) -> Document:
        run = call.run(write=True)
        run["info"]["lifecycle_stage"] = stage
        call.tracking.save_run(call.guid, run)
        return {}

    return change


def _search_runs(call: Call) -> Document:
    wanted = call.words("experiment_ids")
    conditions = search.conditions(call.given.get("filter"))
    stage = str(call.given.get("run_view_type", "ACTIVE_ONLY"))
    experiments = [
        call.tracking.default_experiment(call.guid)["experiment_id"] if one == "0" else str(one)
        for one in wanted
    ]
    found = [
        run
        for run in call.tracking.runs(call.guid, experiments)
        if _in_view(run["info"]["lifecycle_stage"], stage)
        and (not conditions or search.matches(_fields(call, run), conditions))
    ]
    found = search.ordered(found, call.words("order_by"), lambda run: _fields(call, run))
    return page(call, "runs", found, lambda run: _shown(call, run))


def _log_metric(call: Call) -> Document:
    run = call.run(write=True)
    call.tracking.log(call.guid, run["info"]["run_id"], metrics=[call.given])
    return {}


def _log_parameter(call: Call) -> Document:
    run = call.run(write=True)
    value = {call.text("key"): str(call.given.get("value", ""))}
    call.tracking.log(call.guid, run["info"]["run_id"], params=value)
    return {}


def _set_tag(call: Call) -> Document:
    run = call.run(write=True)
    value = {call.text("key"): str(call.given.get("value", ""))}
    call.tracking.log(call.guid, run["info"]["run_id"], tags=value)
    return {}


def _delete_tag(call: Call) -> Document:
    run = call.run(write=True)
    run["tags"].pop(call.text("key"), None)
    call.tracking.save_run(call.guid, run)
    return {}


def _log_batch(call: Call) -> Document:
    run, given = call.run(write=True), call.given
    call.tracking.log(
        call.guid,
        run["info"]["run_id"],
        given.get("metrics") or (),
        pairs(given.get("params")),
        pairs(given.get("tags")),
    )
    return {}


def _log_model(call: Call) -> Document:
    """What MLflow 2 says of a model that it has logged: a line of the run's history of models."""
    run = call.run(write=True)
    try:
        history = json.loads(run["tags"].get("mlflow.log-model.history", "[]"))
        history.append(json.loads(call.text("model_json")))
    except ValueError:
        raise invalid("model_json is not JSON") from None
    tags = {"mlflow.log-model.history": json.dumps(history)}
    call.tracking.log(call.guid, run["info"]["run_id"], tags=tags)
    return {}


def _log_outputs(call: Call) -> Document:
    run = call.run(write=True)
    run["outputs"] += [
        {"model_id": one["model_id"], "step": one.get("step", 0)}
        for one in call.given.get("models") or ()
        if isinstance(one, Mapping) and "model_id" in one
    ]
    call.tracking.save_run(call.guid, run)
    return {}


def _log_inputs(call: Call) -> Document:
    """Datasets that a run has read are taken and not kept."""
    call.run(write=True)
    return {}


def _metric_history(call: Call) -> Document:
    run = call.run()
    found = call.tracking.history(call.guid, run["info"]["run_id"], call.text("metric_key"))
    return page(call, "metrics", found)


def _in_view(stage: str, view: str) -> bool:
    return view == "ALL" or (stage == "active") == (view != "DELETED_ONLY")


def page(call: Call, name: str, found: list[Any], shown: Callable[[Any], Any] = lambda one: one) -> Document:
    """A page of a list; the token of the next is where that begins."""
    token = str(call.given.get("page_token") or "0")
    most = str(call.given.get("max_results") or _FEW)
    if not (token.isdecimal() and most.isdecimal() and 0 < int(most) <= _MOST):
        raise invalid(f"max_results is a number up to {_MOST}, page_token what the page before said")
    end = int(token) + int(most)
    body: Document = {name: [shown(one) for one in found[int(token) : end]]}
    if end < len(found):
        body["next_page_token"] = str(end)
    return body


OPERATIONS: Mapping[tuple[str, str], Callable[[Call], Document]] = {
    ("POST", "experiments/create"): _create_experiment,
    ("GET", "experiments/get"): _get_experiment,
    ("GET", "experiments/get-by-name"): _get_experiment_by_name,
    ("GET", "experiments/search"): _search_experiments,
    ("POST", "experiments/search"): _search_experiments,
    ("POST", "experiments/delete"): _change_experiment(lifecycle_stage=lambda _: "deleted"),
    ("POST", "experiments/restore"): _change_experiment(lifecycle_stage=lambda _: "active"),
    ("POST", "experiments/update"): _change_experiment(name=lambda call: call.text("new_name")),
    ("POST", "experiments/set-experiment-tag"): _tag_experiment,
    ("POST", "runs/create"): _create_run,
    ("GET", "runs/get"): _get_run,
    ("POST", "runs/update"): _update_run,
    ("POST", "runs/delete"): _stage_run("deleted"),
    ("POST", "runs/restore"): _stage_run("active"),
    ("POST", "runs/search"): _search_runs,
    ("POST", "runs/log-metric"): _log_metric,
    ("POST", "runs/log-parameter"): _log_parameter,
    ("POST", "runs/set-tag"): _set_tag,
    ("POST", "runs/delete-tag"): _delete_tag,
    ("POST", "runs/log-batch"): _log_batch,
    ("POST", "runs/log-model"): _log_model,
    ("POST", "runs/log-inputs"): _log_inputs,
    ("POST", "runs/outputs"): _log_outputs,
    ("GET", "metrics/get-history"): _metric_history,
}
