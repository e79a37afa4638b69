"""The base of the resources that follow the data: none of their inputs may be a secret."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import Resource, ResourceProvider

from components.shared.options import judged, refuse_on_resource


class PlainResource(Resource):
    """A dynamic resource whose inputs are no secrets.

    What a check finds out from its inputs (keys, addresses, why a model is trained) is kept and shown as plain text, and a
    run's inputs are recorded for all stacks: a secret among them would not stay one. So it is refused, in the preview.

    Of the properties in *ignorable* a program may have changes ignored.
    """

    ignorable: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        provider: ResourceProvider,
        name: str,
        props: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(provider, name, dict(props), judged(self, opts, self._judge))

    def _judge(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        refuse_on_resource(args, self.ignorable)
        given = {key: plain(value, key, args.name) for key, value in args.props.items()}
        return pulumi.ResourceTransformationResult(given, args.opts)


def plain(value: Any, place: str, resource: str) -> Any:
    """*value* with each output in it guarded: one that is a secret raises RunError, with its *place*, when it is used."""
    if isinstance(value, pulumi.Output):
        return _guarded(value, place, resource)
    if isinstance(value, Mapping):
        return {key: plain(item, f"{place}.{key}", resource) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{place}[{position}]", resource) for position, item in enumerate(value)]
    return value


def _guarded(value: pulumi.Output[Any], place: str, resource: str) -> pulumi.Output[Any]:
    async def look() -> Any:
        if await value.is_secret():
            raise pulumi.RunError(
                f"{resource}: {place} is a secret, and would be kept and shown as plain text: what a run was made from is "
                "recorded\nremedy: pass a value that may be read by all who see the stack, such as the name under which "
                "the secret is kept"
            )
        return await value.future(with_unknowns=True)

    looked, is_known = asyncio.ensure_future(look()), asyncio.ensure_future(value.is_known())
    return pulumi.Output(value.resources(), looked, is_known)
