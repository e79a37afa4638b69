"""A workspace of Azure ML v2: its resources in Resource Manager, and the data plane that it names.

Source: Microsoft.MachineLearningServices 2024-10-01; what the data plane answers, azure-ai-ml 1.35.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from clients.arm.resource_manager import Json, ResourceManager
from clients.clock import Clock
from clients.credentials import Target
from clients.errors import ServiceError
from clients.http.answers import part, text
from clients.http.transport import Transport
from clients.storage import BlobRef, Container

API_VERSION = "2024-10-01"
# The service reports 12 to 18 minutes for a deployment, and half an hour as the most that an operation takes.
_DEADLINE_SECONDS = 2400.0
_TAGS = ("tags", "properties")


class AzureMlWorkspace:
    """The workspace with the ARM id *resource* at *target*."""

    def __init__(self, target: Target, resource: str, clock: Clock) -> None:
        self.target, self.id, self.clock = target, resource.rstrip("/"), clock
        self.arm = ResourceManager(target.arm, API_VERSION, clock, deadline=_DEADLINE_SECONDS)

    @cached_property
    def _document(self) -> Json:
        return self.arm.get(self.id)

    @property
    def location(self) -> str:
        """The region that it is in."""
        return text(self._document, "location")

    @cached_property
    def history(self) -> Transport:
        """Run history, signed in as to Resource Manager."""
        found = self.target.arm.get(text(self._document, "properties", "discoveryUrl"))
        return self._data_plane("run history", text(found, "api"))

    @cached_property
    def tracking(self) -> Transport:
        """The workspace's MLflow tracking server."""
        address = text(self._document, "properties", "mlFlowTrackingUri")
        return self._data_plane("the tracking server", address.replace("azureml://", "https://", 1))

    def _data_plane(self, service: str, address: str) -> Transport:
        if urlsplit(address).scheme not in ("http", "https"):
            raise ServiceError(
                f"the workspace {self.id.rpartition('/')[2]!r} names no address for {service}",
                "check that it is a workspace of Azure ML v2",
            )
        return replace(self.target.arm, service=service, base_url=address)

    def registry(self) -> Container:
        """The registry's container, where what was published is kept, too."""
        return Container(self.target.connection_string, self.target.registry_container, self.target.remedy)

    def datastore_uri(self, blob: BlobRef) -> str:
        """A blob's address by the datastore of its container, which is made where there is none.

        It has no credential: the compute reads and writes with its own identity, and a job's PUT stays the same however
        often it is sent.
        """
        container, _, path = blob.path.partition("/")
        name = f"retrain_{container}".replace("-", "_")
        datastore = f"{self.id}/datastores/{name}"
        if self.arm.find(datastore) is None:
            self.put(datastore, _datastore(blob.base, container))
        return f"azureml://datastores/{name}/paths/{path}"

    def find(self, path: str) -> Json | None:
        """The resource *path* of the workspace; None where there is none."""
        return self.arm.find(f"{self.id}/{path}")

    def put(self, resource: str, properties: Mapping[str, Any]) -> None:
        """Create or change an asset, a job or a datastore: done when it is answered."""
        self.arm.put(resource, {"properties": dict(properties)}, resource.rpartition("/")[2])


def tags_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The tags of an asset or a job, which are below its properties, or of a tracked resource."""
    return {**part(document, "tags"), **part(part(document, "properties"), "tags")}


def _datastore(base: str, container: str) -> Json:
    """A datastore of the blob *container* of the account at *base*."""
    parts = urlsplit(base)
    host = parts.netloc
    account, _, rest = host.partition(".blob.")
    if not rest:  # an emulator has the account's name in the path
        account, rest = parts.path.strip("/"), host
    return {
        "datastoreType": "AzureBlob",
        "accountName": account,
        "containerName": container,
        "endpoint": rest,
        "protocol": parts.scheme,
        "credentials": {"credentialsType": "None"},
        "description": "Data and models of retraining as code",
    }
