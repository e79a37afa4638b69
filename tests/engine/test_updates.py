"""Create, update, replace, delete: what the engine asks of a provider, and what it keeps."""

from __future__ import annotations

from typing import Any

import pulumi

from tests.engine.conftest import Group, Stack, Thing, ops


def test_a_first_update_creates_and_a_second_finds_nothing_to_do(stack: Stack) -> None:
    """A second `up` of the same program calls no create, update or delete."""

    def program() -> None:
        group = Group("group")
        first = Thing("first", {"value": "1"}, pulumi.ResourceOptions(parent=group))
        Thing("second", {"value": first.echo})
        pulumi.export("echo", first.echo)

    first = stack.up(program)
    assert first.ok, first.failures
    assert first.changes == {"create": 4}
    assert first.outputs == {"echo": "echo 1"}
    assert stack.things.done("create") == [("create", "first"), ("create", "second")]
    again = stack.up(program)
    assert again.changes == {"same": 4}
    assert stack.things.done("create", "update", "delete") == []
