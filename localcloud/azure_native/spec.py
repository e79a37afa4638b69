"""How a resource type or a function of azure-native is declared: as data.

A type is its token, its ARM path and API version, the fields of its body (with where ARM keeps them) and
the fields ARM alone sets. azure-native flattens `properties.*` of the ARM document into the resource; a
`Field` says for each name of the SDK where that is in the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

_SEGMENTS = {"{scope}": "/.+"}


@dataclass(frozen=True, slots=True)
class Field:
    """One property: its SDK name, where ARM has it (a path of keys), and what `Check` holds it to.

    `create_only`: ARM cannot change it, so a change replaces the resource. `read_only` are the members of its value
    (`a.b`) that only ARM sets. `keyed` is the member that is a list of ids in a program and a map by id in ARM.
    `secret`: it is marked as such in the state.
    """

    name: str
    at: tuple[str, ...]
    required: bool = False
    create_only: bool = False
    read_only: tuple[str, ...] = ()
    keyed: str = ""
    secret: bool = False


def top(
    name: str, *, required: bool = False, create_only: bool = False, read_only: tuple[str, ...] = ()
) -> Field:
    """A field at the top of the ARM document, under the same name (`location`, `tags`, `sku`)."""
    return Field(name, (name,), required, create_only, read_only)


def prop(
    name: str,
    *,
    arm: str | None = None,
    required: bool = False,
    create_only: bool = False,
    secret: bool = False,
) -> Field:
    """A field under `properties`, which azure-native flattens; `arm` is its name there, where it differs."""
    return Field(name, ("properties", arm or name), required, create_only, secret=secret)


def props(*names: str) -> tuple[Field, ...]:
    """Fields under `properties`, each under its own name."""
    return tuple(prop(name) for name in names)


LOCATION = top("location", required=True, create_only=True)
IDENTITY = Field(
    "identity", ("identity",), read_only=("principalId", "tenantId"), keyed="userAssignedIdentities"
)


@dataclass(frozen=True, slots=True)
class NameRule:
    """The path parameter that names the resource, made up where the program gives none.

    It is made up from the logical name, or, for a `guid`, of random digits only.
    """

    parameter: str
    pattern: str | None = None
    min_length: int = 1
    max_length: int = 260
    guid: bool = False

    def problems(self, value: str) -> Iterator[str]:
        """What is wrong with a name, in azure-native's words."""
        if len(value) < self.min_length:
            yield (
                f"'{self.parameter}' is too short ({len(value)}): at least {self.min_length} characters required"
            )
        if len(value) > self.max_length:
            yield f"'{self.parameter}' is too long ({len(value)}): at most {self.max_length} characters allowed"
        if self.pattern and not re.search(self.pattern, value):
            yield f"'{self.parameter}' does not match expression '{self.pattern}'"


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type: `body` are its inputs besides the path's, `read_only` what only ARM sets.

    A path that begins with `{scope}` is that of an extension, which any resource may have. `delete_query` is what
    a DELETE has to say beside the id.
    """

    token: str
    path: str
    api_version: str
    name: NameRule
    body: tuple[Field, ...]
    read_only: tuple[Field, ...]
    delete_query: Mapping[str, str] = field(default_factory=dict)

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The inputs that make up the id, without the subscription; a change of any replaces the resource."""
        return tuple(p for p in re.findall(r"{(\w+)}", self.path) if p != "subscriptionId")

    @property
    def outputs(self) -> tuple[Field, ...]:
        """All fields that the ARM document gives."""
        return self.body + self.read_only

    @property
    def create_only(self) -> frozenset[str]:
        """Inputs whose change means a replacement."""
        return frozenset(self.path_parameters) | {f.name for f in self.body if f.create_only}

    def parse_id(self, resource_id: str) -> dict[str, str] | None:
        """The path parameters in an id (ids are case-insensitive), or None where it is of another type."""
        pattern = "".join(
            f"(?P<{part[1:-1]}>{_SEGMENTS.get(part, '[^/]+')})" if part.startswith("{") else re.escape(part)
            for part in re.split(r"({\w+})", self.path)
        )
        found = re.fullmatch(pattern, resource_id.rstrip("/"), re.IGNORECASE)
        return found.groupdict() if found else None


@dataclass(frozen=True, slots=True)
class Function:
    """A function (invoke) on a resource: read it (GET), or POST an action; `secrets` are marked as such."""

    token: str
    of: ResourceType
    method: Literal["GET", "POST"] = "GET"
    action: str = ""
    outputs: tuple[str, ...] = ()
    secrets: frozenset[str] = frozenset()
