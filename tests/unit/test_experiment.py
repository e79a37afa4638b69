"""Experiment packages: ports are found by their kind, and what cannot be retrained is refused."""

from __future__ import annotations

import json
import re

import pytest

from clients.errors import ExperimentInvalid
from retrain_hooks.experiments.package import load

TRAINING = {
    "name": "late",
    "nodes": {
        "data": {"input": "input1"},
        "learner": {"module": "Two-Class Boosted Decision Tree"},
        "columns": {"module": "Select Columns in Dataset", "parameters": {"Select columns": ["day", "late"]}},
        "train": {"module": "Train Model", "parameters": {"Label column": ["late"]}},
        "score": {"module": "Score Model"},
        "evaluate": {"module": "Evaluate Model"},
        "one": {"output": "output1"},
        "two": {"output": "output2"},
    },
    "edges": [
        {"from": "data", "to": "columns.Dataset"},
        {"from": "columns", "to": "train.Dataset"},
        {"from": "learner", "to": "train.Untrained model"},
        {"from": "train.Trained model", "to": "score.Trained model"},
        {"from": "columns", "to": "score.Dataset"},
        {"from": "score", "to": "evaluate.Scored dataset"},
        {"from": "evaluate.Evaluation results", "to": "one"},
        {"from": "train.Trained model", "to": "two"},
    ],
    "parameters": {
        "Random seed": {
            "type": "Int",
            "default": "0",
            "links": [{"node": "learner", "parameter": "Random number seed"}],
        }
    },
}
PREDICTIVE = {
    "name": "late",
    "nodes": {
        "in": {"input": "input1"},
        "m": {"trainedModel": "M [trained model]"},
        "score": {"module": "Score Model"},
        "out": {"output": "output1"},
    },
    "edges": [
        {"from": "in", "to": "score.Dataset"},
        {"from": "m", "to": "score.Trained model"},
        {"from": "score", "to": "out"},
    ],
}


def write(tmp_path, definition, part="training"):
    folder = tmp_path / "experiments" / "flights"
    folder.mkdir(parents=True, exist_ok=True)
    text = definition if isinstance(definition, str) else json.dumps(definition)
    (folder / f"{part}.json").write_text(text)
    return tmp_path


def test_the_model_output_is_found_by_its_kind_not_its_position(tmp_path):
    """Published examples disagree on which output is the model."""
    summary = load("flights", "training", write(tmp_path, TRAINING)).reference()
    assert (summary.model_output, summary.evaluation_output) == ("output2", "output1")


@pytest.mark.parametrize("port", ["Trained model", "Evaluation results"])
def test_an_experiment_without_a_needed_output_is_refused_with_the_way_out(tmp_path, port):
    """Without a trained-model output there is nothing to retrain."""
    edges = [edge for edge in TRAINING["edges"] if port not in edge["from"]]
    with pytest.raises(ExperimentInvalid, match=f"no web service output for its `{port}`") as caught:
        load("flights", "training", write(tmp_path, TRAINING | {"edges": edges})).reference()
    assert "connect the port" in caught.value.remedy


def test_an_unknown_experiment_names_those_that_exist(tmp_path):
    """The error says what could have been meant."""
    with pytest.raises(ExperimentInvalid, match="there is: flights"):
        load("fligths", "training", write(tmp_path, TRAINING))


@pytest.mark.parametrize("text", ["{", "[]", '{"nodes": []}', '{"nodes": {}}'])
def test_what_is_no_graph_is_refused(tmp_path, text):
    """A broken file is one line of cause."""
    with pytest.raises(ExperimentInvalid):
        load("flights", "training", write(tmp_path, text))


def test_the_layout_of_the_file_does_not_change_the_digest(tmp_path):
    """Reformatting an experiment retrains nothing."""
    first = load("flights", "training", write(tmp_path, TRAINING)).digest
    again = load(
        "flights", "training", write(tmp_path, json.dumps(TRAINING, indent=7, sort_keys=True))
    ).digest
    assert first == again


def test_a_predictive_experiment_names_its_updatable_resource(tmp_path):
    """That is the name that a PATCH must carry."""
    summary = load("flights", "predictive", write(tmp_path, PREDICTIVE, "predictive")).reference()
    assert summary.resource == "M [trained model]"


def _edge(start, end):
    return {"from": start, "to": end}


@pytest.mark.parametrize(
    ("spoil", "where", "cause"),
    [
        (lambda d: d["nodes"]["learner"].update(module="Two-Class Oracle"), '"learner"', "no module"),
        (lambda d: d["edges"].append(_edge("data", "score.Dataset")), '"score.Dataset"', "already connected"),
        (lambda d: d["edges"].insert(0, _edge("learner", "score.Dataset")), '"learner"', "cannot feed"),
        (lambda d: d["nodes"].update(three={"output": "output1"}), '"three"', 'output name "output1"'),
        (lambda d: d["edges"][0].update({"from": "score"}), '"columns"', "cycle through"),
        (
            lambda d: d["nodes"]["train"].update(parameters={"Label column": ["delay"]}),
            '"train"',
            'node "train": Train Model asks for the column "delay", which no module gives it',
        ),
    ],
)
def test_a_graph_that_cannot_run_is_refused_with_file_line_and_node_before_it_is_published(
    tmp_path, spoil, where, cause
):
    """A cycle, a port of another type, two outputs of a name, a column that nobody makes."""
    definition = json.loads(json.dumps(TRAINING))
    spoil(definition)
    root = write(tmp_path, json.dumps(definition, indent=1))
    with pytest.raises(ExperimentInvalid, match=re.escape(cause)) as caught:
        load("flights", "training", root).reference()
    place, _, line = caught.value.cause.partition(": ")[0].partition(".json:")
    assert place == "experiments/flights/training"
    text = (root / "experiments/flights/training.json").read_text().splitlines()
    assert any(where in each for each in text[int(line) - 2 : int(line) + 3])
    assert caught.value.remedy
