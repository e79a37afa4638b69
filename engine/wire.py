"""Property values on the wire (gRPC): structs with Pulumi's signature keys.

Source: `sdk/python/lib/pulumi/runtime/rpc.py` of Pulumi 3.260.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import struct_pb2 as _struct_pb2

from backend.values import (
    ARCHIVE_SIG,
    ASSET_SIG,
    OUTPUT_SIG,
    RESOURCE_SIG,
    SECRET_SIG,
    SIGNATURE,
    UNKNOWN,
    UNKNOWN_WIRE,
    UNKNOWNS,
    Props,
    Reference,
    Secret,
    Unknown,
    tidy_number,
)
from engine.errors import StepError, refused

# The generated modules have no types.
struct_pb2: Any = _struct_pb2
EMPTY: Final[Any] = vars(_empty_pb2)["Empty"]()
Struct: TypeAlias = Any
Value: TypeAlias = Any


def from_wire(message: Struct, *, reject_unknowns: bool = False) -> Props:
    """A struct's properties; `reject_unknowns` makes an unknown an error, as in an update."""
    return {k: value_from_wire(v, k, reject_unknowns) for k, v in message.fields.items()}


def value_from_wire(value: Value, key: str = "", reject_unknowns: bool = False) -> Any:
    """One value of the wire; whole numbers come back as int."""
    kind = value.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        return tidy_number(value.number_value)
    if kind == "string_value":
        if value.string_value in UNKNOWNS:
            if reject_unknowns:
                raise StepError(f'unexpected unknown property value for "{key}"')
            return UNKNOWN
        return value.string_value
    if kind == "list_value":
        return [value_from_wire(v, key, reject_unknowns) for v in value.list_value.values]
    fields = value.struct_value.fields
    if SIGNATURE not in fields:
        return {k: value_from_wire(v, f"{key}.{k}", reject_unknowns) for k, v in fields.items()}
    signature = fields[SIGNATURE].string_value
    if signature == SECRET_SIG:
        inner = value_from_wire(fields["value"], key, reject_unknowns)
        return inner if isinstance(inner, Secret) else Secret(inner)
    if signature == RESOURCE_SIG:
        id_ = value_from_wire(fields["id"], key) if "id" in fields else None
        return Reference(fields["urn"].string_value, id_, fields["packageVersion"].string_value)
    if signature == OUTPUT_SIG:
        inner = value_from_wire(fields["value"], key, reject_unknowns) if "value" in fields else UNKNOWN
        secret = "secret" in fields and fields["secret"].bool_value
        return Secret(inner) if secret and not isinstance(inner, Secret) else inner
    if signature in (ASSET_SIG, ARCHIVE_SIG):
        raise StepError(refused(f"property {key!r} is an asset or archive"))
    raise StepError(f"property {key!r} has an unrecognized signature {signature!r}")


def to_wire(
    props: Mapping[str, Any], *, secrets: bool = False, resources: bool = False, unknowns: bool = False
) -> Struct:
    """Properties as a struct.

    `secrets` and `resources` say that the other side takes signature objects (otherwise it gets the plain
    value and the id); without `unknowns`, unknown values are left out.
    """
    message = struct_pb2.Struct()
    for key, value in props.items():
        wired = value_to_wire(value, secrets, resources, unknowns)
        if wired is not None:
            message.fields[key].CopyFrom(wired)
    return message


def value_to_wire(value: Any, secrets: bool, resources: bool, unknowns: bool) -> Value | None:
    """One value for the wire, or None for an unknown that is left out."""
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Unknown):
        return struct_pb2.Value(string_value=UNKNOWN_WIRE) if unknowns else None
    if isinstance(value, list):
        items = (value_to_wire(v, secrets, resources, unknowns) for v in value)
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[v for v in items if v is not None]))
    if isinstance(value, Secret):
        if not secrets:
            return value_to_wire(value.value, secrets, resources, unknowns)
        inner = value_to_wire(value.value, secrets, resources, unknowns)
        return None if inner is None else _signed(SECRET_SIG, {"value": inner})
    if isinstance(value, Reference):
        if not resources:
            return value_to_wire(value.urn if value.id is None else value.id, secrets, resources, unknowns)
        fields = {
            "urn": struct_pb2.Value(string_value=value.urn),
            "packageVersion": struct_pb2.Value(string_value=value.version),
        }
        if value.id is not None:
            id_ = UNKNOWN_WIRE if isinstance(value.id, Unknown) else value.id
            fields["id"] = struct_pb2.Value(string_value=id_)
        return _signed(RESOURCE_SIG, fields)
    return struct_pb2.Value(
        struct_value=to_wire(value, secrets=secrets, resources=resources, unknowns=unknowns)
    )


def _signed(signature: str, fields: dict[str, Value]) -> Value:
    fields[SIGNATURE] = struct_pb2.Value(string_value=signature)
    return struct_pb2.Value(struct_value=struct_pb2.Struct(fields=fields))
