"""The Batch Execution Service: submit, start, status, cancel (api-version 2.0)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests

from clients.errors import NotFound, ServiceError, Unreachable
from clients.protocols import JobState, JobStatus
from clients.storage import BlobRef
from clients.transport import Transport

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
        inputs: Mapping[str, BlobRef],
        outputs: Mapping[str, BlobRef],
        parameters: Mapping[str, str],
    ) -> str:
        """Submit a job; it runs only when started. Its id."""
        request = {
            "Inputs": dict(inputs),
            "Outputs": dict(outputs),
            "GlobalParameters": dict(parameters),
        }
        return str(self._transport.post("jobs", request, **_VERSION)).strip('"')

    def start(self, job: str) -> None:
        """Start it; CannotStartJob says that somebody else did, or that an earlier try came through."""
        try:
            self._transport.send("POST", f"jobs/{job}/start", params=_VERSION, retried=True)
        except ServiceError as error:
            if error.code != "CannotStartJob":
                raise

    def status(self, job: str) -> JobStatus:
        """Look at it. Raises ServiceError for a state that is none of the protocol's."""
        try:
            answer = self._transport.get(f"jobs/{job}", **_VERSION)
        except NotFound:
            return JobStatus(JobState.LOST, {})
        state = _STATES.get(str(answer.get("StatusCode")).lower())
        if state is None:
            raise ServiceError(
                f"the batch service reports a state that is unknown: {answer.get('StatusCode')!r}",
                "look at the job at the service; nothing was bound",
            )
        progress: Mapping[str, Any] = answer.get("Progress") or {}
        return JobStatus(
            state,
            answer.get("Results") or {},
            _one_line(answer.get("Details")),
            progress.get("Module") or "",
            progress.get("Rows"),
        )

    def cancel(self, job: str) -> None:
        """DELETE it: stops a running job and forgets it."""
        self._transport.delete(f"jobs/{job}", **_VERSION)

    def fetch(self, result: BlobRef) -> bytes:
        """The content of a result: BaseLocation, RelativeLocation and SasBlobToken, one after the other."""
        url = f"{result['BaseLocation']}{result['RelativeLocation']}{result['SasBlobToken']}"
        try:
            response = requests.get(url, timeout=100)
        except requests.RequestException:
            raise Unreachable(
                f"the job's result {result['RelativeLocation']} cannot be fetched", "run the update again"
            ) from None
        if response.status_code != 200:
            raise ServiceError(
                f"the job's result {result['RelativeLocation']} answers {response.status_code}",
                "run the update again",
                status=response.status_code,
            )
        return response.content


def _one_line(details: Any) -> str:
    if details is None or isinstance(details, str):
        return " ".join((details or "").split())
    return json.dumps(details)
