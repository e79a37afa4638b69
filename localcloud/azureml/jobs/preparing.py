"""Everything that a command needs before it begins: its folder with code and inputs, its Python, its order."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import psutil

from localcloud.arm.errors import ArmError
from localcloud.azureml.assets import blobs
from localcloud.azureml.assets.places import Document, Workspace
from localcloud.azureml.assets.resolving import content_of
from localcloud.azureml.environments.making import Environments
from localcloud.azureml.environments.recipe import EnvironmentFailed, recipe_of
from localcloud.azureml.jobs.request import FILE, LITERAL, PLACEHOLDER, asset_of, limit_of
from localcloud.azureml.tracking.access import job_token
from localcloud.blobs.locations import is_azures

LONGEST_LOG = 256 * 1024 * 1024
_OF_MACHINE = 0.8  # of its memory, at most, for one job
_MEMORY = re.compile(r"(?:--memory|-m)[ =](\d+)([bkmg]?)\b", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SECONDS = 120.0
_FOLDERS = ("uri_folder", "mltable")


class JobFailed(Exception):
    """A job that cannot go on: the service's code, and one line of why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Site:
    """A job's own folder."""

    folder: Path

    @property
    def code(self) -> Path:
        """Where the command is run."""
        return self.folder / "code"

    def input(self, port: str) -> Path:
        """Where an input is brought to."""
        return self.folder / "inputs" / port

    def output(self, port: str) -> Path:
        """Where the command is to write an output: a folder, or a file in one."""
        return self.folder / "outputs" / port


async def prepare(job: Document, workspace: Workspace, site: Site, environments: Environments) -> Document:
    """Make the folder and the environment of a job anew; the order for its supervisor. Raises `JobFailed`."""
    await asyncio.to_thread(shutil.rmtree, site.folder, ignore_errors=True)
    for path in (site.code, site.folder / "inputs", site.folder / "outputs", site.folder / "tmp"):
        path.mkdir(mode=0o700, parents=True)
    properties = job["properties"]
    python = await _environment(workspace, properties, environments)
    await _code(workspace, properties, site)
    values = {
        ("inputs", port): await _input(workspace, port, value, site)
        for port, value in properties["inputs"].items()
    }
    for port, value in properties["outputs"].items():
        values["outputs", port] = str(_output(value, site.output(port)))
    command = PLACEHOLDER.sub(
        lambda found: _quoted(values[found[1], found[2]], properties, found), properties["command"]
    )
    shell = shutil.which("bash", path=_SYSTEM_PATH) or "/bin/sh"
    return {
        "command": [shell, "-c", command],
        "cwd": str(site.code),
        "environment": _variables(job, workspace, site, python, values),
        "timeout": limit_of(properties),
        "memory": _memory_limit(properties),
        "longestLog": LONGEST_LOG,
    }


async def _environment(workspace: Workspace, properties: Document, environments: Environments) -> Path:
    environment_id = properties["environmentId"]
    environment = asset_of(workspace, environment_id)
    if environment is None:
        message = f"This local cloud cannot make the environment '{environment_id}'"
        raise JobFailed("ImageBuildFailure", f"{message}: what is in it is not known here.")
    try:
        return await environments.python(recipe_of(environment["properties"]))
    except EnvironmentFailed as error:
        message = (
            f"The environment '{environment_id.rpartition('/environments/')[2]}' cannot be made: {error}"
        )
        raise JobFailed("ImageBuildFailure", message) from None


async def _code(workspace: Workspace, properties: Document, site: Site) -> None:
    if not properties["codeId"]:
        return
    code = asset_of(workspace, properties["codeId"])
    if code is None:
        raise JobFailed("UserError", f"The code '{properties['codeId']}' was deleted.")
    await _download(workspace, code["properties"]["codeUri"], site.code, "The code")


async def _download(workspace: Workspace, uri: str, folder: Path, what: str) -> Path:
    """Bring what an address means into a folder: the folder, or the file where it is one."""
    try:
        place = await content_of(workspace, uri)
        files = await asyncio.to_thread(blobs.download, workspace.cloud, place, folder)
    except (ArmError, OSError, blobs.NoBlobs, blobs.OutOfFolder) as error:
        raise JobFailed("DataAccessError", f"{what} cannot be read: {error}") from None
    return files[0] if await asyncio.to_thread(blobs.is_blob, workspace.cloud, place) else folder


async def _input(workspace: Workspace, port: str, value: Document, site: Site) -> str:
    kind, uri, folder = value["jobInputType"], str(value.get("uri")), site.input(port)
    if kind == LITERAL:
        return str(value["value"])
    if value["mode"] == "Direct":
        return uri
    if _is_elsewhere(workspace, uri):
        path = await _fetch(uri, folder, port)
    else:
        path = await _download(workspace, uri, folder, f"The input '{port}'")
    if kind == FILE and path == folder:
        raise JobFailed("DataAccessError", f"The input '{port}' is a uri_file, and its path is a folder.")
    return str(folder if kind in _FOLDERS else path)


def _is_elsewhere(workspace: Workspace, uri: str) -> bool:
    parts = urlsplit(uri)
    own = urlsplit(workspace.cloud.blob)
    return (
        parts.scheme in ("http", "https")
        and (parts.hostname, parts.port) != (own.hostname, own.port)
        and not is_azures(uri)
        and not (parts.hostname or "").endswith(".blob.localhost")
    )


async def _fetch(uri: str, folder: Path, port: str) -> Path:
    path = folder / (Path(unquote(urlsplit(uri).path)).name or "data")
    folder.mkdir(parents=True)
    try:
        async with (
            httpx.AsyncClient(follow_redirects=True, timeout=_SECONDS) as client,
            client.stream("GET", uri) as answer,
        ):
            answer.raise_for_status()
            with path.open("wb") as file:
                async for part in answer.aiter_bytes():
                    file.write(part)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise JobFailed("DataAccessError", f"The input '{port}' cannot be read from {uri}: {error}") from None
    return path


def _output(value: Document, path: Path) -> Path:
    (path.parent if value["jobOutputType"] == FILE else path).mkdir(parents=True, exist_ok=True)
    return path


def _quoted(value: str, properties: Document, found: re.Match[str]) -> str:
    """A path as one word; a literal as it was written, as the service puts it there."""
    kind, port = found[1], found[2]
    literal = kind == "inputs" and properties["inputs"][port]["jobInputType"] == LITERAL
    return value if literal else shlex.quote(value)


def _variables(
    job: Document, workspace: Workspace, site: Site, python: Path, values: Mapping[tuple[str, str], str]
) -> dict[str, str]:
    """The environment of the command: the job's own variables, what the service tells a job, and no more."""
    scope = workspace.id.split("/")
    base = workspace.cloud.studio or job["run"]["base"]
    return {
        "PATH": os.pathsep.join((str(python.parent), _SYSTEM_PATH)),
        "VIRTUAL_ENV": str(python.parent.parent),
        "HOME": str(site.folder / "tmp"),
        "TMPDIR": str(site.folder / "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **{f"AZURE_ML_{kind[:-1].upper()}_{port}": value for (kind, port), value in values.items()},
        "AZUREML_RUN_ID": job["name"],
        "AZUREML_ARM_SUBSCRIPTION": scope[2],
        "AZUREML_ARM_RESOURCEGROUP": scope[4],
        "AZUREML_ARM_WORKSPACE_NAME": scope[-1],
        "AZUREML_ARM_PROJECT_NAME": job["properties"]["experimentName"],
        "MLFLOW_TRACKING_URI": workspace.tracking_uri(base),
        "MLFLOW_TRACKING_TOKEN": job_token(workspace.cloud, workspace.guid, job["name"]),
        "MLFLOW_RUN_ID": job["name"],
        "MLFLOW_EXPERIMENT_NAME": job["properties"]["experimentName"],
        **job["properties"]["environmentVariables"],
    }


def _memory_limit(properties: Mapping[str, Any]) -> int:
    """In bytes: Docker's own option in `resources.dockerArgs`, or else most of the machine's."""
    found = _MEMORY.search(str((properties.get("resources") or {}).get("dockerArgs") or ""))
    if found:
        return int(found[1]) * _UNITS[found[2].lower()]
    return int(psutil.virtual_memory().total * _OF_MACHINE)
