"""The operations on assets, the same for every kind: containers, versions, pending uploads. All are done when answered."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from uuid import uuid4

from localcloud.arm.operation import Answer, Call, Operation, created_by, section
from localcloud.azureml.assets.blobs import Place, make_container, signed
from localcloud.azureml.assets.kinds import DATA, KINDS, MODELS, Kind
from localcloud.azureml.assets.places import Document, Workspace
from localcloud.azureml.assets.resolving import resolved
from localcloud.azureml.assets.workspace import PATH, listed, not_found, page, system_data, workspace_of

_UPLOAD_HOURS = 24
_LONGEST_NUMBER = 15  # digits
_ORDERS = {"createdtime": "createdAt", "lastmodifiedtime": "lastModifiedAt", "version": ""}


class Assets:
    """The operations on one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def operations(self) -> tuple[Operation, ...]:
        """All of them."""
        containers, one = f"{PATH}/{self.kind.name}", f"{PATH}/{self.kind.name}/{{name}}"
        version = f"{one}/versions/{{version}}"
        return (
            Operation("GET", containers, self._list_containers),
            Operation("GET", one, self._get_container),
            Operation("PUT", one, self._put_container),
            Operation("DELETE", one, self._delete_container),
            Operation("GET", f"{one}/versions", self._list),
            Operation("GET", version, self._get),
            Operation("PUT", version, self._put),
            Operation("DELETE", version, self._delete),
            Operation("POST", f"{version}/startPendingUpload", self._start_upload),
        )

    def versions(self, workspace: Workspace, name: str | None = None) -> list[Document]:
        """The versions of an asset, or of all, the first first."""
        below = f"{workspace.id}/{self.kind.name}/"
        found = workspace.store.arm_list(below if name is None else f"{below}{name}/versions/")
        found = [one for one in found if one["type"] != self.kind.type]
        return sorted(found, key=lambda one: (one["systemData"]["createdAt"], one["id"]))

    def next_version(self, workspace: Workspace, name: str) -> str:
        """The version above all that are numbers."""
        names = [one["name"] for one in self.versions(workspace, name)]
        numbers = [int(one) for one in names if one.isdecimal() and len(one) < _LONGEST_NUMBER]
        return str(max(numbers, default=0) + 1)

    def keep(
        self, workspace: Workspace, by: Mapping[str, str], name: str, version: str, properties: Document
    ) -> Document:
        """Write a version down, `by` whom, and its container where that is missing. Raises ArmError."""
        store = workspace.store
        container_id = f"{workspace.id}/{self.kind.name}/{name}"
        version_id = f"{container_id}/versions/{version}"
        with store.transaction():
            old = store.arm_get(version_id)
            document = {
                "id": old["id"] if old else version_id,
                "name": old["name"] if old else version,
                "type": f"{self.kind.type}/versions",
                "systemData": system_data(by, old),
                "properties": self.kind.version({"properties": properties}, old),
            }
            store.arm_put(version_id, document)
            if store.arm_get(container_id) is None:
                store.arm_put(container_id, self._container(by, container_id, name, properties))
        return document

    def _container(
        self, by: Mapping[str, str], container_id: str, name: str, properties: Document
    ) -> Document:
        kept: Document = {"description": None, "isArchived": False, "tags": {}, "properties": {}}
        if self.kind is DATA:
            kept["dataType"] = properties.get("dataType")
        return {
            "id": container_id,
            "name": name,
            "type": self.kind.type,
            "systemData": system_data(by, None),
            "properties": kept,
        }

    def _list_containers(self, call: Call) -> Answer:
        """List them."""
        workspace = workspace_of(call)
        found = workspace.store.arm_list(f"{workspace.id}/{self.kind.name}/")
        containers = [one for one in found if one["type"] == self.kind.type and listed(call, one)]
        return page(call, [self._shown(workspace, one) for one in containers])

    def _get_container(self, call: Call) -> Answer:
        """Get one, with its latest and its next version."""
        workspace = workspace_of(call)
        found = workspace.store.arm_get(f"{workspace.id}/{self.kind.name}/{call.path['name']}")
        if found is None:
            raise not_found(self.kind.name, call.path["name"])
        return Answer(200, self._shown(workspace, found))

    def _shown(self, workspace: Workspace, container: Document) -> Document:
        versions = self.versions(workspace, container["name"])
        places = {
            "latestVersion": versions[-1]["name"] if versions else None,
            "nextVersion": self.next_version(workspace, container["name"]),
        }
        return {**container, "properties": {**container["properties"], **places}}

    def _put_container(self, call: Call) -> Answer:
        """Create one without versions, or change its tags, description, archive."""
        workspace, name = workspace_of(call), call.path["name"]
        self.kind.check_name(name)
        given, by = section(call.document(), "properties"), created_by(call)
        container_id = f"{workspace.id}/{self.kind.name}/{name}"
        old = workspace.store.arm_get(container_id)
        document = old or self._container(by, container_id, name, given)
        for field in ("description", "isArchived", "tags", "properties"):
            if given.get(field) is not None:
                document["properties"][field] = given[field]
        document["systemData"] = system_data(by, old)
        workspace.store.arm_put(container_id, document)
        return Answer(200 if old else 201, self._shown(workspace, document))

    def _delete_container(self, call: Call) -> Answer:
        """Delete one with all its versions; its blobs stay."""
        workspace = workspace_of(call)
        container_id = f"{workspace.id}/{self.kind.name}/{call.path['name']}"
        if workspace.store.arm_get(container_id) is None:
            return Answer(204)
        with workspace.store.transaction():
            for version in workspace.store.arm_list(f"{container_id}/versions/"):
                workspace.store.arm_delete(version["id"])
            workspace.store.arm_delete(container_id)
        return Answer(200)

    def _list(self, call: Call) -> Answer:
        """List the versions of one; with a `hash`, those of all names that have that content."""
        workspace = workspace_of(call)
        name = None if "hash" in call.query else call.path["name"]
        found = [one for one in self.versions(workspace, name) if self._asked_for(call, one)]
        field, _, direction = call.query.get("$orderBy", "createdtime desc").strip().partition(" ")
        if field.lower() in _ORDERS:
            held = _ORDERS[field.lower()]
            found.sort(key=lambda one: one["systemData"][held] if held else one["name"])
        if direction.strip().lower() == "desc":
            found.reverse()
        return page(call, found)

    def _asked_for(self, call: Call, document: Document) -> bool:
        properties, query = document["properties"]["properties"], call.query
        return (
            query.get("hash") in (None, properties.get("hash_sha256"))
            and query.get("hashVersion") in (None, str(properties.get("hash_version")))
            and query.get("version") in (None, document["name"])
            and listed(call, document)
        )

    def _get(self, call: Call) -> Answer:
        """Get a version."""
        name, version = call.path["name"], call.path["version"]
        found = workspace_of(call).asset(self.kind.name, name, version)
        if found is None:
            raise not_found(self.kind.name, f"{name}:{version}")
        return Answer(200, found)

    async def _put(self, call: Call) -> Answer:
        """Create a version, or change what of it can be changed."""
        workspace, name, version = workspace_of(call), call.path["name"], call.path["version"]
        self.kind.check_name(name)
        self.kind.check_name(version)
        old = workspace.asset(self.kind.name, name, version)
        given = section(call.document(), "properties")
        if self.kind is MODELS:
            given = await resolved(workspace, given)
        return Answer(200 if old else 201, self.keep(workspace, created_by(call), name, version, given))

    def _delete(self, call: Call) -> Answer:
        """Delete a version; its blobs stay."""
        found = workspace_of(call).asset(self.kind.name, call.path["name"], call.path["version"])
        if found is None:
            return Answer(204)
        call.state.store.arm_delete(found["id"])
        return Answer(200)

    async def _start_upload(self, call: Call) -> Answer:
        """Give a container of its own to upload to, and a SAS for it; the same one each time."""
        workspace = workspace_of(call)
        about = "/".join((workspace.guid, self.kind.name, call.path["name"], call.path["version"]))
        place = Place(f"upload-{hashlib.sha256(about.encode()).hexdigest()[:40]}")
        await asyncio.to_thread(make_container, workspace.cloud, place.container)
        address = place.url(workspace.cloud)
        token = await asyncio.to_thread(signed, workspace.cloud, place, "rwlac", _UPLOAD_HOURS)
        consumption = {
            "blobUri": address,
            "storageAccountArmId": workspace.document["properties"].get("storageAccount"),
            "credential": {"credentialType": "SAS", "sasUri": f"{address}?{token}"},
        }
        return Answer(
            200,
            {
                "pendingUploadId": str(uuid4()),
                "pendingUploadType": "TemporaryBlobReference",
                "blobReferenceForConsumption": consumption,
            },
        )


OPERATIONS: tuple[Operation, ...] = tuple(
    operation for kind in KINDS for operation in Assets(kind).operations()
)
