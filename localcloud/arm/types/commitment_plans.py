"""Microsoft.MachineLearning/commitmentPlans: what New web services are billed by (2016-05-01-preview).

A web service is an association of its plan, and can be moved to another. Nothing here takes its time.
Source: azure-rest-api-specs commitmentPlans.json; azure-powershell's recorded sessions (STUDIO notes 4.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from localcloud.arm.errors import ArmError, resource_not_found
from localcloud.arm.operation import Answer, Call, Operation, section, text
from localcloud.arm.state import Document
from localcloud.arm.tracked import TrackedType
from localcloud.facilities.long_operations import timestamp
from localcloud.facilities.regions import regions_of
from localcloud.studio.web_services import state

_VERSIONS = ("2016-05-01-preview",)
_SKUS = (
    ("S1", "Standard", 25, 100_000),
    ("S2", "Standard", 500, 2_000_000),
    ("S3", "Standard", 12_500, 50_000_000),
)
_MOST_CAPACITY = 10
_HOURS, _CALLS = "machineLearningWebServiceComputeHours", "machineLearningWebServiceTransactions"


class CommitmentPlans(TrackedType):
    """Commitment plans. PUT answers 200 when it creates, too."""

    type = "Microsoft.MachineLearning/commitmentPlans"
    versions = _VERSIONS
    created_status = 200
    called = "commitment plan"

    def operations(self) -> tuple[Operation, ...]:
        """Those of every type, and the plan's associations, usage and skus."""
        one = f"{self.in_group}/{{name}}"
        associations = f"{one}/commitmentAssociations"
        return (
            *super().operations(),
            Operation("GET", associations, self._associations, _VERSIONS),
            Operation("GET", f"{associations}/{{association}}", self._association, _VERSIONS),
            Operation("POST", f"{associations}/{{association}}/move", self._move, _VERSIONS),
            Operation("GET", f"{one}/usageHistory", self._usage, _VERSIONS),
            Operation(
                "GET",
                "/subscriptions/{subscription}/providers/Microsoft.MachineLearning/skus",
                _skus,
                _VERSIONS,
            ),
        )

    def completed(self, call: Call, document: Document, old: Document | None) -> Document:
        """The plan with what its sku includes; what a client says of its properties is ignored."""
        name, hours, calls, capacity = _checked(section(document, "sku"))
        document.pop("systemData", None)
        created = old["properties"]["creationDate"] if old else timestamp()
        return {
            **document,
            "sku": {"capacity": capacity, "name": name, "tier": "Standard"},
            "etag": f'"{uuid4()}"',
            "properties": {
                "chargeForOverage": True,
                "chargeForPlan": True,
                "creationDate": created,
                "includedQuantities": {
                    _HOURS: _quantity(hours * capacity, "compute-hours"),
                    _CALLS: _quantity(calls * capacity, "transactions"),
                },
                "maxAssociationLimit": 10_000,
                "maxCapacityLimit": _MOST_CAPACITY,
                "minCapacityLimit": 1,
                "planMeter": f"local-plan-{name.lower()}",
                "refillFrequencyInDays": 30,
                "suspendPlanOnOverage": False,
            },
        }

    def patched(self, call: Call, sent: dict[str, Any], old: Document) -> Document:
        """PATCH takes tags and sku."""
        return self.completed(call, {**old, "sku": {**old["sku"], **section(call.document(), "sku")}}, old)

    def _put(self, call: Call) -> Answer:
        """Create it, or change its sku and tags."""
        self._check_etag(call)
        return super()._put(call)

    def _delete(self, call: Call) -> Answer:
        """Delete it, unless a web service is billed by it."""
        self._check_etag(call)
        plan = self.existing(call)
        if plan is not None and (users := _web_services(call, plan)):
            message = (
                f"The commitment plan '{plan['name']}' is in use by {len(users)} web service(s), such as"
                f" '{users[0]['name']}': delete them or move their associations to another plan."
            )
            raise ArmError(409, "CommitmentPlanInUse", message, target="commitmentPlanName")
        return super()._delete(call)

    def _check_etag(self, call: Call) -> None:
        wanted, plan = call.request.headers.get("if-match"), self.existing(call)
        if wanted is not None and (plan is None or wanted.strip() not in ("*", plan["etag"])):
            message = f"The commitment plan '{call.path['name']}' was changed by somebody else: get it again."
            raise ArmError(412, "PreconditionFailed", message, target="If-Match")

    def _associations(self, call: Call) -> Answer:
        """List the web services that are billed by it."""
        plan = self.find(call)
        return Answer(200, {"value": [_association(plan, one) for one in _web_services(call, plan)]})

    def _association(self, call: Call) -> Answer:
        """Get one of them."""
        plan = self.find(call)
        return Answer(200, _association(plan, self._associated(call, plan)))

    def _move(self, call: Call) -> Answer:
        """Bill a web service by another plan of the same region."""
        plan = self.find(call)
        service = self._associated(call, plan)
        destination = text(call.document(), "destinationPlanId")
        target = call.state.get(destination) if destination else None
        if target is None or target["type"] != self.type:
            message = f"The commitment plan '{destination}' was not found."
            raise ArmError(400, "CommitmentPlanNotFound", message, target="destinationPlanId")
        if target["location"] != plan["location"]:
            message = f"The commitment plan '{target['name']}' is in another region ({target['location']})."
            raise ArmError(400, "InvalidDestinationPlan", message, target="destinationPlanId")
        if call.state.operations.running(service["id"]) is not None:
            message = f"An operation on the web service '{service['name']}' is in progress: wait for its end."
            raise ArmError(409, "Conflict", message, target=service["name"])
        service["properties"]["commitmentPlan"] = {"id": target["id"]}
        call.state.put(service)
        return Answer(200, _association(target, service))

    def _associated(self, call: Call, plan: Document) -> Document:
        name = call.path["association"]
        for service in _web_services(call, plan):
            if service["guid"] == name.lower():
                return service
        group = call.path["group"]
        raise resource_not_found(f"{self.type}/{plan['name']}/commitmentAssociations", name, group)

    def _usage(self, call: Call) -> Answer:
        """One period, in which nothing was used: the local cloud bills nobody."""
        plan = self.find(call)
        included = plan["properties"]["includedQuantities"]
        usage = {
            "planDeletionOverage": dict.fromkeys(included, 0),
            "planMigrationOverage": dict.fromkeys(included, 0),
            "planQuantitiesAfterUsage": {name: one["amount"] for name, one in included.items()},
            "planQuantitiesBeforeUsage": {name: one["amount"] for name, one in included.items()},
            "planUsageOverage": dict.fromkeys(included, 0),
            "usage": {},
            "usageDate": plan["properties"]["creationDate"],
        }
        return Answer(200, {"value": [usage]})


def _checked(sku: Mapping[str, Any]) -> tuple[str, int, int, int]:
    """Name, hours, calls and capacity of a sku. Raises ArmError."""
    name, capacity = text(sku, "name", "sku.name"), sku.get("capacity", 1)
    for known, _tier, hours, calls in _SKUS:
        if name is not None and name.upper() == known:
            if (
                not isinstance(capacity, int)
                or isinstance(capacity, bool)
                or not 1 <= capacity <= _MOST_CAPACITY
            ):
                message = f"sku.capacity is {capacity!r}; it must be a number from 1 to {_MOST_CAPACITY}."
                raise ArmError(400, "InvalidRequestPropertyValue", message, target="sku.capacity")
            return known, hours, calls, capacity
    message = f"sku.name is {name!r}; it must be one of {', '.join(known for known, *_ in _SKUS)}."
    raise ArmError(400, "InvalidRequestPropertyValue", message, target="sku.name")


def _quantity(allowance: int, meter: str) -> dict[str, Any]:
    return {
        "allowance": allowance,
        "amount": allowance,
        "includedQuantityMeter": f"local-included-{meter}",
        "overageMeter": f"local-overage-{meter}",
    }


def _web_services(call: Call, plan: Document) -> list[Document]:
    return [
        one
        for one in state.documents(call.state.store, call.state.cloud)
        if one["properties"]["commitmentPlan"]["id"].rstrip("/").lower() == plan["id"].lower()
    ]


def _association(plan: Document, service: Document) -> dict[str, Any]:
    name = service["guid"]
    return {
        "id": f"{plan['id']}/commitmentAssociations/{name}",
        "name": name,
        "type": f"{CommitmentPlans.type}/commitmentAssociations",
        "location": plan["location"],
        "etag": plan["etag"],
        "properties": {
            "associatedResourceId": service["id"],
            "commitmentPlanId": plan["id"],
            "creationDate": service["properties"]["createdOn"],
        },
    }


def _skus(_call: Call) -> Answer:
    """List what a plan can be, and where."""
    return Answer(200, {"value": _catalog()})


def _catalog() -> list[dict[str, Any]]:
    return [
        {
            "resourceType": "commitmentPlans",
            "name": name,
            "tier": tier,
            "locations": list(regions_of(CommitmentPlans.type)),
            "capacity": {"minimum": 1, "maximum": _MOST_CAPACITY, "default": 1, "scaleType": "Manual"},
            "capabilities": [],
            "costs": [{"meterID": f"local-plan-{name.lower()}", "quantity": 1, "extendedUnit": "30 days"}],
            "restrictions": [],
        }
        for name, tier, _hours, _calls in _SKUS
    ]
