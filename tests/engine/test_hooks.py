"""Resource hooks: functions of the program that the engine calls around creates, updates and deletes."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from engine.events import Diagnostic
from tests.engine.conftest import Group, Stack, Thing, ops

Args = pulumi.ResourceHookArgs


class Heard:
    """A hook that notes what it is told."""

    def __init__(self, fails: str = "") -> None:
        self.calls: list[Args] = []
        self._fails = fails

    def note(self, args: Args) -> None:
        """The hook's function."""
        self.calls.append(args)
        if self._fails:
            raise ValueError(self._fails)


def hooked(heard: Heard, *moments: str, **options: bool) -> pulumi.ResourceOptions:
    """Options that bind a hook of that function to moments."""
    hook = pulumi.ResourceHook("notes", heard.note, pulumi.ResourceHookOptions(**options))
    return pulumi.ResourceOptions(
        hooks=pulumi.ResourceHookBinding(**{moment: [hook] for moment in moments})  # type: ignore[arg-type]
    )


def messages(stack: Stack, severity: str) -> list[str]:
    """What was said during the last run."""
    return [e.message for e in stack.events if isinstance(e, Diagnostic) and e.severity == severity]


def test_a_hook_is_told_old_and_new_inputs_and_outputs(stack: Stack) -> None:
    """After an update it gets all four; values are those that the provider checked and answered."""
    heard, value = Heard(), "old"

    def program() -> None:
        Thing("a", {"value": value}, hooked(heard, "after_update"))

    stack.up(program)
    assert heard.calls == []
    value = "new"
    assert stack.up(program).ok
    [args] = heard.calls
    assert (args.name, args.id, args.type) == ("a", "a-1", "things:index:Thing")
    assert args.urn == stack.resources()["a"]["urn"]
    told: Any = args
    assert (told.old_inputs["value"], told.new_inputs["value"]) == ("old", "new")
    assert (told.old_outputs["echo"], told.new_outputs["echo"]) == ("echo old", "echo new")


def test_hooks_make_the_checkpoint_version_4_and_their_end_makes_it_3_again(stack: Stack) -> None:
    """A state without hooks is what older readers understand."""
    with_hooks = True

    def program() -> None:
        Thing("a", {"value": "v"}, hooked(Heard(), "after_create") if with_hooks else None)

    stack.up(program)
    assert (stack.checkpoint()["version"], stack.checkpoint()["features"]) == (4, ["hooks"])
    assert stack.resources()["a"]["resourceHooks"] == {"AfterCreate": ["notes"]}
    assert stack.preview(program).changes == {"same": 2}
    with_hooks = False
    assert stack.up(program).changes == {"same": 2}
    assert stack.checkpoint()["version"] == 3
    assert "features" not in stack.checkpoint()


@pytest.mark.parametrize("on_dry_run", [False, True])
def test_a_preview_calls_only_hooks_that_ask_for_it(stack: Stack, on_dry_run: bool) -> None:
    """By default a hook is not called in a preview."""
    heard = Heard()
    result = stack.preview(
        lambda: Thing("a", {"value": "v"}, hooked(heard, "before_create", on_dry_run=on_dry_run)) and None
    )
    assert result.ok
    assert len(heard.calls) == on_dry_run


def test_a_before_hook_that_fails_prevents_the_step(stack: Stack) -> None:
    """Nothing is created, and its message is the failure."""
    result = stack.up(lambda: Thing("a", {}, hooked(Heard("not today"), "before_create")) and None)
    assert result.failures == ['before hook "notes" failed: not today']
    assert stack.things.done("create") == []


def test_an_after_hook_that_fails_fails_the_run_and_the_step_is_kept(stack: Stack) -> None:
    """What was created is in the state; the next run has nothing to do and asks no hook."""
    heard = Heard("not today")

    def program() -> None:
        Thing("a", {"value": "v"}, hooked(heard, "after_create"))

    result = stack.up(program)
    assert result.failures == ['after hook "notes" failed: not today']
    assert stack.resources()["a"]["id"] == "a-1"
    assert "pending_operations" not in stack.state()
    assert stack.up(program).ok
    assert len(heard.calls) == 1


def test_errors_that_are_to_be_ignored_are_warnings(stack: Stack) -> None:
    """The run is green and says what went wrong."""

    def program() -> None:
        Thing("a", {}, hooked(Heard("not today"), "after_create", ignore_errors=True))

    assert stack.up(program).ok
    assert messages(stack, "warning") == ['AfterCreate hook "notes" failed: not today']


def test_a_components_hooks_are_called_when_its_outputs_are_known(stack: Stack) -> None:
    """Its children are there by then, and it is told the outputs."""
    heard = Heard()

    def program() -> None:
        group = Group("group", hooked(heard, "after_create"))
        child = Thing("child", {"value": "v"}, pulumi.ResourceOptions(parent=group))
        group.register_outputs({"echo": child.echo})

    assert stack.up(program).ok
    assert [dict(args.new_outputs or {}) for args in heard.calls] == [{"echo": "echo v"}]


def test_an_error_hook_decides_whether_a_failed_create_is_tried_again(stack: Stack) -> None:
    """It hears the errors so far, newest first; when it gives up, the step fails as it would without it."""
    heard: list[list[str]] = []

    def again(args: pulumi.ErrorHookArgs) -> bool:
        heard.append(args.errors)
        return len(args.errors) < 3

    def program() -> None:
        hook = pulumi.ErrorHook("again", again)
        binding = pulumi.ResourceHookBinding(on_error=[hook])
        Thing("a", {"fail_create": True}, pulumi.ResourceOptions(hooks=binding))

    result = stack.up(program)
    assert result.failures == ["create went wrong"]
    assert heard == [["create went wrong"] * n for n in (1, 2, 3)]
    assert len(stack.things.done("create")) == 3
    assert len([m for m in messages(stack, "warning") if m.startswith("retrying create")]) == 2


def test_a_destroy_is_refused_while_delete_hooks_would_go_unheard(stack: Stack) -> None:
    """It doesn't run the program; what to do is said, and nothing is deleted."""
    stack.up(lambda: Thing("a", {}, hooked(Heard(), "before_delete")) and None)
    result = stack.destroy()
    assert len(result.failures) == 1
    assert "delete hooks registered" in result.failures[0]
    assert "remedy: destroy --run-program" in result.failures[0]
    assert stack.things.done("delete") == []


def test_a_hook_of_a_deleted_resource_must_still_be_registered(stack: Stack) -> None:
    """The program no longer declares the resource and its hook: the delete fails and says which hook is missing."""
    stack.up(lambda: Thing("a", {}, hooked(Heard(), "before_delete")) and None)
    result = stack.up(lambda: None)
    assert result.failures == ['hook "notes" was not registered']
    heard = Heard()
    assert ops(stack.up(lambda: hooked(heard) and None)) == {"a": ["delete"]}
    assert [args.id for args in heard.calls] == ["a-1"]


def test_two_hooks_of_one_name_are_refused(stack: Stack) -> None:
    """A name means one function."""

    def program() -> None:
        hooked(Heard())
        hooked(Heard())

    result = stack.up(program)
    assert 'resource hook already registered for name "notes"' in result.failures[0]
