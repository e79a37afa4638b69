"""Stacks without a run: listed, exported, imported, removed."""

from __future__ import annotations

import errno
import json
import os

import pulumi
import pytest

import engine
from engine import StackError
from tests.engine.conftest import Stack, Thing


def program() -> None:
    first = Thing("first", {"value": pulumi.Output.secret("hush")})
    Thing("second", {"value": first.id})


def test_an_exported_state_can_be_imported(stack: Stack) -> None:
    """Afterwards nothing is to be done; secrets are encrypted in the export; the state before stays as .bak."""
    stack.up(program)
    exported = engine.export_stack(stack.ws)
    [first] = [r for r in exported["deployment"]["resources"] if r["urn"].endswith("::first")]
    assert "ciphertext" in first["inputs"]["value"]
    assert (exported["version"], len(exported["deployment"]["resources"])) == (3, 4)
    stack.destroy()
    engine.import_stack(stack.ws, exported, warn=pytest.fail)
    assert stack.preview(program).changes == {"same": 3}
    assert (stack.root / ".pulumi/stacks/demo/dev.json.bak").exists()


def test_what_was_under_way_is_not_imported(stack: Stack) -> None:
    """It is said, one line each."""
    stack.up(program)
    exported = engine.export_stack(stack.ws)
    resource = exported["deployment"]["resources"][-1]
    exported["deployment"]["pending_operations"] = [{"type": "updating", "resource": resource}]
    said: list[str] = []
    engine.import_stack(stack.ws, exported, said.append)
    assert said == [f"removing pending operation 'updating' on '{resource['urn']}'"]
    assert "pending_operations" not in stack.state()


@pytest.mark.parametrize(
    "exported",
    [None, [], {}, {"version": 3}, {"version": 9, "deployment": {}}, {"version": 3, "deployment": 4}],
)
def test_what_is_no_exported_state_changes_nothing(stack: Stack, exported: object) -> None:
    """It is refused with a remedy."""
    stack.up(program)
    before = stack.checkpoint()
    with pytest.raises(StackError) as error:
        engine.import_stack(stack.ws, exported, warn=pytest.fail)
    assert error.value.remedy
    assert stack.checkpoint() == before


def test_a_state_of_another_stack_or_with_holes_is_refused_unless_forced(stack: Stack) -> None:
    """Each problem is named; forced, each is a warning."""
    stack.up(program)
    exported = json.loads(
        json.dumps(engine.export_stack(stack.ws)).replace("urn:pulumi:dev::", "urn:pulumi:prod::")
    )
    del exported["deployment"]["resources"][2]
    with pytest.raises(StackError) as error:
        engine.import_stack(stack.ws, exported, warn=pytest.fail)
    assert "is from a different stack (prod != dev)" in error.value.cause
    assert "second rests on urn:pulumi:prod::demo::things:index:Thing::first" in error.value.cause
    said: list[str] = []
    engine.import_stack(stack.ws, exported, said.append, force=True)
    assert len(said) == 4


def test_stacks_are_listed_with_their_resources(stack: Stack) -> None:
    """One that was destroyed is still there; times are in milliseconds, as the CLI's."""
    assert engine.list_stacks(stack.ws.backend) == []
    stack.up(program)
    [found] = engine.list_stacks(stack.ws.backend)
    assert (found["name"], found["resourceCount"], found["lastUpdate"]) == (
        "dev",
        4,
        stack.state()["manifest"]["time"][:23] + "Z",
    )
    stack.destroy()
    [found] = engine.list_stacks(stack.ws.backend)
    assert (found["name"], found["resourceCount"]) == ("dev", 0)
    assert found["lastUpdate"]


def test_a_stack_with_resources_is_removed_only_by_force(stack: Stack) -> None:
    """Its last state stays as .bak; a stack that isn't there is an error."""
    stack.up(program)
    with pytest.raises(StackError) as error:
        engine.remove_stack(stack.ws)
    assert "still has resources" in error.value.cause
    engine.remove_stack(stack.ws, force=True)
    assert engine.list_stacks(stack.ws.backend) == []
    assert [p.name for p in (stack.root / ".pulumi/stacks/demo").iterdir()] == ["dev.json.bak"]
    with pytest.raises(StackError):
        engine.remove_stack(stack.ws)
    with pytest.raises(StackError):
        engine.export_stack(stack.ws)


def test_the_state_before_is_kept_where_files_have_no_links(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on some network file systems."""

    def link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    stack.up(lambda: Thing("a", {"value": "v1"}) and None)
    monkeypatch.setattr(os, "link", link)
    assert stack.up(lambda: Thing("a", {"value": "v2"}) and None).ok
    backup = (stack.root / ".pulumi/stacks/demo/dev.json.bak").read_text()
    assert json.loads(backup)["checkpoint"]["latest"]["resources"]
    assert stack.resources()["a"]["inputs"]["value"] == "v2"
