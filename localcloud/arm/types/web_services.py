"""Microsoft.MachineLearning/webServices: New web services (2017-01-01, 2016-05-01-preview).

Source: azure-rest-api-specs webservices.json; azure-powershell's recorded sessions (STUDIO notes 4.1 to 4.6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from localcloud.arm.operation import Answer, Call, Operation, check_available, location_of, section, tags_of
from localcloud.arm.state import ArmState, Document
from localcloud.arm.tracked import ResourceType, moved
from localcloud.facilities.long_operations import timestamp
from localcloud.faults.rules import FaultRule
from localcloud.studio.web_services import payload, provisioning, requests, shown, state
from localcloud.studio.web_services.errors import (
    changed_meanwhile,
    in_progress,
    missing,
    no_plan,
    no_region,
    no_web_service,
    plan_elsewhere,
)
from localcloud.studio.web_services.schema import canonical
from localcloud.works.context import Works, works_of

_PAGE = 100
Written = Callable[[Document, str, str, str], dict[str, Any]]


class WebServices(ResourceType):
    """New web services. What changes one answers at once and takes its time."""

    type = state.TYPE
    versions = shown.VERSIONS

    def operations(self) -> tuple[Operation, ...]:
        """All operations of the type."""
        one, current = f"{self.in_group}/{{name}}", (shown.CURRENT,)
        return (
            Operation("PUT", one, self._put, self.versions),
            Operation("GET", one, self._get, self.versions),
            Operation("PATCH", one, self._patch, self.versions),
            Operation("DELETE", one, self._delete, self.versions),
            Operation("GET", f"{one}/listKeys", self._list_keys, self.versions),
            Operation("POST", f"{one}/CreateRegionalBlob", self._create_regional_blob, current),
            Operation("GET", self.in_group, self._list, self.versions),
            Operation("GET", self.everywhere, self._list, self.versions),
        )

    def remove(self, state_: ArmState, document: Document) -> None:
        """The service goes, with its endpoint and jobs, and what goes on on it."""
        state_.operations.abandon(document["id"])
        state.remove(state_.store, document)

    def _put(self, call: Call) -> Answer:
        """Create it, or replace its definition; goes on in the background."""
        sent, name = canonical(call.document()), call.path["name"]
        group = call.state.group(call.path["group"])
        resource_id = f"{group['id']}/providers/{self.type}/{name}"
        old = call.state.get(resource_id)
        _check_writer(call, old, name)
        location = location_of(sent)
        if old is not None and old["location"] != location:
            raise moved(old, group, location)
        if old is None:
            check_available(self.type, location)
        if not isinstance(sent.get("properties"), dict):
            raise missing("properties")
        properties = requests.put(sent["properties"], old["properties"] if old else None)
        if old is None:
            _check_plan(call, properties, location)
        document = {
            "id": old["id"] if old else resource_id,
            "name": old["name"] if old else name,
            "type": self.type,
            "location": location,
            "tags": tags_of(sent),
            "properties": properties,
            "guid": old["guid"] if old else uuid4().hex,
            "regions": old["regions"] if old else [location],
        }
        return self._update(call, document, old, None)

    def _patch(self, call: Call) -> Answer:
        """Merge members into its definition, assets one by one; goes on in the background."""
        sent, name = canonical(call.document()), call.path["name"]
        old = self._found(call)
        _check_writer(call, old, name)
        requests.refuse_read_only(old["properties"])
        given = section(sent, "properties")
        properties = requests.patch(given, old["properties"]) if given else dict(old["properties"])
        document = {**old, "properties": properties}
        if sent.get("tags") is not None:
            document["tags"] = tags_of(sent)
        return self._update(call, document, old, list(section(given, "assets")))

    def _update(
        self, call: Call, document: Document, old: Document | None, fetch: list[str] | None
    ) -> Answer:
        works, properties = works_of(call.request), document["properties"]
        rule = None
        if old is not None and requests.changes_model(old["properties"], properties):
            works.bindings.refuse_on_request(call.request, document["name"])
            rule = works.bindings.drawn(call.request)
        properties["createdOn"] = old["properties"]["createdOn"] if old else timestamp()
        properties["modifiedOn"] = timestamp()
        properties["provisioningState"] = "Succeeded"
        document["payload"] = payload.place(works.cloud, document)
        with call.state.transaction():
            if old is None:
                failed = {**document, "properties": {**properties, "provisioningState": "Failed"}}
                call.state.put(failed)
            order = {"document": document, "fetch": fetch}
            headers = _begin(call, works, document, provisioning.UPDATE, order, rule)
        headers["ETag"] = state.etag(document)
        shortly = old is None or _version(call) != shown.PREVIEW
        write = shown.sparse if shortly else shown.full
        body = write(document, _version(call), "Provisioning", _swagger(call, document))
        return Answer(201 if old is None else 200, body, headers)

    def _get(self, call: Call) -> Answer:
        """Get its definition, without secrets; with `region`, of a region it was prepared for."""
        document = self._found(call)
        region = call.query.get("region")
        if region is not None and _version(call) == shown.CURRENT:
            normal = region.replace(" ", "").lower()
            if normal not in document["regions"]:
                raise no_region(document["name"], region)
        return Answer(200, _written(call, document, shown.full), {"ETag": state.etag(document)})

    def _delete(self, call: Call) -> Answer:
        """Delete it; goes on in the background. 204 where there is none."""
        old = self.existing(call)
        if old is None:
            return Answer(204)
        _check_writer(call, old, old["name"])
        return _accepted(_begin(call, works_of(call.request), old, provisioning.DELETE, {}))

    def _list_keys(self, call: Call) -> Answer:
        """Get the two keys of its data plane."""
        keys = self._found(call)["properties"]["keys"]
        return Answer(200, {"primary": keys["primary"], "secondary": keys["secondary"]})

    def _create_regional_blob(self, call: Call) -> Answer:
        """Prepare it for another region; goes on in the background."""
        document, region = self._found(call), call.query.get("region")
        if not region:
            raise missing("region", "InvalidQueryParameter")
        _check_writer(call, document, document["name"])
        order = {"region": region.replace(" ", "").lower()}
        return _accepted(_begin(call, works_of(call.request), document, provisioning.REGION, order))

    def _list(self, call: Call) -> Answer:
        """List them without their graphs, a hundred a page."""
        found = call.state.resources(self.type, call.path.get("group"))
        after = next((value for name, value in call.query.items() if name.lower() == "$skiptoken"), "")
        rest = [one for one in found if one["id"].lower() > after.lower()]
        body: dict[str, Any] = {"value": [_written(call, one, shown.listed) for one in rest[:_PAGE]]}
        if len(rest) > _PAGE:
            others = {name: value for name, value in call.query.items() if name.lower() != "$skiptoken"}
            query = {**others, "$skiptoken": rest[_PAGE - 1]["id"]}
            body["nextLink"] = f"{call.base_url}{call.request.url.path}?{urlencode(query)}"
        return Answer(200, body)

    def _found(self, call: Call) -> Document:
        found = self.existing(call)
        if found is None:
            raise no_web_service(call.path["name"])
        return found


def _begin(
    call: Call,
    works: Works,
    document: Document,
    kind: str,
    order: Mapping[str, Any],
    rule: FaultRule | None = None,
) -> dict[str, str]:
    """Begin an operation; the headers that say where to look at it."""
    operation = works.operations.begin(document["id"], document["location"], kind, order)
    works.operations.start(operation, provisioning.work_of(works, operation, rule))
    return {
        "Azure-AsyncOperation": f"{call.base_url}{operation.id}?api-version={_version(call)}",
        "Azure-AsyncOperationPercentComplete": "0",
    }


def _accepted(headers: dict[str, str]) -> Answer:
    """202: what ends without a result also says where that would be."""
    operation = headers["Azure-AsyncOperation"]
    result = operation.replace("/operationsStatus/", "/operationresults/")
    return Answer(202, None, {**headers, "Location": result})


def _check_writer(call: Call, document: Document | None, name: str) -> None:
    """Refuse a writer that does not know the present state, or comes while it changes."""
    wanted = call.request.headers.get("if-match")
    unwanted = call.request.headers.get("if-none-match")
    current = None if document is None else state.etag(document)
    if wanted is not None and (current is None or (wanted.strip() != "*" and wanted.strip() != current)):
        raise changed_meanwhile(name)
    if unwanted is not None and current is not None and unwanted.strip() in ("*", current):
        raise changed_meanwhile(name)
    if document is not None:
        operation = call.state.operations.running(document["id"])
        if operation is not None:
            raise in_progress(name, operation.name)


def _check_plan(call: Call, properties: Mapping[str, Any], location: str) -> None:
    plan_id = properties["commitmentPlan"]["id"]
    plan = call.state.get(plan_id)
    if plan is None or plan["type"].lower() != "microsoft.machinelearning/commitmentplans":
        raise no_plan(plan_id)
    if plan["location"] != location:
        raise plan_elsewhere(plan["name"], plan["location"], location)


def _written(call: Call, document: Document, write: Written) -> dict[str, Any]:
    running = call.state.operations.running(document["id"])
    current = "Provisioning" if running else document["properties"]["provisioningState"]
    return write(document, _version(call), current, _swagger(call, document))


def _swagger(call: Call, document: Document) -> str:
    return f"{state.data_plane(document, call.state.cloud, call.base_url)}/swagger.json"


def _version(call: Call) -> str:
    return call.query["api-version"]
