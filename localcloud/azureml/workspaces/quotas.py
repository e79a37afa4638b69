"""Quotas of a region: how many clusters, and how many cores of each family of machines; and what of it is used.

Deployments use the cores of their instances, a cluster none as long as it has no nodes. Nothing is refused for it here.
Source: azure-rest-api-specs 2022-10-01, its examples of Quotas_List and Usages_List.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from localcloud.arm.operation import Answer, Call, Operation
from localcloud.azureml.assets.places import NAMESPACE
from localcloud.azureml.assets.workspace import TYPE
from localcloud.facilities.regions import normal

_LOCATION = f"/subscriptions/{{subscription}}/providers/{NAMESPACE}/locations/{{location}}"
_MOST_CLUSTERS = 200
_MOST_CORES = 100  # of a family, and of all together
_FAMILIES = ("D", "DSv2", "DSv3", "DASv4", "ESv3", "FSv2")
_SIZE = re.compile(r"Standard_([A-Z]+)(\d+)([a-z]*)(?:_(v\d+))?", re.IGNORECASE)
# The sizes that don't say how many cores they have: those of D and DS up to the second version.
_OF_OLD = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 11: 2, 12: 4, 13: 8, 14: 16, 15: 20}


def family_and_cores(size: str) -> tuple[str, int]:
    """`DSv2` and 4 of `Standard_DS3_v2`; a size that is none has a family of its own."""
    found = _SIZE.fullmatch(size)
    if found is None:
        return size, 1
    letters, number, more, version = found[1].upper(), int(found[2]), found[3].upper(), found[4] or ""
    old = letters in ("D", "DS") and not more and version.lower() in ("", "v2")
    return f"{letters}{more}{version.lower()}", _OF_OLD.get(number, number) if old else number


def _used(call: Call) -> Counter[str]:
    """The cores that deployments of a region use, by family."""
    used: Counter[str] = Counter()
    for one in _there(call, "onlineEndpoints/deployments"):
        family, cores = family_and_cores(one["properties"]["instanceType"])
        used[family] += cores * one["sku"]["capacity"]
    return used


def _there(call: Call, kind: str) -> list[dict[str, Any]]:
    location = normal(call.path["location"])
    return [one for one in call.state.resources(f"{TYPE}/{kind}") if one["location"] == location]


def _families(call: Call, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each family with its row, without a number."""
    for family in sorted({*_FAMILIES, *_used(call)}):
        name = f"Standard {family} Family Cluster Dedicated vCPUs"
        row_id = f"{call.state.subscription_id}/{what}/{name.replace(' ', '_')}"
        yield family, _row(call, row_id, f"vmFamily/{what}", name)


def _row(call: Call, row_id: str, kind: str, name: str) -> dict[str, Any]:
    return {
        "id": row_id,
        "amlWorkspaceLocation": normal(call.path["location"]),
        "type": f"{NAMESPACE}/{kind}",
        "unit": "Count",
        "name": {"value": name, "localizedValue": name},
    }


def _usages(call: Call) -> Answer:
    """List how much of its quotas is used in a region."""
    used, all_id = _used(call), f"{call.state.subscription_id}/usages"
    clusters = _row(call, all_id, "totalCores/usages", "Clusters")
    cores = _row(call, all_id, "dedicatedCores/usages", "Total Cluster Dedicated Regional vCPUs")
    value = [
        {**clusters, "currentValue": len(_there(call, "computes")), "limit": _MOST_CLUSTERS},
        {**cores, "currentValue": used.total(), "limit": _MOST_CORES},
        *(
            {**row, "currentValue": used[family], "limit": _MOST_CORES}
            for family, row in _families(call, "usages")
        ),
    ]
    return Answer(200, {"value": value})


def _quotas(call: Call) -> Answer:
    """List the quotas of a region, by family of machines."""
    return Answer(200, {"value": [{**row, "limit": _MOST_CORES} for _, row in _families(call, "quotas")]})


OPERATIONS = (
    Operation("GET", f"{_LOCATION}/usages", _usages),
    Operation("GET", f"{_LOCATION}/quotas", _quotas),
)
