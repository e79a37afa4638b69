"""Pulumi's property wire format: protobuf Structs with unknowns and secrets, to and from Python values.

Source: `pulumi.runtime.rpc` (SDK 3.272), whose constants are used. Decoding gives plain dicts, lists and
scalars, with `UNKNOWN` for what is not known yet and `Secret` around what is secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from pulumi.runtime import rpc

from localcloud.azure_native.protos import Message, struct_pb2


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

# The engine has a mark for each kind of value that is not known yet; SDKs send only the first.
_UNKNOWN_MARKS = frozenset(
    {
        rpc.UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that Pulumi keeps encrypted."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(...)"


def decode(struct: Message) -> dict[str, Any]:
    """Properties as Python values; keys without a value (null) are left out."""
    return _object(struct)


def encode(properties: Mapping[str, Any]) -> Message:
    """Python values as properties; keys whose value is None are left out."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        if value is not None:
            struct.fields[key].CopyFrom(_encode(value))
    return struct


def plain(value: Any) -> Any:
    """The value without secret marks; unknowns stay."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    """Whether any part of the value is not known yet."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, list) and any(has_unknown(item) for item in value)


def secrets_as_in(value: Any, model: Any) -> Any:
    """`value` with the parts marked secret that are secret in `model` (an output that repeats an input)."""
    if isinstance(model, Secret):
        return value if isinstance(value, Secret) else Secret(value)
    if isinstance(value, Mapping) and isinstance(model, Mapping):
        return {key: secrets_as_in(item, model.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(model, list):
        return [
            secrets_as_in(item, model[index] if index < len(model) else None)
            for index, item in enumerate(value)
        ]
    return value


def _object(struct: Message) -> dict[str, Any]:
    decoded = {key: _decode(value) for key, value in struct.fields.items()}
    return {key: value for key, value in decoded.items() if value is not None}


def _decode(value: Message) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _special(value.struct_value)
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWN_MARKS else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _special(struct: Message) -> Any:
    fields = struct.fields
    signature = fields[rpc._special_sig_key].string_value if rpc._special_sig_key in fields else ""
    if signature == rpc._special_secret_sig:
        return Secret(_decode(fields["value"]) if "value" in fields else None)
    if signature == rpc._special_output_value_sig:
        inner = _decode(fields["value"]) if "value" in fields else UNKNOWN
        return Secret(inner) if "secret" in fields and fields["secret"].bool_value else inner
    if signature == rpc._special_resource_sig:
        # Only custom resources' references carry an id; that is what the provider wants of them.
        return (_decode(fields["id"]) or UNKNOWN) if "id" in fields else fields["urn"].string_value
    return _object(struct)


def _encode(value: Any) -> Message:
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=rpc.UNKNOWN)
    if isinstance(value, Secret):
        marked = {rpc._special_sig_key: rpc._special_secret_sig, "value": value.value}
        return struct_pb2.Value(struct_value=encode(marked))
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=encode(value))
    if isinstance(value, list | tuple):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item) for item in value]))
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    return struct_pb2.Value(string_value=str(value))
