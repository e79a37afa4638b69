"""Secrets among the inputs of a resource that follows the data: refused in the preview, with the place."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pulumi
import pytest

from components.models.data_version import DataVersion
from components.shared.plain import plain
from engine.testing import MakeStack, RunFailed
from retrain_hooks.providers import _Provider

SECRET = "hunter2-hunter2"


# In a process of its own: other tests import some of these modules twice.
DECLARED = """
import components
from components.shared.plain import PlainResource
from pulumi.dynamic import Resource
from retrain_hooks.providers import _Provider

def kinds(of):
    return {of} | {one for kind in of.__subclasses__() for one in kinds(kind)}

found = {kind for kind in kinds(Resource) if kind.__module__.startswith("components.")}
assert len(found - {PlainResource}) >= len(_Provider.__subclasses__()), found
assert all(issubclass(kind, PlainResource) for kind in found), found
"""


def test_every_dynamic_resource_is_plain() -> None:
    """What is declared here has no other base."""
    done = subprocess.run([sys.executable, "-c", DECLARED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


INPUTS = [
    (provider.lifecycle, row.name)
    for provider in _Provider.__subclasses__()
    if hasattr(provider.lifecycle, "inputs")
    for row in provider.lifecycle.inputs.table()
]
SHAPES = {
    "": lambda secret: secret,
    ".a": lambda secret: {"a": secret, "b": 1},
    "[1]": lambda secret: ["a", secret],
    ".a[0].b": lambda secret: {"a": [{"b": secret}]},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_is_refused_in_every_input_of_every_resource(shape: str) -> None:
    """Itself, part of it, or what is made of a secret and something else."""

    async def refused(name: str, secret: pulumi.Output[Any]) -> str:
        found = plain(SHAPES[shape](secret), name, "thing")
        for _ in range(shape.count(".") + shape.count("[")):
            [found] = [
                one for one in (found.values() if isinstance(found, dict) else found) if not _is_fixed(one)
            ]
        with pytest.raises(pulumi.RunError) as caught:
            await found.future()
        return str(caught.value)

    async def sweep() -> None:
        for _, name in INPUTS:
            for secret in (
                pulumi.Output.secret(SECRET),
                pulumi.Output.secret(SECRET).apply(len),
                pulumi.Output.concat("a ", pulumi.Output.secret(SECRET)),
                pulumi.Output.all(a=1, b=pulumi.Output.secret(SECRET)),
            ):
                said = await refused(name, secret)
                assert f"thing: {name}{shape} is a secret" in said
                assert SECRET not in said

    asyncio.run(sweep())
    assert len(INPUTS) > 40


def _is_fixed(value: Any) -> bool:
    return isinstance(value, str | int)


def test_what_is_no_secret_is_passed_on_as_it_is() -> None:
    """Known or not, with what it depends on."""

    async def look() -> None:
        given = {"a": pulumi.Output.from_input("x"), "b": ["y", 1, None]}
        found = plain(given, "props", "thing")
        assert found["b"] == given["b"]
        assert await found["a"].future() == "x"
        assert await found["a"].is_known()
        assert not await found["a"].is_secret()

    asyncio.run(look())


@pytest.mark.parametrize("place", ["path", "version", "container"])
@pytest.mark.parametrize("derived", [False, True])
def test_a_secret_is_refused_in_the_preview(pulumi_stack: MakeStack, place: str, derived: bool) -> None:
    """Also what is made of one; nothing of it is said or kept."""

    def program() -> None:
        secret = pulumi.Output.secret(SECRET)
        given = {
            "path": "a.csv",
            "version": "1",
            place: pulumi.Output.concat(secret, "!") if derived else secret,
        }
        DataVersion("data", target="local", **given)

    stack = pulumi_stack(program)
    with pytest.raises(RunFailed) as caught:
        stack.preview()
    said = str(caught.value)
    assert f"data: {place} is a secret" in said
    assert SECRET not in said
