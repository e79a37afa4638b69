"""MLflow's operations on logged models, which MLflow 3 keeps beside the run that made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import uuid4

from localcloud.azureml.tracking import search
from localcloud.azureml.tracking.operations import Call, page
from localcloud.azureml.tracking.state import Document, listed, milliseconds, pairs


def _create_model(call: Call) -> Document:
    call.caller.check_writes()
    experiment = call.experiment()
    run = str(call.given.get("source_run_id") or "")
    if run:
        call.caller.check_write(call.tracking.run(call.guid, run))
    model_id, at = f"m-{uuid4().hex}", milliseconds()
    home = f"ExperimentRun/dcid.{run}" if run else f"ExperimentRun/experiment.{experiment['experiment_id']}"
    info = {
        "model_id": model_id,
        "experiment_id": experiment["experiment_id"],
        "name": str(call.given.get("name") or model_id),
        "creation_timestamp_ms": at,
        "artifact_uri": f"mlflow-artifacts:/{home}/models/{model_id}",
        "status": "LOGGED_MODEL_PENDING",
        "model_type": str(call.given.get("model_type") or ""),
        "source_run_id": run,
        "tags": listed(pairs(call.given.get("tags"))),
    }
    params = listed(pairs(call.given.get("params")))
    document = {"info": info, "data": {"params": params, "metrics": []}}
    call.tracking.save_model(call.guid, document)
    return {"model": document}


def _model(call: Call, *, write: bool = False) -> Document:
    document = call.tracking.model(call.guid, call.text("model_id"))
    if write:
        call.caller.check_writes()
        if run := document["info"]["source_run_id"]:
            call.caller.check_write(call.tracking.run(call.guid, run))
    return document


def _get_model(call: Call) -> Document:
    return {"model": _model(call)}


def _finalize_model(call: Call) -> Document:
    document = _model(call, write=True)
    document["info"]["status"] = call.text("status")
    call.tracking.save_model(call.guid, document)
    return {"model": document}


def _delete_model(call: Call) -> Document:
    call.tracking.delete_model(call.guid, _model(call, write=True)["info"]["model_id"])
    return {}


def _tag_model(call: Call) -> Document:
    document = _model(call, write=True)
    document["info"]["tags"] = listed({**pairs(document["info"]["tags"]), **pairs(call.given.get("tags"))})
    call.tracking.save_model(call.guid, document)
    return {"model": document}


def _untag_model(call: Call) -> Document:
    document = _model(call, write=True)
    document["info"]["tags"] = [one for one in document["info"]["tags"] if one["key"] != call.text("tag_key")]
    call.tracking.save_model(call.guid, document)
    return {}


def _log_model_params(call: Call) -> Document:
    document = _model(call, write=True)
    document["data"]["params"] += listed(pairs(call.given.get("params")))
    call.tracking.save_model(call.guid, document)
    return {}


def _search_models(call: Call) -> Document:
    experiments = call.words("experiment_ids")
    conditions = search.conditions(call.given.get("filter"))
    found = [
        one
        for one in call.tracking.models(call.guid, experiments)
        if search.matches(
            {
                "attributes": one["info"],
                "tags": pairs(one["info"]["tags"]),
                "params": pairs(one["data"]["params"]),
                "metrics": {},
            },
            conditions,
        )
    ]
    return page(call, "models", found)


OPERATIONS: Mapping[tuple[str, str], Callable[[Call], Document]] = {
    ("POST", "logged-models"): _create_model,
    ("POST", "logged-models/search"): _search_models,
    ("GET", "logged-models/{model_id}"): _get_model,
    ("PATCH", "logged-models/{model_id}"): _finalize_model,
    ("DELETE", "logged-models/{model_id}"): _delete_model,
    ("PATCH", "logged-models/{model_id}/tags"): _tag_model,
    ("DELETE", "logged-models/{model_id}/tags/{tag_key}"): _untag_model,
    ("POST", "logged-models/{model_id}/params"): _log_model_params,
}
