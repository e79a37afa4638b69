"""Failures, locks and interruptions: nothing is lost, and what went wrong is said once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

import engine
from engine import StackError
from engine.deployment import Deployment
from engine.events import Diagnostic, StepFailed, StepStarted
from engine.providers.messages import provider_message
from tests.engine.conftest import Stack, Thing, ops

Options = pulumi.ResourceOptions


def test_a_failure_stops_the_run_and_the_next_goes_on_from_there(stack: Stack) -> None:
    """No step starts after it, what is under way ends and is kept, and no outputs are claimed."""
    broken = True
    stack.things.gate["slow"], stack.things.entered["slow"] = threading.Event(), threading.Event()

    def failed(event: object) -> None:
        if isinstance(event, StepFailed):
            stack.things.gate["slow"].set()

    def program() -> None:
        slow = Thing("slow", {"value": "v"})
        Thing("later", {"value": slow.echo})
        bad = Thing("bad", {"value": "v", "fail_create": broken, "fail_after": "slow"})
        Thing("dependent", {"value": bad.echo})
        pulumi.export("slow", slow.echo)
        pulumi.export("bad", bad.echo)

    result = stack.up(program, on_event=failed)
    assert result.failures == ["create went wrong"]
    assert set(stack.resources()) == {"demo-dev", "default", "slow"}
    assert "outputs" not in stack.resources()["demo-dev"]
    broken = False
    again = stack.up(program)
    assert again.ok, again.failures
    assert ops(again) == {"bad": ["create"], "dependent": ["create"], "later": ["create"]}


def test_a_run_may_go_on_after_a_failure(stack: Stack) -> None:
    """With `continue_on_error` what depends on what failed isn't tried, and all else is done."""

    def program() -> None:
        bad = Thing("bad", {"value": "v", "fail_create": True})
        Thing("dependent", {"value": bad.echo})
        other = Thing("other", {"value": "v"})
        Thing("later", {"value": other.echo})

    result = stack.up(program, continue_on_error=True)
    assert result.failures == ["create went wrong"]
    assert [e.step.name for e in stack.events if isinstance(e, StepFailed)] == ["bad"]
    assert set(stack.resources()) == {"demo-dev", "default", "other", "later"}


def test_a_failed_update_keeps_the_old_state_and_deletes_nothing(stack: Stack) -> None:
    """After a failure nothing that the program no longer has is deleted."""
    first = True

    def program() -> None:
        Thing("a", {"value": "v", "fail_update": not first})
        if first:
            Thing("b", {"value": "v"})

    stack.up(program)
    first = False
    assert not stack.up(program).ok
    assert stack.things.done("delete") == []
    assert "fail_update" not in {k for k, v in stack.resources()["a"]["inputs"].items() if v}


def test_a_check_failure_names_the_resource_and_the_reason(stack: Stack) -> None:
    """The provider's reason reaches the user in the CLI's words; nothing is created."""
    result = stack.up(lambda: Thing("a", {"bad": "this"}) and None)
    assert result.failures == [
        "things:index:Thing resource 'a': property bad value this has a problem: this isn't good"
    ]
    assert stack.things.done("create") == []


def test_a_protected_resource_is_not_deleted(stack: Stack) -> None:
    """Destroy refuses it, deletes the others, and says how to go on."""

    def program() -> None:
        Thing("kept", {"value": "v"}, Options(protect=True))
        Thing("other", {"value": "v"})

    stack.up(program)
    result = stack.destroy()
    assert len(result.failures) == 1
    assert "because it is protected" in result.failures[0]
    assert set(stack.resources()) == {"demo-dev", "default", "kept"}


def test_a_replacement_of_what_is_protected_is_refused_by_the_preview(stack: Stack) -> None:
    """Also where only the update will know the input that forces it; nothing is asked of the provider for it."""

    def program(value: str) -> Callable[[], None]:
        def declare() -> None:
            below = Thing("below", {"fixed": value})
            Thing("kept", {"fixed_by": below.echo}, Options(protect=True))

        return declare

    assert stack.up(program("a")).ok
    before = stack.checkpoint()
    result = stack.preview(program("b"))
    assert not result.ok
    assert "unable to replace resource" in result.failures[0]
    assert "::kept" in result.failures[0]
    assert stack.checkpoint() == before


def test_a_delete_that_fails_keeps_what_it_rests_on(stack: Stack) -> None:
    """What a resource depends on isn't deleted while the resource is still there, even where the run goes on."""

    def program() -> None:
        base = Thing("base", {"value": "v"})
        Thing("stuck", {"value": base.echo, "fail_delete": True})
        Thing("free", {"value": "v"})

    stack.up(program)
    assert stack.destroy(continue_on_error=True).failures == ["delete went wrong"]
    assert set(stack.resources()) == {"demo-dev", "default", "base", "stuck"}


def test_a_program_that_raises_is_reported_without_the_engines_frames(stack: Stack) -> None:
    """What was registered before is kept; the exception is one diagnostic."""

    def program() -> None:
        Thing("a", {"value": "v"})
        raise ValueError("no such thing")

    result = stack.up(program)
    assert len(result.failures) == 1
    assert "ValueError: no such thing" in result.failures[0]


def test_a_held_lock_names_its_holder_and_a_dead_ones_is_freed(stack: Stack) -> None:
    """A live process on this host, or any on another, is an error; a dead one's lock goes with a warning."""
    folder = stack.root / ".pulumi/locks/organization/demo/dev"
    folder.mkdir(parents=True)

    def lock(pid: int, host: str) -> Path:
        path = folder / f"{pid}.json"
        content = {
            "pid": pid,
            "username": "ann",
            "hostname": host,
            "timestamp": "2199-01-01T10:00:00.123456789+01:00",
        }
        path.write_text(json.dumps(content))
        return path

    def program() -> None:
        Thing("a", {"value": "v"})

    path = lock(os.getpid(), socket.gethostname())
    with pytest.raises(StackError) as held:
        stack.up(program)
    assert f"ann@{socket.gethostname()} (process {os.getpid()})" in held.value.cause
    assert "2199-01-01" in held.value.cause
    assert "./dev cancel" in held.value.remedy
    assert stack.preview(program).ok  # a preview needs no lock
    path.unlink()
    path = lock(1, "elsewhere")
    with pytest.raises(StackError):
        stack.up(program)
    assert "elsewhere" in engine.cancel(stack.ws)
    over = subprocess.Popen([sys.executable, "-c", ""])
    over.wait()
    lock(over.pid, socket.gethostname())
    assert stack.up(program).ok
    assert any(isinstance(e, Diagnostic) and "is dead" in e.message for e in stack.events)
    assert not list(folder.iterdir())


def test_a_second_ctrl_c_leaves_what_is_under_way_on_record(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No step starts, running calls are given up, the state names the create until that is cleared."""
    stack.things.gate["slow"] = threading.Event()
    stack.things.entered["slow"] = threading.Event()

    def program() -> None:
        done = Thing("done", {"value": "v"})
        Thing("slow", {"value": done.echo})

    def wait(self: Deployment, *_: object) -> None:
        assert stack.things.entered["slow"].wait(20)
        self.run.signals.count = 2
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Deployment, "_wait_for", wait)
        result = stack.up(program)
    stack.things.gate["slow"].set()
    assert result.failures == ["cancelled; what had finished is kept, and the next run goes on from there"]
    pending = stack.state()["pending_operations"]
    assert [(p["type"], p["resource"]["urn"].rsplit("::", 1)[-1]) for p in pending] == [("creating", "slow")]
    assert not list((stack.root / ".pulumi/locks/organization/demo/dev").iterdir())
    again = stack.up(program)
    assert again.ok
    assert any(isinstance(e, Diagnostic) and "interrupted while creating" in e.message for e in stack.events)
    assert len(stack.state()["pending_operations"]) == 1
    assert stack.refresh(clear_pending_creates=True).ok
    assert "pending_operations" not in stack.state()


def test_a_wrong_passphrase_is_an_error_with_a_remedy(stack: Stack) -> None:
    """It is found out before anything is changed."""
    stack.up(lambda: Thing("a", {"value": pulumi.Output.secret("x")}) and None)
    stack.passphrase = "wrong"
    result = stack.up(lambda: Thing("a", {"value": pulumi.Output.secret("y")}) and None)
    assert any("incorrect passphrase" in f for f in result.failures)
    assert stack.things.done("update") == []


def test_a_package_without_a_provider_is_refused_by_name(stack: Stack) -> None:
    """The message says how to attach one."""

    def program() -> None:
        pulumi.CustomResource("other:index:Thing", "a", {})

    result = stack.preview(program)
    assert any("no provider for package 'other'" in f for f in result.failures)


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        ("our.errors.NoData: no such data\nremedy: use 2013-01\n", "no such data\nremedy: use 2013-01"),
        (
            'Traceback (most recent call last):\n  File "x", line 1, in f\n    g()\nValueError: plain\n',
            "ValueError: plain",
        ),
        (
            'Traceback (most recent call last):\n  File "x"\nKeyError: 1\n\nDuring handling of the above exception, '
            'another exception occurred:\n\nTraceback (most recent call last):\n  File "y"\nour.Err: cause\nremedy: r\n',
            "cause\nremedy: r",
        ),
        ("not an exception: at all", "not an exception: at all"),
    ],
)
def test_a_providers_traceback_is_cut_to_its_message(details: str, shown: str) -> None:
    """Cause and remedy stay, frames go; another exception keeps its type."""
    assert provider_message(details) == shown


def test_started_steps_end(stack: Stack) -> None:
    """Each step that starts also finishes or fails."""

    def program() -> None:
        Thing("a", {"value": "v"})
        Thing("b", {"fail_create": True})

    stack.up(program)
    started = [(e.step.urn, e.step.op) for e in stack.events if isinstance(e, StepStarted)]
    ended = [
        (e.step.urn, e.step.op) for e in stack.events if hasattr(e, "step") and not isinstance(e, StepStarted)
    ]
    assert sorted(started) == sorted(ended)


@pytest.mark.parametrize(
    ("member", "value"),
    [("deletedWith", "urn:pulumi:dev::demo::things:index:Thing::a"), ("taint", True), ("viewOf", "urn:x")],
)
@pytest.mark.parametrize("verb", ["preview", "up", "refresh", "destroy"])
def test_a_state_that_says_what_this_engine_would_not_go_by_is_refused(
    stack: Stack, verb: str, member: str, value: object
) -> None:
    """A stack of the CLI may ask for more than the program does: that a resource is gone with another, for one."""
    stack.up(lambda: Thing("a", {"value": "v"}) and None)
    checkpoint = stack.checkpoint()
    checkpoint["checkpoint"]["latest"]["resources"][-1][member] = value
    file = stack.root / ".pulumi/stacks/demo/dev.json"
    file.write_text(json.dumps(checkpoint))
    with pytest.raises(StackError, match=f"has {member} for .*::a: not implemented by the embedded engine"):
        getattr(stack, verb)(*([lambda: None] if verb in ("preview", "up") else []))
    assert stack.things.calls == []
    assert json.loads(file.read_text()) == checkpoint


def test_without_a_passphrase_nothing_begins(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with the CLI: what is made may have secrets, and then the state could not be written. A preview writes none."""
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    stack.passphrase = None
    assert stack.preview(lambda: Thing("a", {"value": "v"}) and None).ok
    with pytest.raises(StackError, match="there is no passphrase for the stack's secrets"):
        stack.up(lambda: Thing("a", {"value": "v"}) and None)
    assert stack.things.calls == []


@pytest.mark.parametrize("before", ["nothing", "a resource"])
def test_with_a_wrong_passphrase_nothing_is_made_that_could_not_be_kept(stack: Stack, before: str) -> None:
    """Not even where the first secret is in what a provider answers."""
    stack.up(lambda: pulumi.export("secret", pulumi.Output.secret("s")))
    if before == "a resource":
        stack.up(lambda: Thing("b", {"value": "v"}) and None)
    there = stack.resources()
    stack.passphrase = "another"
    result = stack.up(
        lambda: Thing("a", {"value": "v"}, Options(additional_secret_outputs=["echo"])) and None,
        continue_on_error=True,
    )
    assert not result.ok
    assert "incorrect passphrase" in "\n".join(result.failures)
    assert stack.things.done("create", "delete") == []
    assert stack.resources().keys() == there.keys()
    assert "pending_operations" not in stack.state()
    stack.passphrase = "correct horse"
    assert stack.up(lambda: Thing("a", {"value": "v"}) and None).ok
