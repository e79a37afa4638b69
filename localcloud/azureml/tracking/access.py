"""Who may log: the owner all, a reader nothing, a job to its own run and to runs that are no other job's.

A job gets a token of its own, which opens its workspace's tracking server while the job is not over. It is made from
the job's name and a key of this cloud, so that nothing has to be kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from starlette.requests import Request

from localcloud.azureml.assets.places import Document, Workspace
from localcloud.azureml.tracking.errors import TrackingError, missing
from localcloud.directory.errors import TokenRefused
from localcloud.directory.state import Directory
from localcloud.facilities.auth import credentials
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.store import Store
from localcloud.facilities.wire import base_url

_OVER = ("Completed", "Failed", "Canceled")


@dataclass(frozen=True)
class Caller:
    """Who calls: a job by its name, or (without) somebody who may write or not."""

    job: str = ""
    writes: bool = True

    def check_write(self, run: Document) -> None:
        """Raise TrackingError where this caller may not write to a run."""
        if run["job"]:
            self.check_write_to_job(run["info"]["run_id"])
        else:
            self.check_writes()

    def check_write_to_job(self, name: str) -> None:
        """Raise TrackingError where this caller may not write to a job's run."""
        self.check_writes()
        if self.job and name != self.job:
            raise _denied(f"The job '{self.job}' may not write to the run of the job '{name}'.")

    def check_writes(self) -> None:
        """Raise TrackingError where this caller only reads."""
        if not self.writes:
            raise _denied("A reader may not log.")


def job_token(cloud: Cloud, workspace_guid: str, job: str) -> str:
    """The token of a job."""
    about = base64.urlsafe_b64encode(f"{workspace_guid}/{job}".encode()).decode().rstrip("=")
    return f"{about}.{_signature(cloud, about)}"


def workspace_at(store: Store, cloud: Cloud, scope: str) -> Workspace:
    """The workspace whose id is `scope`. Raises TrackingError."""
    document = store.arm_get(f"/{scope.strip('/')}")
    if document is None or "workspaceId" not in document.get("properties", {}):
        raise missing("workspace", scope)
    return Workspace(store, cloud, document)


def caller_of(request: Request, directory: Directory, workspace: Workspace) -> Caller:
    """Who sent a request. Raises TrackingError for nobody that is known."""
    for token in credentials(request):
        if job := _job_of(token, workspace):
            return Caller(job)
        try:
            principal = directory.bearer(token, base_url(request))
        except TokenRefused:
            continue
        return Caller(writes=principal.name == "owner")
    raise TrackingError("UNAUTHENTICATED", "No token that is valid for this workspace was sent.")


def _job_of(token: str, workspace: Workspace) -> str:
    """The job whose token this is; empty for another token, and that of a job that is over."""
    about, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(workspace.cloud, about).encode()):
        return ""
    try:
        guid, _, name = base64.urlsafe_b64decode(about + "=" * (-len(about) % 4)).decode().partition("/")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    job = workspace.job(name) if guid == workspace.guid else None
    return name if job is not None and job["properties"]["status"] not in _OVER else ""


def _signature(cloud: Cloud, about: str) -> str:
    key = hashlib.sha256(f"token of a job {cloud.account_key}".encode()).digest()
    return hmac.new(key, about.encode(), "sha256").hexdigest()


def _denied(message: str) -> TrackingError:
    return TrackingError("PERMISSION_DENIED", message)
