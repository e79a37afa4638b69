"""What comes of a job whose command has ended: its reason where it failed, else its outputs, brought to their paths."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from localcloud.arm.errors import ArmError
from localcloud.azureml.assets import blobs
from localcloud.azureml.assets import kinds as kinds_of
from localcloud.azureml.assets.operations import Assets
from localcloud.azureml.assets.places import Document, Workspace
from localcloud.azureml.jobs import logs, supervisor
from localcloud.azureml.jobs.preparing import JobFailed, Site
from localcloud.azureml.jobs.request import FILE, MODELS
from localcloud.azureml.jobs.supervisor import End
from localcloud.facilities.logs import redact

_SEE = f"Please check log file '{logs.NAME}' for error details."
# Of the working folder, these are kept with the run, as the service does.
_KEPT = ("outputs", "logs")


def check(end: End, job: Document, log: Path) -> None:
    """Raise `JobFailed` for a command that did not do well."""
    limits, command = job["properties"].get("limits") or {}, _program(job)
    match end.why:
        case supervisor.EXITED:
            if end.code:
                said = redact(logs.last_lines(log))
                raise JobFailed(
                    "UserError", f"Execution failed. {command} {_how(end.code)}. {_SEE} Error: {said}"
                )
        case supervisor.TIMEOUT:
            message = f"The job ran for longer than its limit of {limits.get('timeout')} and was ended."
            raise JobFailed("JobExceededTimeLimit", message)
        case supervisor.MEMORY:
            message = f"{command} used {end.detail} of memory, more than the job may, and was ended."
            raise JobFailed("OutOfMemory", message)
        case supervisor.UNWATCHED:
            raise JobFailed("JobAbandoned", "The local cloud was gone for too long, and the job was ended.")
        case supervisor.LOST:
            message = "The process around the command was killed, or the machine was started again."
            raise JobFailed("JobLost", message)
        case _:
            raise JobFailed("UserError", f"Execution failed. {command} cannot be started: {end.detail}")


async def bring_outputs(job: Document, workspace: Workspace, site: Site) -> None:
    """Upload what the command wrote. Raises `JobFailed` where an output is missing or leads elsewhere."""
    cloud = workspace.cloud
    for port, value in job["properties"]["outputs"].items():
        place, source = workspace.place(value["uri"]), site.output(port)
        await asyncio.to_thread(blobs.make_container, cloud, place.container)
        try:
            count = await asyncio.to_thread(blobs.upload, cloud, source, place) if source.exists() else 0
        except blobs.OutOfFolder as error:
            raise JobFailed("UserError", f"The output '{port}' cannot be kept: {error}.") from None
        if not count and value["jobOutputType"] in (FILE, *MODELS):
            message = (
                f"The output '{port}' is empty: the command wrote nothing to ${{{{outputs.{port}}}}}. {_SEE}"
            )
            raise JobFailed("UserError", message)


async def bring_kept(job: Document, workspace: Workspace, site: Site) -> None:
    """Upload the folders `outputs` and `logs` of the working folder, whatever came of the command."""
    for name in _KEPT:
        folder = site.code / name
        if folder.is_dir() and not folder.is_symlink():
            place = workspace.artifacts(job["name"], name)
            try:
                await asyncio.to_thread(blobs.upload, workspace.cloud, folder, place)
            except blobs.OutOfFolder as error:
                raise JobFailed("UserError", f"The folder '{name}' cannot be kept: {error}.") from None


def register_outputs(job: Document, workspace: Workspace) -> None:
    """Make versions of the outputs that have the name of an asset. Raises `JobFailed`."""
    for port, value in job["properties"]["outputs"].items():
        name = value.get("assetName")
        if not name:
            continue
        model = value["jobOutputType"] in MODELS
        kinds = ("modelUri", "modelType") if model else ("dataUri", "dataType")
        assets = Assets(kinds_of.MODELS if model else kinds_of.DATA)
        uri = workspace.datastore_uri(workspace.place(value["uri"]))
        # A server that was killed right after this finds what it made.
        made_before = [
            one["name"] for one in assets.versions(workspace, name) if one["properties"][kinds[0]] == uri
        ]
        version = (
            value.get("assetVersion") or next(iter(made_before), "") or assets.next_version(workspace, name)
        )
        properties = dict(zip(kinds, (uri, value["jobOutputType"]), strict=True))
        try:
            assets.kind.check_name(name)
            made = {**properties, **({"jobName": job["name"]} if model else {})}
            assets.keep(workspace, job["systemData"], name, str(version), made)
        except ArmError as error:
            raise JobFailed("UserError", f"The output '{port}' cannot be registered: {error}") from None


def _program(job: Document) -> str:
    words = job["properties"]["command"].split()
    return f"User process '{words[0]}'"


def _how(code: int) -> str:
    if code < 0:
        return f"was terminated by signal {_signal(-code)}"
    if code > 128 and (name := _signal(code - 128)) != str(code - 128):
        return f"exited with status code {code}, as after signal {name}"
    return f"exited with status code {code}"


def _signal(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)
