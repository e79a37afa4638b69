"""Where what an address means lies: datastore paths, assets, outputs of jobs, MLflow artifacts, addresses of blobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from localcloud.arm.errors import ArmError
from localcloud.azureml.assets.blobs import Place
from localcloud.blobs.locations import is_azures
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.store import Store

Document = dict[str, Any]

BLOB_STORE, ARTIFACT_STORE = "workspaceblobstore", "workspaceartifactstore"
NAMESPACE = "Microsoft.MachineLearningServices"
# Behind it comes a workspace's id: the tracking server that MLflow's clients log to.
TRACKING = "/mlflow/v1.0"

# A workspace's id, with or without its provider, before what is in the workspace.
_SCOPE = re.compile(
    r"/?subscriptions/([^/]+)/resourcegroups/([^/]+)/(?:providers/[^/]+/)?workspaces/([^/]+)/", re.IGNORECASE
)
_SCHEME = re.compile(r"azureml:/{0,2}", re.IGNORECASE)
_DATASTORE_PATH = re.compile(r"datastores/([^/]+)/(?:paths/)?(.*)", re.IGNORECASE)
_JOB_OUTPUT = re.compile(r"jobs/([^/]+)/outputs/([^/]+)(?:/paths/?(.*)|/?)", re.IGNORECASE)
_ASSET = re.compile(r"(data|models|codes)/([^/]+)/versions/([^/]+)/?", re.IGNORECASE)
_ARTIFACT = re.compile(r"runs:/+([^/]+)/?(.*)")
_MLFLOW = re.compile(r"mlflow-artifacts:/+(.*)")
_OWN_HOST = re.compile(r"[^.]+\.blob\.localhost", re.IGNORECASE)
# Where the address of an asset's content is.
_ADDRESS = {"data": "dataUri", "models": "modelUri", "codes": "codeUri"}


def bad_address(uri: str, why: str) -> ArmError:
    """400: an address that means nothing here."""
    return ArmError(400, "UserError", f"The path '{uri}' cannot be used: {why}.")


@dataclass(frozen=True)
class Workspace:
    """A workspace, as far as addresses depend on it."""

    store: Store
    cloud: Cloud
    document: Document

    @property
    def id(self) -> str:
        """Its id in Resource Manager."""
        return str(self.document["id"])

    def tracking_uri(self, base: str) -> str:
        """Its tracking server's address on the server at *base*."""
        return f"{base}{TRACKING}{self.id}"

    @property
    def guid(self) -> str:
        """The id by which data planes know it."""
        return str(self.document["properties"]["workspaceId"])

    @property
    def built_in(self) -> Mapping[str, str]:
        """The containers of the datastores that each workspace has."""
        return {BLOB_STORE: f"azureml-blobstore-{self.guid}", ARTIFACT_STORE: f"azureml-{self.guid}"}

    def container(self, datastore: str) -> str | None:
        """The container of a datastore, if there is one."""
        if datastore.lower() in self.built_in:
            return self.built_in[datastore.lower()]
        found = self.store.arm_get(f"{self.id}/datastores/{datastore}")
        return None if found is None else found["properties"].get("containerName")

    def asset(self, kind: str, name: str, version: str) -> Document | None:
        """The version of an asset, if there is one."""
        return self.store.arm_get(f"{self.id}/{kind}/{name}/versions/{version}")

    def job(self, name: str) -> Document | None:
        """A job, if there is one."""
        return self.store.arm_get(f"{self.id}/jobs/{name}")

    def artifacts(self, run: str, path: str = "") -> Place:
        """Where a run's artifacts lie."""
        return Place(self.built_in[ARTIFACT_STORE], f"ExperimentRun/dcid.{run}").under(path)

    def datastore_uri(self, place: Place) -> str:
        """The long address of a place, by the datastore that it is in; the blobs' own where there is none."""
        own = self.store.arm_list(f"{self.id}/datastores/")
        held = {one["properties"].get("containerName"): one["name"] for one in own}
        held |= {container: name for name, container in self.built_in.items()}
        if (name := held.get(place.container)) is None:
            return place.url(self.cloud)
        scope = self.id.removeprefix("/").replace(f"/providers/{NAMESPACE}", "")
        return f"azureml://{scope}/datastores/{name}/paths/{place.path}"

    def place(self, uri: str) -> Place:
        """Where that is. Raises ArmError for what is nowhere."""
        if found := _ARTIFACT.fullmatch(uri):
            return self.artifacts(found[1], found[2])
        if found := _MLFLOW.fullmatch(uri):
            return Place(self.built_in[ARTIFACT_STORE], found[1])
        if uri.lower().startswith(("http://", "https://")):
            return self._by_address(uri)
        within = self._within(uri)
        if found := _JOB_OUTPUT.fullmatch(within):
            return self._output(uri, found[1], found[2]).under(found[3] or "")
        if found := _ASSET.fullmatch(within):
            kind = found[1].lower()
            asset = self.asset(kind, found[2], found[3])
            if asset is None:
                raise bad_address(uri, "there is no such asset")
            return self.place(asset["properties"][_ADDRESS[kind]])
        if found := _DATASTORE_PATH.fullmatch(within):
            container = self.container(found[1])
            if container is None:
                raise bad_address(uri, f"there is no datastore '{found[1]}' with blobs")
            return Place(container, found[2])
        raise bad_address(uri, "it is no path of a datastore, an asset, a job's output or a blob")

    def job_of(self, uri: str) -> str:
        """The job or run whose output or artifact that is; empty for anything else."""
        found = _ARTIFACT.fullmatch(uri) or _JOB_OUTPUT.fullmatch(self._within(uri))
        return found[1] if found else ""

    def _within(self, uri: str) -> str:
        """An address without scheme and workspace, which must be this one."""
        rest = uri[found.end() :] if (found := _SCHEME.match(uri)) else uri
        scope = _SCOPE.match(rest)
        if scope is None:
            return rest
        own = self.id.split("/")
        if [one.lower() for one in scope.groups()] != [own[2].lower(), own[4].lower(), own[8].lower()]:
            raise bad_address(uri, "it is in another workspace")
        return rest[scope.end() :]

    def _output(self, uri: str, name: str, output: str) -> Place:
        job = self.job(name)
        if job is None:
            raise bad_address(uri, f"there is no job '{name}'")
        if output == "artifacts":
            return self.artifacts(name)
        declared = job["properties"]["outputs"].get(output)
        if declared is None:
            raise bad_address(uri, f"the job '{name}' has no output '{output}'")
        return self.place(declared["uri"])

    def _by_address(self, uri: str) -> Place:
        try:
            parts = urlsplit(uri)
            host = (parts.hostname, parts.port)
        except ValueError as error:
            raise bad_address(uri, f"it is no address: {error}") from None
        path = unquote(parts.path).lstrip("/")
        own = urlsplit(self.cloud.blob)
        if host == (own.hostname, own.port):
            account, _, path = path.partition("/")
            if account != own.path.strip("/"):
                raise bad_address(uri, "there is no such storage account")
        elif not is_azures(uri) and not _OWN_HOST.fullmatch(parts.hostname or ""):
            raise bad_address(uri, "it is no blob of a storage account")
        container, _, path = path.partition("/")
        return Place(container, path)
