"""Batch execution on the wire: BatchExecutionRequest checked, BatchScoreStatus written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph import Experiment
from localcloud.blobs.locations import Location, locate_blob, readable
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import BadArgument, InvalidOperation
from localcloud.facilities.wire import member
from localcloud.studio.batch.errors import wrong_extension
from localcloud.studio.parameters import global_parameters
from localcloud.works.batch.jobs import (
    FAILED,
    FINISHED,
    NOT_STARTED,
    QUEUED,
    RUNNING,
    STALLED,
    Job,
    JobProgress,
    JobRequest,
)
from localcloud.works.batch.places import EXTENSIONS, extension, generated_place, output_location
from tables import ENDINGS, ending

_SHOWN = {QUEUED: NOT_STARTED, STALLED: RUNNING}


def check_request(body: Mapping[str, Any], experiment: Experiment, cloud: Cloud) -> JobRequest:
    """Check a BatchExecutionRequest as Studio does when it is submitted.

    All members may be null, unknown ones are ignored. Raises `BadArgument` with the codes of
    web-service-error-codes.md, `InvalidOperation` for one Input where several are needed.
    """
    return JobRequest(
        inputs=_inputs(body, experiment, cloud),
        outputs=_outputs(body, experiment, cloud),
        parameters=global_parameters(experiment, member(body, "GlobalParameters"), BadArgument),
    )


def _inputs(body: Mapping[str, Any], experiment: Experiment, cloud: Cloud) -> dict[str, dict[str, Any]]:
    single, several = member(body, "Input"), member(body, "Inputs")
    if single is not None and several is not None:
        raise BadArgument("DuplicateInputInBatchCall", "give either Input or Inputs, not both", "Inputs")
    if single is not None:
        if len(experiment.inputs) > 1:
            raise InvalidOperation(
                "MultipleInputsNotAllowed",
                f"this web service has several inputs, give Inputs: {', '.join(experiment.inputs)}",
                "Input",
            )
        several = {experiment.inputs[0] if experiment.inputs else "input1": single}
    given = _references(several, experiment.inputs, "Inputs", "InvalidInputNames")
    missing = [name for name in experiment.inputs if name not in given]
    if missing:
        raise BadArgument(
            "BatchJobInputsNotSpecified", f"no blob is given for {', '.join(missing)}", missing[0]
        )
    for name, reference in given.items():
        location = locate_blob(reference, cloud, name)
        if not ending(location.name):
            raise wrong_extension(name, location.name, ENDINGS)
    return given


def _outputs(body: Mapping[str, Any], experiment: Experiment, cloud: Cloud) -> dict[str, dict[str, Any]]:
    kinds = {output.name: output.kind for output in experiment.outputs}
    given = _references(member(body, "Outputs"), tuple(kinds), "Outputs", "InvalidOutputOverrideName")
    outputs: dict[str, dict[str, Any]] = {}
    for name, kind in kinds.items():
        allowed = EXTENSIONS[kind]
        if name in given:
            location = locate_blob(given[name], cloud, name)
            if extension(location.name, allowed) is None:
                raise wrong_extension(name, location.name, allowed)
            outputs[name] = given[name]
        else:
            outputs[name] = generated_place(kind)
    return outputs


def _references(value: Any, names: tuple[str, ...], where: str, code: str) -> dict[str, dict[str, Any]]:
    """References by the port names of the graph, matched without regard to case; null ones left out."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadArgument("RequestBodyInvalid", f"{where} is not an object", where)
    known = {name.casefold(): name for name in names}
    found: dict[str, dict[str, Any]] = {}
    for name, reference in value.items():
        if str(name).casefold() not in known:
            listed = ", ".join(names) or "none"
            raise BadArgument(code, f"{where}: there is no '{name}'; there are: {listed}", str(name))
        if reference is None:
            continue
        if not isinstance(reference, dict):
            raise BadArgument("RequestBodyInvalid", f"{where}: '{name}' is not a blob reference", str(name))
        found[known[str(name).casefold()]] = reference
    return found


def status_json(
    job: Job, cloud: Cloud, progress: JobProgress | None, *, expired: bool = False
) -> dict[str, Any]:
    """A BatchScoreStatus: the state as a string, all three keys always there, a fresh SAS in each result.

    With `expired` that SAS ended a day ago.
    """
    status: dict[str, Any] = {
        "StatusCode": _SHOWN.get(job.state, job.state),
        "Results": None,
        "Details": job.details if job.state == FAILED else None,
    }
    if job.state == FINISHED:
        status["Results"] = {
            name: _result(output_location(reference, cloud, name), cloud, expired)
            for name, reference in job.request.outputs.items()
        }
    elif progress is not None:
        status["Progress"] = progress
    return status


def _result(location: Location, cloud: Cloud, expired: bool) -> dict[str, Any]:
    return {
        "ConnectionString": None,
        "RelativeLocation": location.path,
        "BaseLocation": location.base,
        "SasBlobToken": readable(location, cloud).read_sas(expired=expired),
    }
