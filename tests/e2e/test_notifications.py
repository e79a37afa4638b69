"""Who is told of an update: the whole program, declared in the stack's file, with both engines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.checkout import Checkout, Done
from tests.receiver import Receiver, receiving

pytestmark = pytest.mark.cloud

KEYS_OF_EVENTS = {
    "trained": {
        "experiment",
        "runKey",
        "dataVersion",
        "why",
        "reused",
        "metrics",
        "address",
        "oldAddress",
        "sha256",
    },
    "judged": {
        "runKey",
        "dataVersion",
        "metrics",
        "address",
        "champion",
        "verdict",
        "rules",
        "model",
        "endpoint",
    },
    "bound": {"runKey", "address", "oldAddress", "sha256", "endpoint", "service", "serving", "probed"},
}


@dataclass
class World:
    """A checkout whose stack tells a receiver, a file, and a command that fails."""

    checkout: Checkout
    receiver: Receiver

    def told(self, *arguments: str, engine: str = "embedded") -> tuple[Done, dict[str, dict[str, Any]]]:
        """Run ``./dev`` and give what was told meanwhile, by event and resource."""
        del self.receiver.records[:]
        done = self.checkout.succeed(*arguments, "--engine", engine)
        return done, {f"{r['event']} {r['resource']['name']}": r for r in self.receiver.records}

    @property
    def state(self) -> dict[str, Any]:
        path = self.checkout.root / ".pulumi/stacks/retraining/dev.json"
        return dict(json.loads(path.read_text()))


@pytest.fixture(scope="module")
def world(checkout: Checkout) -> Iterator[World]:
    with receiving() as receiver:
        checkout.environment["TOLD"] = receiver.url
        path = checkout.root / "Pulumi.dev.yaml"
        path.write_text(
            path.read_text()
            + "  retraining:notifications:\n"
            + "    - webhookFrom: TOLD\n"
            + "    - file: told.jsonl\n      events: [bound]\n"
            + "    - command: [sh, -c, 'echo no use >&2; exit 7']\n      events: [judged]\n"
        )
        yield World(checkout, receiver)


@pytest.fixture(scope="module")
def first(world: World) -> tuple[Done, dict[str, dict[str, Any]]]:
    """The first update of an empty stack."""
    _, previewed = world.told("preview")
    assert previewed == {}
    return world.told("up", "--yes")


def test_each_model_is_told_of_when_it_is_trained_judged_and_bound(
    world: World, first: tuple[Done, dict[str, dict[str, Any]]]
) -> None:
    """Baseline and candidate share one run; a preview told nothing; the file has what it asked for."""
    _, told = first
    assert sorted(told) == [
        "bound endpoint-binding",
        "judged endpoint-promotion",
        "trained baseline",
        "trained candidate",
    ]
    for record in told.values():
        assert KEYS_OF_EVENTS[record["event"]] <= record.keys()
        assert (record["project"], record["stack"], record["version"]) == ("retraining", "dev", 1)
    trained = [told[f"trained {name}"] for name in ("baseline", "candidate")]
    assert sorted(record["reused"] for record in trained) == [False, True]
    assert {record["dataVersion"] for record in trained} == {"2013-01"}
    bound = told["bound endpoint-binding"]
    assert bound["address"] == trained[0]["address"] == told["judged endpoint-promotion"]["model"]
    assert told["judged endpoint-promotion"]["verdict"] == "passed"
    lines = (world.checkout.root / "told.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [bound]


def test_a_channel_that_fails_is_one_warning_of_a_green_update(
    world: World, first: tuple[Done, dict[str, dict[str, Any]]]
) -> None:
    """It names the channel and what it said."""
    done, _ = first
    said = [line for line in done.text.splitlines() if "the update goes on" in line]
    assert len(said) == 1
    assert "notification of judged endpoint-promotion: command sh: it ended with status 7: no use" in said[0]


def test_neither_state_nor_output_holds_an_address(
    world: World, first: tuple[Done, dict[str, dict[str, Any]]]
) -> None:
    """The webhook's address comes from the environment and stays there; the state says that there are hooks."""
    done, _ = first
    assert "secret-path" not in json.dumps(world.state) + done.text
    assert (world.state["version"], world.state["features"]) == (4, ["hooks"])


@pytest.mark.cli
@pytest.mark.skipif(shutil.which("pulumi") is None, reason="no Pulumi CLI on PATH")
def test_the_real_engine_tells_the_same_and_finds_nothing_to_do(world: World, first: object) -> None:
    """The stack goes back and forth: no changes on either side, and the same records but for their times."""
    world.told("preview", "--expect-no-changes", engine="pulumi")
    _, there = world.told("up", "--yes", "-c", "dataVersion=2013-02", engine="pulumi")
    assert sorted(there) == ["bound endpoint-binding", "judged endpoint-promotion", "trained candidate"]
    assert there["trained candidate"]["reused"] is False
    world.told("preview", "--expect-no-changes", "-c", "dataVersion=2013-02")
    world.told("up", "--yes", "-c", "dataVersion=2013-01")
    _, here = world.told("up", "--yes", "-c", "dataVersion=2013-02")
    assert sorted(here) == sorted(there)
    changing = {"time", "reused", "why", "text", "champion", "rules"}
    for name in ("trained candidate", "bound endpoint-binding"):
        assert {k: v for k, v in here[name].items() if k not in changing} == {
            k: v for k, v in there[name].items() if k not in changing
        }
    done = world.checkout.dev(
        "up", "--yes", "--engine", "pulumi", "-c", "dataVersion=2013-05", "-c", "maxJobs=0"
    )
    assert done.status == 1
    assert world.receiver.records[-1]["error"].startswith("this update would start more than 0 training jobs")


def test_a_step_that_fails_is_told_with_its_reason(world: World, first: object) -> None:
    """The training service takes no more jobs: the update is red, and its record says what failed and why."""
    del world.receiver.records[:]
    done = world.checkout.dev(
        "up", "--yes", "--engine", "embedded", "-c", "dataVersion=2013-04", "-c", "maxJobs=0"
    )
    assert done.status == 1
    [record] = world.receiver.records
    assert (record["event"], record["during"], record["dataVersion"]) == ("failed", "trained", "2013-04")
    assert record["error"].startswith("this update would start more than 0 training jobs")
