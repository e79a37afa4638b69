"""Publishes an experiment in a workspace: its code and its environment as versions of assets, by their digests.

The code container stands for the web service. Its tag says which version is current; what that was published with, the
*recipe*, is kept in the registry by its digest, so that any process can run and deploy it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from clients.azureml import recipes
from clients.azureml.workspace import AzureMlWorkspace, tags_of
from clients.errors import Conflict, ExperimentInvalid, NotFound
from clients.http.answers import text
from clients.protocols import CodePackage
from clients.storage import Container

TAG = "retrain-published"
_VERSION_DIGITS = 16
_FOLDER = "code"


@dataclass(frozen=True)
class Recipe:
    """What was published: the *settings* that a team wrote, and the ids of *code* and *environment* (empty: none)."""

    digest: str
    settings: Mapping[str, Any]
    code: str
    environment: str


class Publisher:
    """Publishes to, and reads from, one *workspace*."""

    def __init__(self, workspace: AzureMlWorkspace) -> None:
        self._workspace = workspace

    def service(self, name: str) -> str:
        """The id of the web service called *name*: its code container's."""
        return f"{self._workspace.id}/codes/{name}"

    def published(self, service: str) -> str:
        """The digest of what was published last. Raises NotFound where the service is gone."""
        digest = tags_of(self._workspace.arm.find(service) or {}).get(TAG)
        if not digest:
            name = service.rpartition("/")[2]
            raise NotFound(
                f"there is no web service {name!r}", "run ./dev refresh, then ./dev up", status=404
            )
        return digest

    def current(self, service: str) -> Recipe:
        """What was published last. Raises NotFound where the service is gone."""
        digest = self.published(service)
        kept = json.loads(self._workspace.registry().read(_record(service, digest))[0])
        return Recipe(digest, kept["settings"], kept["code"], kept["environment"])

    def publish(self, name: str, package: CodePackage, before_write: Callable[[], None]) -> str:
        """Make *package* the current version of the service; its id. What is there already is not sent again."""
        service, version = self.service(name), package.digest[:_VERSION_DIGITS]
        code = ""
        if package.files:
            code = f"{service}/versions/{version}"
            if self._workspace.arm.find(code) is None:
                before_write()
                self._upload(code, package)
        environment = self._environment(name, package, before_write)
        recipe = {"settings": package.settings, "code": code, "environment": environment}
        before_write()
        with suppress(Conflict):  # it is there, under the digest of its content
            content = json.dumps(recipe, sort_keys=True).encode()
            self._workspace.registry().write(_record(service, package.digest), content, etag=None)
        before_write()
        self._workspace.put(service, {"tags": {TAG: package.digest}})
        return service

    def _environment(self, name: str, package: CodePackage, before_write: Callable[[], None]) -> str:
        given = package.settings.get("environment")
        if not given:
            return ""
        if not given["image"]:
            return self._registered(given)
        version = package.environment[:_VERSION_DIGITS]
        environment = f"{self._workspace.id}/environments/{name}/versions/{version}"
        if self._workspace.arm.find(environment) is None:
            before_write()
            self._workspace.put(environment, recipes.environment(given))
        return environment

    def _registered(self, given: Mapping[str, Any]) -> str:
        """The id of an environment that is there: of its latest version, where a label says so."""
        name, version = given["name"], given["version"]
        if given["registry"]:
            return f"azureml://registries/{given['registry']}/environments/{name}/" + (
                f"versions/{version}" if version else f"labels/{given['label']}"
            )
        versions = f"{self._workspace.id}/environments/{name}/versions"
        if version:
            return f"{versions}/{version}"
        found = self._workspace.arm.list(versions)
        if not found or given["label"] != "latest":
            raise ExperimentInvalid(
                f"the workspace has no environment {name!r} with the label {given['label']!r}",
                "name one of its versions: azureml:<name>:<version>",
            )
        return text(max(found, key=lambda one: text(one, "systemData", "createdAt")), "id")

    def _upload(self, code: str, package: CodePackage) -> None:
        """Bring the files to the place that the service gives for them, then make the version of them."""
        asked = {"pendingUploadType": "TemporaryBlobReference"}
        given = self._workspace.arm.ask(f"{code}/startPendingUpload", asked)
        address = text(given, "blobReferenceForConsumption", "blobUri")
        signed = text(given, "blobReferenceForConsumption", "credential", "sasUri")
        account, _, container = address.rstrip("/").rpartition("/")
        opened = f"BlobEndpoint={account};SharedAccessSignature={signed.partition('?')[2]}"
        blobs = Container(opened, container, self._workspace.target.remedy)
        for path, content in package.files.items():
            with suppress(
                Conflict
            ):  # an interrupted update has brought it there: the place is the version's own
                blobs.write(f"{_FOLDER}/{path}", content, etag=None)
        properties = {"hash_sha256": package.digest, "hash_version": "202208"}
        self._workspace.put(code, {"codeUri": f"{address}/{_FOLDER}", "properties": properties})

    def unpublish(self, service: str) -> None:
        """Delete the service: its code, and the environments made for it. What is gone is not an error."""
        name = service.rpartition("/")[2]
        for resource in (service, f"{self._workspace.id}/environments/{name}"):
            with suppress(NotFound):
                self._workspace.arm.delete(resource, f"the web service {name!r}")


def _record(service: str, digest: str) -> str:
    """Where a recipe is kept: what it names is in the service's own workspace, and stacks share a registry."""
    return f"recipes/{hashlib.sha256(service.casefold().encode()).hexdigest()[:16]}/{digest}.json"
