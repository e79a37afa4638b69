"""Notifications in a program: three lines, told after the step, never in a preview, never the reason of a failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

import components as ml
from components.notifications import notified, notify_from_config
from engine.events import Diagnostic
from retrain_hooks.notifications.channels import Channel
from tests.engine.conftest import Stack, Thing

INPUTS = {"address": "models/flights/x/1.ilearner", "endpointName": "retrained", "runKey": "c8e7042df3d8"}


def bound(**more: Any) -> None:
    """Declare what stands for a binding."""
    Thing("binding", INPUTS | more, notified("bound", None))


def records(stack: Stack) -> list[dict[str, Any]]:
    """What was told."""
    path = stack.root / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def warnings(stack: Stack) -> list[str]:
    """The warnings of the last run."""
    return [e.message for e in stack.events if isinstance(e, Diagnostic) and e.severity == "warning"]


class Unreliable(Channel):
    """Raises whatever it is given."""

    def __init__(self, error: BaseException) -> None:
        object.__setattr__(self, "error", error)

    def send(self, record: Any, root: Path) -> None:
        raise self.error

    def __str__(self) -> str:
        return "unreliable"


def test_a_line_in_the_program_is_all_it_takes(stack: Stack) -> None:
    """A preview tells nobody; an update tells once, old and new; one without changes tells nothing."""
    address = "m1"

    def program() -> None:
        ml.notify(ml.JsonLines("told.jsonl"))
        bound(address=address)

    assert stack.preview(program).ok
    assert records(stack) == []
    assert stack.up(program).ok
    address = "m2"
    assert stack.preview(program).ok
    assert stack.up(program).ok
    assert stack.up(program).changes == {"same": 2}
    told = [
        (r["version"], r["event"], r["project"], r["stack"], r["oldAddress"], r["address"])
        for r in records(stack)
    ]
    assert told == [(1, "bound", "demo", "dev", None, "m1"), (1, "bound", "demo", "dev", "m1", "m2")]
    assert records(stack)[0]["resource"]["urn"] == stack.resources()["binding"]["urn"]
    assert warnings(stack) == []


def test_the_state_names_hooks_and_no_address(stack: Stack) -> None:
    """Who is told may change without a change of the stack; without anybody the state is as it was before."""
    channels: list[Channel] = [ml.Webhook("https://x.example/secret-path", events=["judged"])]

    def program() -> None:
        ml.notify(*channels)
        bound()

    stack.up(program)
    assert stack.checkpoint()["version"] == 3
    channels.append(ml.JsonLines("told.jsonl"))
    assert stack.up(program).changes == {"same": 2}
    assert stack.checkpoint()["version"] == 4
    assert stack.resources()["binding"]["resourceHooks"] == {
        "AfterCreate": ["notify-bound"],
        "AfterUpdate": ["notify-bound"],
        "OnError": ["notify-bound-failed"],
    }
    assert "secret-path" not in json.dumps(stack.checkpoint())
    assert stack.destroy().ok


@pytest.mark.parametrize("error", [ValueError("secret-path"), SystemExit(3)], ids=["exception", "exit"])
def test_a_notification_that_fails_is_one_line_and_the_update_goes_on(
    stack: Stack, error: BaseException
) -> None:
    """The state has the new value, the run is green, and others are told."""

    def program() -> None:
        ml.notify(Unreliable(error), ml.JsonLines("told.jsonl"))
        bound()

    result = stack.up(program)
    assert result.ok, result.failures
    assert "binding" in stack.resources()
    assert len(records(stack)) == 1
    assert warnings(stack) == [
        f"notification of bound binding: unreliable: {type(error).__name__}; the update goes on"
    ]


def test_a_step_that_fails_is_told_and_fails_as_it_would_without(stack: Stack) -> None:
    """The reason is in the record, and the step isn't tried again."""

    def program() -> None:
        ml.notify(Unreliable(ValueError()), ml.JsonLines("told.jsonl"))
        bound(fail_create=True)

    assert stack.up(program).failures == ["create went wrong"]
    assert len(stack.things.done("create")) == 1
    [record] = records(stack)
    assert (record["event"], record["during"], record["error"]) == ("failed", "bound", "create went wrong")


def test_secrets_are_left_out(stack: Stack) -> None:
    """Of inputs and outputs alike."""

    def program() -> None:
        ml.notify(ml.JsonLines("told.jsonl"))
        bound(sha256=pulumi.Output.secret("hush"))

    assert stack.up(program).ok
    assert records(stack)[0]["sha256"] is None
    assert "hush" not in (stack.root / "told.jsonl").read_text()


def test_configuration_declares_them_without_touching_the_program(stack: Stack) -> None:
    """An entry that is none fails the run with its remedy and no traceback."""
    stack.config["notifications"] = '[{"file": "told.jsonl", "events": ["bound"]}]'

    def program() -> None:
        notify_from_config(pulumi.Config())
        bound()

    assert stack.up(program).ok
    assert [r["event"] for r in records(stack)] == ["bound"]
    stack.config["notifications"] = '[{"file": "told.jsonl", "event": "bound"}]'
    [failure] = stack.preview(program).failures
    assert failure.startswith("an entry of `notifications` knows no event\nremedy: ")
    stack.config["notifications"] = "[]"
    assert stack.up(program).ok
    assert stack.checkpoint()["version"] == 3


def test_a_call_after_the_first_model_is_refused(stack: Stack) -> None:
    """It would tell nobody of it."""

    def program() -> None:
        bound()
        ml.notify(ml.JsonLines("told.jsonl"))

    [failure] = stack.up(program).failures
    assert "call it before the first TrainedModel and Endpoint" in failure
