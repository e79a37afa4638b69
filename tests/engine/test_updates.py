"""Create, update, replace, delete: what the engine asks of a provider, and what it keeps."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pulumi
import pytest

import engine
from backend.passphrase import Crypter
from backend.values import SECRET_TEXT, UNKNOWN_TEXT
from tests.engine.conftest import Group, Stack, Thing, ThingsProvider, ops

Options = pulumi.ResourceOptions


def test_a_first_update_creates_and_a_second_finds_nothing_to_do(stack: Stack) -> None:
    """A second `up` of the same program calls no create, update or delete."""

    def program() -> None:
        first = Thing("first", {"value": "1"}, Options(parent=Group("group")))
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


def test_a_preview_changes_nothing_and_writes_nothing(stack: Stack) -> None:
    """A preview of an empty stack leaves no file behind and calls no create."""
    result = stack.preview(lambda: Thing("a", {"value": "v"}) and None)
    assert result.changes == {"create": 2}
    assert stack.things.done("create") == []
    assert not (stack.root / ".pulumi").exists()


def test_no_old_output_leaks_into_a_preview(stack: Stack) -> None:
    """What an update may change is unknown downstream, although the state knows the old value."""
    value = "old"

    def program() -> None:
        first = Thing("first", {"value": value})
        Thing("second", {"value": first.echo})
        pulumi.export("echo", first.echo)

    stack.up(program)
    value = "new"
    result = stack.preview(program)
    assert ops(result) == {"first": ["update"], "second": ["update"]}
    shown = {s.name: s.diff for s in result.steps}
    assert [(d.path, d.old, d.new) for d in shown["first"]] == [("value", "old", "new")]
    assert [(d.path, d.old, d.unknown) for d in shown["second"]] == [("value", "echo old", True)]
    assert result.outputs == {"echo": UNKNOWN_TEXT}


def test_a_replacement_creates_first_and_deletes_last_in_reverse_order(stack: Stack) -> None:
    """Create before delete, the dependent updated in between, the old one deleted at the end."""
    fixed = "1"

    def program() -> None:
        first = Thing("first", {"fixed": fixed})
        Thing("second", {"fixed": first.id})

    stack.up(program)
    fixed = "2"
    result = stack.up(program)
    replaced = ["create-replacement", "replace", "delete-replaced"]
    assert ops(result) == {"first": replaced, "second": replaced}
    assert stack.things.done("create", "delete") == [
        ("create", "first"),
        ("create", "second"),
        ("delete", "second"),
        ("delete", "first"),
    ]
    assert result.changes == {"same": 1, "replace": 2}
    assert stack.resources()["second"]["inputs"]["fixed"] == "first-2"


def test_delete_before_replace_deletes_dependents_first(stack: Stack) -> None:
    """What would be replaced by the change is deleted before, and created again after."""
    fixed = "1"

    def program() -> None:
        first = Thing("first", {"fixed": fixed, "dbr": True})
        Thing("second", {"fixed": first.id})

    stack.up(program)
    fixed = "2"
    stack.up(program)
    assert stack.things.done("create", "delete") == [
        ("delete", "second"),
        ("delete", "first"),
        ("create", "first"),
        ("create", "second"),
    ]


def test_resources_no_longer_declared_are_deleted_in_reverse_order(stack: Stack) -> None:
    """A program without them deletes dependents before what they depend on; destroy deletes the rest."""
    many = True

    def program() -> None:
        keep = Thing("keep", {"value": "v"})
        if many:
            first = Thing("first", {"value": keep.echo})
            Thing("second", {"value": first.echo})

    stack.up(program)
    many = False
    stack.up(program)
    assert stack.things.done("delete") == [("delete", "second"), ("delete", "first")]
    result = stack.destroy()
    assert result.ok
    assert stack.state().get("resources", []) == []
    assert stack.things.store == {}


def test_secrets_are_encrypted_in_the_state_and_masked_in_the_result(stack: Stack) -> None:
    """The plain text is in no file; what is made of a secret input is secret, too."""

    def program() -> None:
        thing = Thing(
            "a", {"value": pulumi.Output.secret("hush-hush")}, Options(additional_secret_outputs=["echo"])
        )
        pulumi.export("echo", thing.echo)

    result = stack.up(program)
    assert result.outputs == {"echo": SECRET_TEXT}
    for path in stack.root.rglob("*.json"):
        assert "hush-hush" not in path.read_text()
    assert stack.up(program).changes == {"same": 2}
    assert "encryptionsalt: v1:" in (stack.root / "Pulumi.dev.yaml").read_text()


def test_a_state_can_be_read_without_a_passphrase_as_long_as_no_secret_is_needed(stack: Stack) -> None:
    """A key that can't be derived stops a run only when a secret is looked at, or one may have to be kept."""
    stack.up(lambda: Thing("a", {"value": pulumi.Output.secret("v")}) and None)
    stack.passphrase = None
    assert stack.preview(lambda: Thing("b", {"value": "v"}) and None).changes == {
        "same": 1,
        "create": 1,
        "delete": 1,
    }
    assert "ciphertext" in json.dumps(engine.export_stack(stack.ws))


def test_only_a_run_of_a_state_with_secrets_prepares_their_key(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deriving one takes a quarter of a second, beside which the program runs."""
    prepared: list[str] = []
    monkeypatch.setattr(Crypter, "prepare", lambda self: prepared.append(self.salt))
    stack.up(lambda: Thing("a", {"value": "v"}) and None)
    stack.preview(lambda: Thing("a", {"value": "v"}) and None)
    assert prepared == []
    stack.up(lambda: Thing("a", {"value": pulumi.Output.secret("v")}) and None)
    stack.preview(lambda: Thing("a", {"value": pulumi.Output.secret("v")}) and None)
    assert len(prepared) == 1
    assert prepared[0].startswith("v1:")


def test_refresh_takes_over_what_is_there_and_forgets_what_is_gone(stack: Stack) -> None:
    """After a refresh, an `up` puts the drifted value back and creates the missing resource."""

    def program() -> None:
        Thing("drifts", {"value": "v"})
        Thing("goes", {"value": "v"})

    stack.up(program)
    stack.things.store["drifts-1"]["value"] = "other"
    del stack.things.store["goes-1"]
    result = stack.refresh()
    assert result.changes == {"same": 1, "update": 1, "delete": 1}
    drift = next(s for s in result.steps if s.name == "drifts")
    assert [(d.path, d.old, d.new) for d in drift.diff] == [("value", "v", "other")]
    assert stack.resources()["drifts"]["inputs"]["value"] == "other"
    assert ops(stack.up(program)) == {"drifts": ["update"], "goes": ["create"]}


def test_what_a_refresh_before_an_update_finds_is_not_counted(stack: Stack) -> None:
    """The summary of `--refresh` counts what the update makes of it, as the CLI's does."""

    def program() -> None:
        Thing("drifts", {"value": "v"})
        Thing("stays", {"value": "w"})

    stack.up(program)
    assert stack.preview(program, refresh=True, expect_no_changes=True).changes == {"same": 3}
    drifted = next(s for s in stack.things.store.values() if s["value"] == "v")
    drifted["value"] = "other"
    assert stack.up(program, refresh=True).changes == {"same": 2, "update": 1}


def test_expect_no_changes_fails_on_changes_only(stack: Stack) -> None:
    """`expect_no_changes` is red while something would change and green afterwards."""

    def program() -> None:
        Thing("a", {"value": "v"})

    assert not stack.preview(program, expect_no_changes=True).ok
    stack.up(program)
    assert stack.preview(program, expect_no_changes=True).ok


def test_targets_leave_everything_else_as_it_is(stack: Stack) -> None:
    """Only the targeted resource is updated; the other keeps its old inputs in the state."""
    value = "1"

    def program() -> None:
        Thing("a", {"value": value})
        Thing("b", {"value": value})

    stack.up(program)
    value = "2"
    result = stack.up(program, targets=("urn:pulumi:dev::demo::things:index:Thing::a",))
    assert ops(result) == {"a": ["update"]}
    assert stack.resources()["b"]["inputs"]["value"] == "1"
    assert ops(stack.up(program)) == {"b": ["update"]}


def test_an_unknown_provider_configuration_is_not_sent(stack: Stack) -> None:
    """In a preview a provider whose configuration rests on a new resource isn't asked anything."""

    def program() -> None:
        provider = ThingsProvider("p", Thing("first", {"value": "v"}).echo)
        Thing("second", {"value": "w"}, Options(provider=provider))

    assert stack.preview(program).ok
    assert ("check", "second") not in stack.things.calls
    assert stack.up(program).ok
    assert stack.resources()["second"]["provider"].startswith(
        "urn:pulumi:dev::demo::pulumi:providers:things::p::"
    )


@pytest.mark.parametrize(
    ("option", "name"),
    [
        (Options(import_="x"), "option import"),
        (Options(deleted_with=None, transforms=[lambda args: None]), "transforms"),
    ],
    ids=["import", "transforms"],
)
def test_what_is_not_implemented_is_refused_by_name(stack: Stack, option: Options, name: str) -> None:
    """The failure names the feature and a way out."""
    result = stack.preview(lambda: Thing("a", {"value": "v"}, option) and None)
    assert not result.ok
    assert any(name in f and "--engine pulumi" in f for f in result.failures), result.failures


def test_the_time_for_a_resource_does_not_grow_with_their_number(stack: Stack, monkeypatch) -> None:
    """All that a program has begun is looked at a few times in a run, not once for each thing that ends."""
    looks: list[int] = []
    wait = asyncio.wait

    def counted(tasks: Any, **how: Any) -> Any:
        looks.append(len([*tasks]))
        return wait(tasks, **how)

    monkeypatch.setattr(asyncio, "wait", counted)

    def program() -> None:
        for number in range(60):
            Thing(f"thing-{number}", {"value": "a"})

    assert stack.up(program).changes == {"create": 61}
    assert max(looks) > 60
    assert len(looks) < 10


def test_an_asynchronous_program_begins_while_resources_wait_for_it(stack: Stack) -> None:
    """`pulumi.run`: a resource registered before may rest on what the coroutine finds out."""

    def program() -> None:
        found: asyncio.Future[str] = asyncio.get_event_loop().create_future()
        Thing("one", {"value": pulumi.Output.from_input(found)})

        async def main() -> dict[str, Any]:
            found.set_result("late")
            return {"done": True}

        pulumi.run(main)

    result = stack.up(program)
    assert result.outputs == {"done": True}
    assert stack.resources()["one"]["inputs"]["value"] == "late"
