"""The types and functions that the stand-in answers; one module per azure-native namespace.

To add a type: declare it in its namespace's module, and list it here. The ARM side needs the matching
file in `localcloud/arm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from localcloud.azure_native.catalog import machinelearning, resources, storage
from localcloud.azure_native.errors import UnknownToken
from localcloud.azure_native.spec import Function, ResourceType

T = TypeVar("T")

RESOURCE_TYPES: dict[str, ResourceType] = {
    kind.token: kind
    for kind in (resources.RESOURCE_GROUP, storage.STORAGE_ACCOUNT, machinelearning.WORKSPACE)
}

FUNCTIONS: dict[str, Function] = {
    function.token: function
    for function in (*resources.FUNCTIONS, *storage.FUNCTIONS, *machinelearning.FUNCTIONS)
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
