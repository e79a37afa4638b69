"""Resource names (URNs) and provider references, as Pulumi composes them."""

from __future__ import annotations

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN of a resource; the stack's own type isn't part of its children's."""
    prefix = ""
    if parent and (parent_type := qualified_type(parent)) != STACK_TYPE:
        prefix = parent_type + "$"
    return f"urn:pulumi:{stack}::{project}::{prefix}{type_}::{name}"


def qualified_type(urn: str) -> str:
    """The type with the parents' types before it, separated by `$`."""
    return urn.split("::", 3)[2]


def urn_type(urn: str) -> str:
    """The resource's own type."""
    return qualified_type(urn).rsplit("$", 1)[-1]


def urn_name(urn: str) -> str:
    """The name given by the program; it may hold `::` itself."""
    return urn.split("::", 3)[3]


def package_of(type_: str) -> str:
    """The package a type belongs to; for a provider type, the package it provides."""
    if type_.startswith(PROVIDER_PREFIX):
        return type_[len(PROVIDER_PREFIX) :]
    return type_.split(":", 1)[0]


def is_provider(type_: str) -> bool:
    """Whether the type is a provider resource."""
    return type_.startswith(PROVIDER_PREFIX)


def is_default_provider(urn: str) -> bool:
    """Whether the URN is a default provider's; those are never shown nor counted."""
    return is_provider(urn_type(urn)) and (urn_name(urn) == "default" or urn_name(urn).startswith("default_"))


def split_reference(reference: str) -> tuple[str, str]:
    """URN and id of a provider reference `urn::id`."""
    urn, _, id_ = reference.rpartition("::")
    return urn, id_


def inherited_alias(stack: str, project: str, urn: str, parent: str, parent_alias: str) -> str:
    """The URN a child had when its parent was still called `parent_alias`.

    A child named after its parent (`app-function`) is taken to have been named after the old name, too.
    """
    name = urn_name(urn)
    if name.startswith(urn_name(parent)):
        name = urn_name(parent_alias) + name.removeprefix(urn_name(parent))
    return make_urn(stack, project, parent_alias, urn_type(urn), name)


def is_stack(urn: str) -> bool:
    """Whether the URN is the root stack's."""
    return f"::{STACK_TYPE}::" in urn
