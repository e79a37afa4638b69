"""The Batch Execution Service: submit, start, status, cancel (api-version 2.0)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from clients.errors import NotFound, ServiceError
from clients.http.answers import part, text
from clients.http.transport import Transport, fetch
from clients.protocols import JobState, JobStatus
from clients.storage import BlobRef
from clients.studio_data_plane.references import parsed, written
from clients.text import told

_VERSION = {"api-version": "2.0"}
# The wire has the string; .NET clients of 2014 and some servers have the number, and one client "Canceled".
_STATES = {
    "notstarted": JobState.NOT_STARTED,
    "running": JobState.RUNNING,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
    "canceled": JobState.CANCELLED,
    "finished": JobState.FINISHED,
    "0": JobState.NOT_STARTED,
    "1": JobState.RUNNING,
    "2": JobState.FAILED,
    "3": JobState.CANCELLED,
    "4": JobState.FINISHED,
}


class StudioJobs:
    """Batch jobs of the endpoint that *transport* is signed in to; its base address is ``…/services/{guid}``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        _name: str,
        inputs: Mapping[str, BlobRef],
        outputs: Mapping[str, BlobRef],
        parameters: Mapping[str, str],
        seconds: float = math.inf,
    ) -> str:
        """Submit a job; it runs only when started. Its id, which the service gives."""
        request = {
            "Inputs": {port: written(blob) for port, blob in inputs.items()},
            "Outputs": {port: written(blob) for port, blob in outputs.items()},
            "GlobalParameters": dict(parameters),
        }
        return text(self._transport.post("jobs", request, **_VERSION)).strip('"')

    def start(self, job: str) -> None:
        """Start it; CannotStartJob says that somebody else did, or that an earlier try came through."""
        try:
            self._transport.send("POST", f"jobs/{job}/start", params=_VERSION, retried=True)
        except ServiceError as error:
            if error.code != "CannotStartJob":
                raise

    def status(self, job: str) -> JobStatus:
        """Look at it. Raises ServiceError for a state that the protocol does not have."""
        try:
            answer = self._transport.object("GET", f"jobs/{job}", **_VERSION)
        except NotFound:
            return JobStatus(JobState.LOST, {})
        state = _STATES.get(str(answer.get("StatusCode")).lower())
        if state is None:
            raise ServiceError(
                f"the batch service reports a state that is unknown: {answer.get('StatusCode')!r}",
                "look at the job at the service; nothing was bound",
            )
        progress = part(answer, "Progress")
        rows = progress.get("Rows")
        return JobStatus(
            state,
            {
                name: parsed(found)
                for name, found in part(answer, "Results").items()
                if isinstance(found, dict)
            },
            _text(answer.get("Details")),
            str(progress.get("Module") or ""),
            rows if isinstance(rows, int) else None,
        )

    def cancel(self, job: str) -> None:
        """DELETE it: stops a running job and forgets it."""
        self._transport.delete(f"jobs/{job}", **_VERSION)

    def fetch(self, result: BlobRef) -> bytes:
        """The content of a result."""
        return fetch(f"the job's result {result.path}", result.opened, "run the update again")

    def gather(self, model: BlobRef) -> None:
        """Nothing: the job writes the model to its place itself."""

    def register(self, model: BlobRef, tags: Mapping[str, str]) -> None:
        """Nothing: Studio registers no models."""


def _text(details: Any) -> str:
    if details is None or isinstance(details, str):
        return details or ""
    return json.dumps(_told(details), ensure_ascii=False)


def _told(details: Any) -> Any:
    """Texts as they may be shown, before JSON escapes what must not be."""
    if isinstance(details, Mapping):
        return {told(name, 200): _told(value) for name, value in details.items()}
    if isinstance(details, list):
        return [_told(value) for value in details]
    return told(details) if isinstance(details, str) else details
