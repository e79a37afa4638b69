"""The run key of FORMAT 2 is frozen: each of its features once, with the key that it has on every machine for ever.

A red test here means that a release would train again every model that there is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clients.errors import ConfigurationError, ExperimentInvalid
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.training.inputs import TrainedModelInputs
from retrain_hooks.training.lifecycle import TrainedModelLifecycle
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard

DEFINITION: dict[str, Any] = {
    "name": "late",
    "description": "Says whether a flight is late.",
    "nodes": {
        "data": {"input": "input1"},
        "split": {
            "module": "Split Data",
            "parameters": {"Fraction of rows in the first output dataset": 0.7, "Random seed": 0},
        },
        "learner": {
            "module": "Two-Class Boosted Decision Tree",
            "parameters": {"Learning rate": 0.1, "Number of trees constructed": 20},
        },
        "train": {"module": "Train Model", "parameters": {"Label column": ["late"]}},
        "score": {"module": "Score Model"},
        "evaluate": {"module": "Evaluate Model"},
        "model": {"output": "output1"},
        "evaluation": {"output": "output2"},
    },
    "edges": [
        {"from": "data", "to": "split.Dataset"},
        {"from": "learner", "to": "train.Untrained model"},
        {"from": "split.Results dataset1", "to": "train.Dataset"},
        {"from": "train.Trained model", "to": "score.Trained model"},
        {"from": "split.Results dataset2", "to": "score.Dataset"},
        {"from": "score.Scored dataset", "to": "evaluate.Scored dataset"},
        {"from": "train.Trained model", "to": "model"},
        {"from": "evaluate.Evaluation results", "to": "evaluation"},
    ],
    "parameters": {
        "Learning rate": {
            "type": "Float",
            "default": "0.1",
            "links": [{"node": "learner", "parameter": "Learning rate"}],
        },
        "Random seed": {
            "type": "Int",
            "default": "0",
            "links": [{"node": "split", "parameter": "Random seed"}],
        },
    },
}
SUMMARY = {
    "name": "late",
    "digest": "e" * 64,
    "input": "input1",
    "modelOutput": "output1",
    "evaluationOutput": "output2",
    "parameters": ["Learning rate", "Random seed"],
}
DATA = {"container": "data", "version": "v1", "digest": "2-" + "d" * 64, "blobs": ["late/v1.csv"]}
PROPS = {
    "target": "local",
    "experiment": SUMMARY,
    "source": "late",
    "service": {"id": "s", "workspace": {"resource": "/w", "id": "w"}},
    "data": DATA,
}
KEY = "a7a828d6cedd1af03f12e8b326854cbc7bad6da86b68c3676cd8e0be3190958e"

Check = Callable[..., dict[str, Any]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """What a preview says of a changed program, with an experiment's definition of its own where one is given."""
    registry, data = MemoryContainer(), MemoryContainer("data")
    data.put("late/v1.csv", b"late,delayed,day\n0,0,1\n1,1,2\n")
    context = Context(Listener(), OpenGuard())
    monkeypatch.setattr(context, "registry", lambda _target: registry)
    monkeypatch.setattr(context, "data", lambda _target, _name=None: data)
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "experiments/late/training.json"
    package.parent.mkdir(parents=True)

    def checked(definition: Any = DEFINITION, **change: Any) -> dict[str, Any]:
        package.write_text(json.dumps(definition))
        return TrainedModelLifecycle(context).check(PROPS | change, {})

    return checked


def edited(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The definition, changed."""
    definition: dict[str, Any] = json.loads(json.dumps(DEFINITION))
    change(definition)
    return definition


def reordered(definition: dict[str, Any]) -> None:
    definition["nodes"] = dict(reversed(definition["nodes"].items()))
    definition["edges"].reverse()


def renamed(definition: dict[str, Any]) -> None:
    text = json.dumps(definition).replace('"split', '"parts')
    definition.clear()
    definition |= json.loads(text)


def unconnected(definition: dict[str, Any]) -> None:
    definition["nodes"]["other"] = {"module": "Two-Class Logistic Regression"}


def test_the_key_of_this_program_is_this_one(check):
    """For ever."""
    assert check()["runKey"] == KEY


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(description="Says it better."),
        lambda found: found.update(name="late-training"),
        reordered,
        renamed,
        unconnected,
        lambda found: found["nodes"]["learner"]["parameters"].update(
            {"Maximum number of leaves per tree": 20}
        ),
        lambda found: found["nodes"]["learner"]["parameters"].update({"Number of trees constructed": "20"}),
        lambda found: found["nodes"]["learner"]["parameters"].update({"Learning rate": 0.3}),
        lambda found: found["parameters"]["Learning rate"].update(default="0.10"),
        lambda found: found["parameters"]["Learning rate"].update(description="How fast it learns"),
    ],
    ids=[
        "description",
        "name",
        "order of nodes and edges",
        "name of a node",
        "a node that leads to no output",
        "a default written out",
        "a number as text",
        "a parameter that a web-service parameter sets",
        "another spelling of a default",
        "a parameter's description",
    ],
)
def test_what_cannot_change_the_model_does_not_change_the_key(check, change):
    """Texts, names, order and layout, and defaults that are written out."""
    assert check(edited(change))["runKey"] == KEY


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"Learning rate": "0.1"}},
        {"parameters": {"Learning rate": 0.1}},
        {"parameters": {"Learning rate": "1e-1", "Random seed": 0}},
        {"seed": 0.0},
        {"force": ""},
        {"experiment": SUMMARY | {"digest": "c" * 64, "name": "late"}},
        {"service": {"id": "another", "workspace": {"resource": "/x"}}},
        {"data": DATA | {"version": "latest", "container": "elsewhere"}},
        {"deadlineMinutes": 5, "maxJobs": 1, "cancelJobs": True, "ratePerHour": "2.5"},
    ],
    ids=str,
)
def test_what_is_asked_for_in_other_words_has_the_same_key(check, change):
    """A default that is given, another spelling, another service, another name of the same data."""
    assert check(**change)["runKey"] == KEY


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (
            {"data": DATA | {"digest": "2-" + "f" * 64}},
            "86e79226c394edcddd64145a22d342f56dc323dad649f8faa491ae29ebfab149",
        ),
        (
            {"parameters": {"Learning rate": "0.2"}},
            "06ae62adc9681909ff522c3afaaefc66c2b5923703a857701c28d56d393f83d6",
        ),
        ({"seed": 7}, "8951cf1c7c0f281ae6a4093b1bec34d7df756d531f9ec6e6512389f116035f07"),
        (
            {"parameters": {"Random seed": "7"}},
            "8951cf1c7c0f281ae6a4093b1bec34d7df756d531f9ec6e6512389f116035f07",
        ),
        ({"force": "again"}, "2b73562a312cd5efc71e7fa84fb4f66e1492799f376e23b766c7c66448721da9"),
        ({"source": None}, "2ac1f18c4c93f53d1d2244992757424f4873ae6da9f1026efe376e616e7a1a1f"),
        (
            {"source": None, "parameters": {"Learning rate": 0.2}},
            "863a5c59c39c636abc796ceb389df9f2e3c287417575aa5a4a3e94bed041e6d5",
        ),
        (
            edited(
                lambda found: found["nodes"]["learner"]["parameters"].update(
                    {"Number of trees constructed": 21}
                )
            ),
            "8c395b89ca5b447deeef07296678b693aa21ee7a9f101e582f54e9423d003d92",
        ),
        (
            edited(lambda found: found["nodes"]["train"]["parameters"].update({"Label column": ["delayed"]})),
            "bda51b02ec61f197b0f6860ee59c64ce715bea59831b036e21481dec877a4bed",
        ),
    ],
    ids=[
        "data",
        "parameter",
        "seed",
        "seed as a parameter",
        "force",
        "a service that was there before",
        "its parameters",
        "trees",
        "label",
    ],
)
def test_each_of_these_has_a_key_of_its_own(check, change, key):
    """And what the seed is given as makes no difference."""
    found = check(change) if "nodes" in change else check(**change)
    assert found["runKey"] == key != KEY
    assert found["address"] == f"models/late/{key}/1.ilearner"


@pytest.mark.parametrize(
    ("parameters", "cause"),
    [
        ({"Learning rate": 7}, "Learning rate: "),
        ({"Learning rate": "fast"}, "Learning rate: "),
        ({"Learnig rate": 0.2}, "Learnig rate: "),
        ({"Random seed": 1.5}, "Random seed: "),
    ],
)
def test_a_parameter_out_of_its_range_is_refused_by_the_preview(check, parameters, cause):
    """With the name, and what may be written instead."""
    with pytest.raises(ConfigurationError) as caught:
        check(parameters=parameters)
    assert caught.value.cause.startswith(cause)
    assert caught.value.remedy


def test_a_graph_that_cannot_be_trained_is_refused_by_the_preview(check):
    """The line names the file."""
    with pytest.raises(ExperimentInvalid, match=r"experiments/late/training\.json: "):
        check(edited(lambda found: found["edges"].pop(0)))


def test_the_job_is_given_what_the_key_covers(check):
    """Defaults filled in, so that a default that somebody changes at the service changes nothing."""
    from retrain_hooks.training.identity import covered, sent

    check()
    wanted = TrainedModelInputs.parse(PROPS | {"seed": 7, "parameters": {"Learning rate": 0.2}})
    assert sent(wanted, covered(wanted, "d")) == {"Learning rate": "0.2", "Random seed": "7"}
