"""Taking over is not creating, leaving is not deleting: on the terminal and in JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from backend.checkpoint import State
from backend.values import UNKNOWN_WIRE
from cli.app import build
from cli.views.diff_view import DiffView
from cli.views.display import Renderer
from cli.views.json_view import digest
from cli.views.outcomes import outcome, remarks
from engine.events import Result, Step, StepFinished
from tests.cli.test_verbs import a_state

OURS = "pulumi-python:dynamic/retrain:"


def resource(kind: str, **more: Any) -> dict[str, Any]:
    """A resource as a checkpoint has it."""
    return {"type": kind if ":" in kind else OURS + kind, "custom": True, "inputs": {}, **more}


@pytest.mark.parametrize(
    ("op", "of", "said"),
    [
        ("create", resource("StudioEndpoint"), "create"),
        ("create", resource("StudioEndpoint", inputs={"existing": "their"}), "adopt"),
        ("create", resource("StudioEndpoint", inputs={"existing": "ours", "declared": True}), "create"),
        ("create", resource("StudioWebService", inputs={"existing": "their"}), "adopt"),
        ("create-replacement", resource("StudioWebService", inputs={"existing": "their"}), "adopt"),
        ("create", resource("StudioWebService", inputs={"remark": "retraining/dev (1234)"}), "take over"),
        ("create", resource("StackClaim", inputs={"holder": "1234"}), "take over"),
        ("create", resource("StudioEndpoint", inputs={"withheld": "not yet"}), "withhold"),
        ("update", resource("StudioWebService", inputs={"remark": "retraining/dev (1234)"}), "update"),
        ("create", resource("azure-native:storage:StorageAccount"), "create"),
        ("create", resource("my:own:Thing", inputs={"existing": "yes", "remark": "mine"}), "create"),
        ("delete", resource("StudioWebService"), "delete"),
        ("delete", resource("StudioWebService", inputs={"existing": "their"}), "leave"),
        ("delete", resource("StudioEndpoint", inputs={"existing": "ours", "declared": True}), "delete"),
        ("delete", resource("StudioEndpoint", inputs={"withheld": "not yet"}), "leave"),
        ("delete", resource("StudioEndpoint", retainOnDelete=True), "leave"),
        ("delete-replaced", resource("my:own:Thing", retainOnDelete=True), "leave"),
        ("delete", resource("my:own:Thing", inputs={"existing": "yes"}), "delete"),
        *(("delete", resource(kind), "leave") for kind in ("DataVersion", "TrainedModel", "Promotion", "ModelBinding")),
        *(("delete", resource(kind), "delete") for kind in ("Lineage", "StackClaim", "azure-native:storage:Blob")),
    ],
)  # fmt: skip
def test_what_a_step_comes_to(op: str, of: dict[str, Any], said: str) -> None:
    """By the resource's own record: its inputs, its options, and whether its deletion deletes anything."""
    assert (
        outcome(op, None if op.startswith("create") else of, of if op.startswith("create") else None) == said
    )


def test_an_endpoint_is_created_when_it_is_made() -> None:
    """Not while it is withheld; as long as it is, an update is one."""
    withheld, made = resource("StudioEndpoint", inputs={"withheld": "not yet"}), resource("StudioEndpoint")
    assert outcome("update", withheld, made) == "create"
    assert outcome("update", withheld, withheld) == outcome("update", made, made) == "update"


def test_what_a_provider_does_not_tell_is_not_claimed() -> None:
    """In a run that takes over, Azure's own resources were there, or not."""
    group = resource("azure-native:resources:ResourceGroup")
    assert outcome("create", None, group, takes_over=True) == "create or take over"
    assert outcome("create", None, resource("StudioWebService"), takes_over=True) == "create"


def state(name: str, kind: str, **inputs: Any) -> State:
    kind = f"{OURS}{kind}"
    return State(urn=f"urn:pulumi:dev::p::{kind}::{name}", type=kind, inputs=inputs, custom=True)


def a_run() -> Result:
    """Something is made, something taken over, something adopted; a model and an endpoint go."""
    steps = [
        *(
            Step("create", made.urn, made.type, made.urn.rpartition("::")[2], after=made)
            for made in (
                state("new", "StudioWebService"),
                state("found", "StudioWebService", remark="retraining/dev"),
                state("their", "StudioEndpoint", existing="x"),
            )
        ),
        *(
            Step("delete", gone.urn, gone.type, gone.urn.rpartition("::")[2], before=gone)
            for gone in (state("model", "TrainedModel"), state("endpoint", "StudioEndpoint"))
        ),
    ]
    return Result(True, steps, {}, {"create": 3, "delete": 2, "same": 4}, 1.0)


def shown(verb: str = "up", **options: Any) -> list[str]:
    text, result = io.StringIO(), a_run()
    view = Renderer(Console(file=text, width=1000), verb, interactive=False, **options)
    for step in result.steps:
        view(StepFinished(step, 0.5))
    view.finish(result)
    return [" ".join(line.split()) for line in text.getvalue().splitlines()]


def test_the_terminal_says_and_counts_what_steps_came_to() -> None:
    """A line a step, and the summary."""
    lines = shown()
    for name, said in {"new": "created", "found": "taken over", "their": "adopted", "model": "left"}.items():
        assert any(line.endswith(f" {name} {said} (0.50s)") for line in lines), lines
    summary = lines[lines.index("Resources:") :]
    assert {"+ 1 created", "> 1 taken over", "> 1 adopted", "- 1 deleted", "< 1 left", "4 unchanged"} <= set(
        summary
    )


def test_what_a_refresh_finds_gone_was_not_left() -> None:
    """There a delete is what the service says."""
    lines = shown("refresh")
    assert any(line.endswith(" model deleted (0.50s)") for line in lines)
    assert "- 2 deleted" in lines


def test_the_detailed_display_keeps_pulumis_words_and_remarks_on_them() -> None:
    """`--diff` is as the CLI shows it, with a line for each word that says too much."""
    lines = shown(diff=DiffView("up", "dev"))
    assert {
        "adopted, not created: their",
        "taken over, not created: found",
        "left as it is, not deleted: model",
    } <= set(lines)


def test_json_has_pulumis_operations_and_what_they_came_to() -> None:
    """A script that reads the CLI's keys reads these; `outcome` and `outcomes` say what happened."""
    told = digest(a_run())
    assert told["changeSummary"] == {"create": 3, "delete": 2, "same": 4}
    assert told["outcomes"] == {"create": 1, "adopt": 1, "take over": 1, "delete": 1, "leave": 1, "same": 4}
    assert [(step["op"], step["outcome"]) for step in told["steps"]] == [
        ("create", "create"),
        ("create", "take over"),
        ("create", "adopt"),
        ("delete", "leave"),
        ("delete", "delete"),
    ]


def test_a_run_of_nothing_else_has_no_remark() -> None:
    """What was created and deleted is said already."""
    assert remarks([("create", "a"), ("delete", "b"), ("update", "c")]) == []


def events() -> str:
    """An update's log, as the CLI writes it: a preview before it, a step that went well, one that failed, the outcome."""
    urn = f"urn:pulumi:dev::retraining::{OURS}StudioEndpoint::their"
    adopted = {"op": "create", "urn": urn, "new": resource("StudioEndpoint", inputs={"existing": "x"})}
    why = "<{%fg 1%}>error: <{%reset%}>it went wrong\nremedy: do better\n<{%reset%}>"
    stack = "urn:pulumi:dev::retraining::pulumi:pulumi:Stack::retraining-dev"
    told = [
        {"resOutputsEvent": {"metadata": adopted | {"op": "update"}, "planning": True}},
        {"diagnosticEvent": {"urn": urn, "severity": "info#err", "message": "training"}},
        {"resOutputsEvent": {"metadata": adopted}},
        {"diagnosticEvent": {"urn": urn, "prefix": "error: ", "severity": "error", "message": why}},
        {"diagnosticEvent": {"urn": stack, "severity": "error", "message": "update failed"}},
        {"summaryEvent": {"resourceChanges": {"create": 1}}},
    ]
    return "".join(json.dumps({"sequence": number} | one) + "\n" for number, one in enumerate(told)) + '{"cut'


def test_a_failed_run_of_the_cli_ends_with_why(project_root: Path, fake_pulumi: Any) -> None:
    """Below all that the CLI shows: cause and remedy are the last lines."""
    a_state(project_root)
    fake_pulumi.set("events", events())
    fake_pulumi.set("status of up", "255")
    done = CliRunner().invoke(build(), ["up", "--yes", "--engine", "pulumi"])
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-4:] == [
        "adopted, not created: their",
        "the update failed: outputs above are those of before, unless they are shown as changed",
        "error: their: it went wrong",
        "remedy: do better",
    ]
    assert fake_pulumi.asked()[-1]["env"]["PULUMI_DEBUG_COMMANDS"] == "true"


def test_a_preview_of_the_cli_is_told_as_a_plan(project_root: Path, fake_pulumi: Any) -> None:
    """In the words of the plan, with what was said; the CLI's own display is one flag away. Where nothing changes, that is said."""
    a_state(project_root)
    urn = "urn:pulumi:dev::retraining::t:i:T::thing"
    changes = {"op": "update", "urn": urn, "new": {"custom": True, "inputs": {"value": UNKNOWN_WIRE}}}
    said = {"severity": "warning", "message": "a doubt\n", "urn": urn}
    told = [{"diagnosticEvent": said}, {"resOutputsEvent": {"metadata": changes, "planning": True}}]
    fake_pulumi.set("events", "\n".join(map(json.dumps, told)))
    done = CliRunner().invoke(build(), ["preview", "--engine", "pulumi"])
    assert done.stdout.splitlines() == [
        "Plan for dev: change 1",
        "",
        "  change: 1 (thing)",
        "  deleted: nothing",
        "",
    ]
    assert done.stderr.splitlines() == ["warning: thing: a doubt"]
    fake_pulumi.set("events", "")
    quiet = CliRunner().invoke(build(), ["preview", "--engine", "pulumi"])
    assert quiet.stdout == "Plan for dev: nothing changes\n\n"


def test_what_the_cli_says_alone_is_the_reason(project_root: Path, fake_pulumi: Any) -> None:
    """Where nothing else was said; and a run without a log ends as the CLI ended it."""
    a_state(project_root)
    fake_pulumi.set("status", "255")
    assert "error:" not in CliRunner().invoke(build(), ["refresh", "--yes", "--engine", "pulumi"]).stderr
    fake_pulumi.set(
        "events", json.dumps({"diagnosticEvent": {"severity": "error", "message": "refresh failed"}})
    )
    done = CliRunner().invoke(build(), ["refresh", "--yes", "--engine", "pulumi"])
    assert done.stderr.splitlines()[-1] == "error: refresh failed"
