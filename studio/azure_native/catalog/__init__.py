"""The types and functions that the stand-in answers; one module per azure-native namespace.

To add a type: declare it in its namespace's module, and list it here. The ARM side needs the matching
file in `studio/arm`.
"""

from __future__ import annotations

from studio.azure_native.catalog import machinelearning, resources, storage
from studio.azure_native.errors import UnknownToken
from studio.azure_native.spec import Function, ResourceType

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
    try:
        return RESOURCE_TYPES[token]
    except KeyError:
        raise UnknownToken(
            f"the local cloud has no resource type {token}",
            f"it has {', '.join(sorted(RESOURCE_TYPES))}; leave others out of a local stack",
        ) from None


def function(token: str) -> Function:
    """The declared function of a token; raises UnknownToken, naming those that there are."""
    try:
        return FUNCTIONS[token]
    except KeyError:
        raise UnknownToken(
            f"the local cloud has no function {token}",
            f"it has {', '.join(sorted(FUNCTIONS))}; leave others out of a local stack",
        ) from None
