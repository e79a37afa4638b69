"""The types and functions that the stand-in answers; one module per azure-native namespace.

To add a type: declare it in its namespace's module, and name it in its TYPES. The ARM side needs the matching
file in `localcloud/arm` or `localcloud/azureml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from localcloud.azure_native.catalog import (
    machinelearning,
    machinelearningservices,
    neighbours,
    resources,
    storage,
)
from localcloud.azure_native.errors import UnknownToken
from localcloud.azure_native.spec import Function, ResourceType

T = TypeVar("T")

RESOURCE_TYPES: dict[str, ResourceType] = {
    kind.token: kind
    for kind in (
        *resources.TYPES,
        *storage.TYPES,
        *machinelearning.TYPES,
        *machinelearningservices.TYPES,
        *neighbours.TYPES,
    )
}


def _reading(kind: ResourceType) -> Function:
    """The function that reads a resource of a type: every type has one."""
    namespace, _, name = kind.token.rpartition(":")
    return Function(f"{namespace}:get{name}", kind)


FUNCTIONS: dict[str, Function] = {
    function.token: function
    for function in (
        *(_reading(kind) for kind in RESOURCE_TYPES.values()),
        *storage.FUNCTIONS,
        *machinelearning.FUNCTIONS,
        *machinelearningservices.FUNCTIONS,
    )
}


def resource_type(token: str) -> ResourceType:
    """The declared type of a token; raises UnknownToken, naming those that there are."""
    return _declared(RESOURCE_TYPES, "resource type", token)


def function(token: str) -> Function:
    """The declared function of a token; raises UnknownToken, naming those that there are."""
    return _declared(FUNCTIONS, "function", token)


def _declared(table: Mapping[str, T], what: str, token: str) -> T:
    if token not in table:
        there = ", ".join(sorted(table))
        raise UnknownToken(
            f"the local cloud has no {what} {token}", f"it has {there}; leave others out of a local stack"
        )
    return table[token]
