"""Who owns what a program declares: the stack's lineage, its claim to its name, and the owner of each resource."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime.settings import get_root_resource

from components.shared.plain import PlainResource
from retrain_hooks.providers import LineageProvider, StackClaimProvider


class Lineage(PlainResource, module="retrain", name="Lineage"):
    """The id of a stack, made once and kept in its state. Output: ``lineage``, 32 hex digits."""

    lineage: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(LineageProvider(), name, {"lineage": None}, opts)


class StackClaim(PlainResource, module="retrain", name="StackClaim"):
    """The stack's claim to its name in the registry of *target*: no other state can take what the stack owns."""

    lineage: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        target: str,
        lineage: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "target": target,
            "project": pulumi.get_project(),
            "stack": pulumi.get_stack(),
            "lineage": lineage,
        }
        super().__init__(StackClaimProvider(), name, props, opts)


class _Claims(dict[str, StackClaim]):
    """The claims of one program by their targets, and the lineage that they bear."""

    lineage: Lineage | None = None


_declared: WeakKeyDictionary[Any, _Claims] = WeakKeyDictionary()


def stack_claim(target: str) -> StackClaim:
    """This program's claim at *target*; declared when the first resource asks for it, with the stack's lineage."""
    claims = _declared.setdefault(get_root_resource() or _Claims, _Claims())
    if claims.lineage is None:
        claims.lineage = Lineage("lineage")
    if target not in claims:
        claims[target] = StackClaim(f"{target}-claim", target=target, lineage=claims.lineage.lineage)
    return claims[target]


def owner(target: str, name: str) -> dict[str, pulumi.Input[str]]:
    """The owner of what the resource *name* makes at *target*, as an input of it."""
    return {
        "project": pulumi.get_project(),
        "stack": pulumi.get_stack(),
        "name": name,
        "lineage": stack_claim(target).lineage,
    }
