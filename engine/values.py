"""Property values: plain Python data plus unknowns, secrets and resource references.

On the wire (gRPC) and in the state they are structs with Pulumi's signature keys, see
`sdk/python/lib/pulumi/runtime/rpc.py` of Pulumi for the constants.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import struct_pb2 as _struct_pb2

from engine.errors import StepError, refused

# The generated modules have no types.
struct_pb2: Any = _struct_pb2
Struct: TypeAlias = Any
Value: TypeAlias = Any

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIG: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
ASSET_SIG: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE_SIG: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE_SIG: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT_SIG: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
FLOAT_SIG: Final = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c"
UNKNOWN_WIRE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWNS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        UNKNOWN_WIRE,  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


class Unknown:
    """A value that isn't known before something has been created."""

    _one: Unknown | None = None

    def __new__(cls) -> Unknown:
        """The one unknown there is."""
        if cls._one is None:
            cls._one = super().__new__(cls)
        return cls._one

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
EMPTY: Final[Any] = vars(_empty_pb2)["Empty"]()


class Secret:
    """A secret value; from the state it is decrypted only when somebody looks at it."""

    __slots__ = ("_reveal", "_value", "cipher")

    def __init__(
        self, value: Any = None, *, cipher: str | None = None, reveal: Callable[[], Any] | None = None
    ) -> None:
        self._value = value
        self._reveal = reveal
        self.cipher = cipher

    @property
    def value(self) -> Any:
        """The plain value."""
        if self._reveal is not None:
            self._value = self._reveal()
            self._reveal = None
        return self._value

    def __repr__(self) -> str:
        return "[secret]"


@dataclass(frozen=True)
class Reference:
    """A resource passed as a value; `id` is None for components."""

    urn: str
    id: Any = None
    version: str = ""


Props = dict[str, Any]


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


def tidy_number(number: float) -> int | float:
    """A whole number as int, so that it is written `3`, not `3.0`."""
    return int(number) if math.isfinite(number) and number.is_integer() and abs(number) < 1e21 else number


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


def json_number(value: Any) -> Any:
    """NaN and infinities, which JSON doesn't know, as the state keeps them; anything else as it is."""
    if isinstance(value, float) and not math.isfinite(value):
        return {SIGNATURE: FLOAT_SIG, "value": struct.pack(">d", value).hex()}
    return value


def float_from_bits(bits: str) -> float:
    """The number of which `json_number` gives these bits."""
    number: float = struct.unpack(">d", bytes.fromhex(bits))[0]
    return number


def equal(a: Any, b: Any) -> bool:
    """Deep equality; a secret equals only a secret, true isn't 1, an unknown equals an unknown."""
    if isinstance(a, Secret) or isinstance(b, Secret):
        if not (isinstance(a, Secret) and isinstance(b, Secret)):
            return False
        same_cipher = a.cipher is not None and a.cipher == b.cipher
        return same_cipher or equal(a.value, b.value)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return bool(a == b)


def contains(value: Any, what: type) -> bool:
    """Whether an `Unknown` or a `Secret` is somewhere in the value."""
    if isinstance(value, what):
        return True
    if isinstance(value, dict):
        return any(contains(v, what) for v in value.values())
    if isinstance(value, list):
        return any(contains(v, what) for v in value)
    if isinstance(value, Secret):
        return contains(value.value, what)
    return isinstance(value, Reference) and isinstance(value.id, what)


def reveal(value: Any) -> Any:
    """The value without its secret marks."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {k: reveal(v) for k, v in value.items()}
    if isinstance(value, list):
        return [reveal(v) for v in value]
    return value


def masked(value: Any, *, show_secrets: bool = False) -> Any:
    """A JSON value to show: secrets as `[secret]`, unknowns as `[unknown]`, references as URN."""
    if isinstance(value, Secret):
        return masked(value.value, show_secrets=True) if show_secrets else "[secret]"
    if isinstance(value, Unknown):
        return "[unknown]"
    if isinstance(value, Reference):
        return value.urn
    if isinstance(value, dict):
        return {k: masked(v, show_secrets=show_secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(v, show_secrets=show_secrets) for v in value]
    return json_number(value)


def annotate_secrets(outs: Props | None, ins: Props | None) -> None:
    """Mark in `outs` what is secret in `ins`, in place.

    For providers that don't understand secrets: objects are descended into; any other value whose namesake
    holds a secret becomes one as a whole.
    """
    if outs is None or ins is None:
        return
    for key, given in ins.items():
        if key not in outs:
            continue
        out = outs[key]
        if isinstance(out, dict) and isinstance(given, dict):
            annotate_secrets(out, given)
        elif not isinstance(out, Secret) and contains(given, Secret):
            outs[key] = Secret(out)
