"""Property values on the wire (gRPC): structs with Pulumi's signature keys.

Source: `sdk/python/lib/pulumi/runtime/rpc.py` of Pulumi 3.260.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import grpc
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
CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 1 << 30), ("grpc.max_send_message_length", 1 << 30)]


def connect(address: str) -> Any:
    """A channel to a server on this machine, for messages of any size."""
    return vars(grpc)["insecure_channel"](address, options=CHANNEL_OPTIONS)


def from_wire(message: Struct, *, reject_unknowns: bool = False) -> Props:
    """A struct's properties by name, whole numbers as int; `reject_unknowns` makes an unknown an error, as in an update."""
    return {k: _from_wire(v, k, reject_unknowns) for k, v in sorted(message.fields.items())}


def _from_wire(value: Any, key: str, reject_unknowns: bool) -> Any:
    kind = value.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    content = getattr(value, kind)
    if kind == "number_value":
        return tidy_number(content)
    if kind == "list_value":
        return [_from_wire(v, key, reject_unknowns) for v in content.values]
    if kind == "struct_value":
        return _object_from_wire(content.fields, key, reject_unknowns)
    if content not in UNKNOWNS:
        return content
    if reject_unknowns:
        raise StepError(f'unexpected unknown property value for "{key}"')
    return UNKNOWN


def _object_from_wire(fields: Any, key: str, reject_unknowns: bool) -> Any:
    if SIGNATURE not in fields:
        return {k: _from_wire(v, f"{key}.{k}", reject_unknowns) for k, v in sorted(fields.items())}
    signature = fields[SIGNATURE].string_value
    if signature in (SECRET_SIG, OUTPUT_SIG):
        inner = _from_wire(fields["value"], key, reject_unknowns) if "value" in fields else UNKNOWN
        secret = signature == SECRET_SIG or fields["secret"].bool_value
        return Secret(inner) if secret and not isinstance(inner, Secret) else inner
    if signature == RESOURCE_SIG:
        id_ = _from_wire(fields["id"], key, False) if "id" in fields else None
        return Reference(fields["urn"].string_value, id_, fields["packageVersion"].string_value)
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

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: each for k, v in value.items() if (each := plain(v)) is not UNKNOWN}
        if isinstance(value, list):
            return [each for v in value if (each := plain(v)) is not UNKNOWN]
        if isinstance(value, Unknown):
            return UNKNOWN_WIRE if unknowns else UNKNOWN
        if isinstance(value, Secret):
            inner = plain(value.value)
            return {SIGNATURE: SECRET_SIG, "value": inner} if secrets and inner is not UNKNOWN else inner
        if isinstance(value, Reference):
            return value.signed() if resources else plain(value.urn if value.id is None else value.id)
        return value

    message = struct_pb2.Struct()
    message.update(plain(dict(props)))
    return message
