"""Property values: plain Python data plus unknowns, secrets and resource references.

On the wire (gRPC) and in the state they are structs with Pulumi's signature keys, see
`sdk/python/lib/pulumi/runtime/rpc.py` of Pulumi for the constants.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

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


UNKNOWN_TEXT: Final = "[unknown]"
SECRET_TEXT: Final = "[secret]"  # noqa: S105  # what is shown in place of a secret


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
        return SECRET_TEXT


@dataclass(frozen=True)
class Reference:
    """A resource passed as a value; `id` is None for components."""

    urn: str
    id: Any = None
    version: str = ""

    def signed(self) -> dict[str, Any]:
        """The object that stands for it on the wire and in the state."""
        out = {SIGNATURE: RESOURCE_SIG, "urn": self.urn, "packageVersion": self.version}
        if self.id is not None:
            out["id"] = UNKNOWN_WIRE if isinstance(self.id, Unknown) else self.id
        return out


Props = dict[str, Any]


def tidy_number(number: float) -> int | float:
    """A whole number as int, so that it is written `3`, not `3.0`; negative zero, which is none, as it is."""
    whole = math.isfinite(number) and number.is_integer() and abs(number) < 1e21
    return int(number) if whole and (number or math.copysign(1, number) > 0) else number


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
        return masked(value.value, show_secrets=True) if show_secrets else SECRET_TEXT
    if isinstance(value, Unknown):
        return UNKNOWN_TEXT
    if isinstance(value, Reference):
        return value.urn
    if isinstance(value, dict):
        return {k: masked(v, show_secrets=show_secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(v, show_secrets=show_secrets) for v in value]
    return json_number(value)


def blinded(value: Any) -> Any:
    """The value with the text `[secret]` in place of secrets, and all else as it is."""
    if isinstance(value, dict):
        return {k: blinded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [blinded(v) for v in value]
    return SECRET_TEXT if isinstance(value, Secret) else value


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
