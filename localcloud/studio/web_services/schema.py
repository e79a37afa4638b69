"""The names of a web service definition, in both spellings.

Resource Manager's are camelCase; Studio's own export is PascalCase, and imports are read without regard to case. Only
the schema's names are names: the ids of assets and nodes, and what ports, columns and parameters are called, are
values and stay as they are, as do members that the schema does not know.
Source: azure-rest-api-specs, Microsoft.MachineLearning webservices.json 2017-01-01 and 2016-05-01-preview.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.facilities.errors import BadArgument

# The members of an object, each with what is in it. `*`: keys are values, each of that shape. `[]`: a list of such.
Shape = Mapping[str, "Shape"]

_LEAF: Shape = {}


def _of(*leaves: str, **members: Shape) -> Shape:
    return {**dict.fromkeys(leaves, _LEAF), **members}


def _each(shape: Shape) -> Shape:
    return {"*": shape}


_COLUMN = _of("type", "format", "enum", "x-ms-isnullable", "x-ms-isordered")
_TABLE = _of("title", "description", "type", "format", properties=_each(_COLUMN))
_TABLES = _of("title", "description", "type", properties=_each(_TABLE))
_BLOB = _of("uri", "credentials")
_VALUES = _each(_of("value", "certificateThumbprint"))
_PORTS = _each(_of("type"))
_ASSET = _of(
    "name",
    "id",
    "type",
    "metadata",
    locationInfo=_BLOB,
    inputPorts=_PORTS,
    outputPorts=_PORTS,
    parameters={"[]": _of("name", "parameterType", "modeValuesInfo")},
)
_PACKAGE = _of(
    nodes=_each(_of("assetId", "inputId", "outputId", parameters=_VALUES)),
    edges={"[]": _of("sourceNodeId", "sourcePortId", "targetNodeId", "targetPortId")},
    graphParameters=_each(_of("description", "type", links={"[]": _of("nodeId", "parameterKey")})),
)
_PROPERTIES = _of(
    "title",
    "description",
    "createdOn",
    "modifiedOn",
    "provisioningState",
    "readOnly",
    "swaggerLocation",
    "exposeSampleData",
    "packageType",
    "payloadsInBlobStorage",
    keys=_of("primary", "secondary"),
    realtimeConfiguration=_of("maxConcurrentCalls"),
    diagnostics=_of("level", "expiry"),
    storageAccount=_of("name", "key"),
    machineLearningWorkspace=_of("id"),
    commitmentPlan=_of("id"),
    input=_TABLES,
    output=_TABLES,
    exampleRequest=_of("inputs", "globalParameters"),
    assets=_each(_ASSET),
    parameters=_VALUES,
    payloadsLocation=_BLOB,
    package=_PACKAGE,
)
_RESOURCE = _of("id", "name", "type", "location", "tags", "etag", properties=_PROPERTIES)


def canonical(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource as a client wrote it, with the schema's names in camelCase; order and all else as it was.

    Raises BadArgument for an object that has one member twice, in two spellings.
    """
    renamed: dict[str, Any] = _renamed(resource, _RESOURCE, lambda name: name, "")
    return renamed


def pascal(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the schema's names in PascalCase, as Studio exports a definition."""
    renamed: dict[str, Any] = _renamed(resource, _RESOURCE, _pascal, "")
    return renamed


def _pascal(name: str) -> str:
    return name if "-" in name else name[0].upper() + name[1:]


def _renamed(value: Any, shape: Shape, rename: Callable[[str], str], where: str) -> Any:
    if isinstance(value, list) and "[]" in shape:
        return [_renamed(one, shape["[]"], rename, where) for one in value]
    if not isinstance(value, Mapping) or not shape or "[]" in shape:
        return value
    if "*" in shape:
        return {key: _renamed(one, shape["*"], rename, f"{where}{key}.") for key, one in value.items()}
    known = {name.casefold(): name for name in shape}
    result: dict[str, Any] = {}
    for key, one in value.items():
        name = known.get(key.casefold())
        shown = key if name is None else rename(name)
        if shown in result:
            target = f"{where}{shown}"
            raise BadArgument("RequestBodyInvalid", f"the body has {target} twice, in two spellings", target)
        result[shown] = one if name is None else _renamed(one, shape[name], rename, f"{where}{name}.")
    return result
