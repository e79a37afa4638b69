"""What is learnt from the data of a training travels in the model, and is done to the rows that it scores."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graph import GraphError, InvalidModel, Scorer, model_schema, parse_experiment, run
from graph.models.ilearner import TrainedModel
from graph.steps import Step

RNG = np.random.default_rng(3)
FRAME = pd.DataFrame({"a": RNG.normal(50, 20, 200), "b": RNG.integers(0, 9, 200), "id": range(200)})
FRAME["y"] = 3 * FRAME["a"] - FRAME["b"] + 1.0
LATER = FRAME.assign(a=FRAME["a"] * 4 - 100)


def chain(*modules: tuple[str, dict[str, Any], str], learner: str = "Linear Regression") -> dict[str, Any]:
    """Input → modules (with the port that goes on) → Train Model."""
    nodes: dict[str, Any] = {
        "data": {"input": "input1"},
        "learner": {"module": learner},
        "train": {"module": "Train Model", "parameters": {"Label column": ["y"]}},
        "model": {"output": "output1"},
    }
    edges, before = [], "data"
    for at, (module, parameters, port) in enumerate(modules):
        nodes[f"step{at}"] = {"module": module, "parameters": parameters}
        edges.append({"from": before, "to": f"step{at}.Dataset"})
        before = f"step{at}.{port}"
    edges += [
        {"from": before, "to": "train.Dataset"},
        {"from": "learner", "to": "train.Untrained model"},
        {"from": "train", "to": "model"},
    ]
    return {"name": "chain", "nodes": nodes, "edges": edges}


def predictive(*numbers: int, also: dict[str, Any] | None = None) -> dict[str, Any]:
    """Input → Apply Transformation for each number → Score Model, all from one trained model."""
    nodes: dict[str, Any] = {
        "data": {"input": "input1"},
        "model": {"trainedModel": "M"},
        "score": {"module": "Score Model"},
        "out": {"output": "output1"},
    }
    edges, before = [], "data"
    for number in numbers:
        name = f"apply{number}"
        nodes[name] = {"module": "Apply Transformation", "parameters": {"Fitted step": number}}
        edges += [
            {"from": before, "to": f"{name}.Dataset"},
            {"from": "model", "to": f"{name}.Transformation"},
        ]
        before = name
    edges += [
        {"from": before, "to": "score.Dataset"},
        {"from": "model", "to": "score.Trained model"},
        {"from": "score", "to": "out"},
    ]
    return {"name": "predictive", "nodes": nodes, "edges": edges}


NORMALIZE = ("Normalize Data", {"Columns to transform": ["a", "b"]}, "Transformed dataset")


def trained(package: dict[str, Any], frame: pd.DataFrame = FRAME) -> bytes:
    model = run(parse_experiment(package), {"input1": frame})["output1"]
    assert isinstance(model, bytes)
    return model


def scored(model: bytes, package: dict[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    result = run(parse_experiment(package), {"input1": frame}, resources={"M": model})["output1"]
    assert isinstance(result, pd.DataFrame)
    return result


def test_a_retrained_model_brings_its_own_transformation() -> None:
    """The same predictive graph with two models: each scales rows as its own training data was scaled."""
    for frame in (FRAME, LATER):
        frame = frame.assign(y=3 * frame["a"] - frame["b"] + 1.0)
        model = trained(chain(NORMALIZE), frame)
        (step,) = TrainedModel.from_bytes(model).steps
        assert step.values["columns"]["a"]["shift"] == pytest.approx(frame["a"].mean())
        answer = scored(model, predictive(0), frame.drop(columns=["y"]))
        assert answer["Scored Labels"].tolist() == pytest.approx(frame["y"].tolist(), rel=0.01, abs=0.1)


def test_bytes_come_back() -> None:
    """An .ilearner with steps is read as it was written."""
    model = trained(chain(NORMALIZE))
    assert TrainedModel.from_bytes(model).to_bytes() == model
    assert trained(chain(NORMALIZE)) == model


def test_a_model_without_steps_says_nothing_of_them() -> None:
    """Its manifest is that of before."""
    assert b'"steps"' not in trained(chain())
    assert b'"steps"' in trained(chain(NORMALIZE))


def test_a_row_alone_is_the_row_in_a_table() -> None:
    """To the last bit, also by request."""
    model = trained(chain(NORMALIZE))
    rows = FRAME.drop(columns=["y"])
    table = scored(model, predictive(0), rows)["Scored Labels"].tolist()
    scorer = Scorer(parse_experiment(predictive(0)), {"M": model})
    for at in (0, 7, 199):
        one = scorer.score({"input1": rows.iloc[[at]].astype(object)})["output1"]
        assert one["Scored Labels"].tolist() == [table[at]]


def test_a_request_has_the_columns_as_they_were_before_the_steps() -> None:
    """Types and example are those of the data that was fitted to, not of what was made of it."""
    scorer = Scorer(parse_experiment(predictive(0)), {"M": trained(chain(NORMALIZE))})
    assert scorer.input_schema == [("a", "Double"), ("b", "Int32"), ("id", "Int32")]
    assert scorer.example["b"] == FRAME["b"][0]
    assert model_schema(trained(chain(NORMALIZE))) == model_schema(trained(chain()))


def test_steps_are_applied_by_their_numbers() -> None:
    """Between two fitted steps a plain one can be done; a number beyond the last is refused."""
    minmax = (
        "Normalize Data",
        {"Transformation method": "MinMax", "Columns to transform": ["a"]},
        "Transformed dataset",
    )
    model = trained(chain(NORMALIZE, minmax))
    both = scored(model, predictive(1, 2), FRAME)
    pd.testing.assert_frame_equal(both, scored(model, predictive(0), FRAME))
    assert both["a"].min() == 0
    assert both["a"].max() == 1
    with pytest.raises(Exception, match=r"2 fitted steps; there is no number 3"):
        scored(model, predictive(3), FRAME)


def test_what_was_split_after_it_was_fitted_carries_it_and_another_branch_does_not() -> None:
    """A dataset has the steps of its own way through the graph."""
    split = ("Split Data", {"Random seed": 1}, "Results dataset1")
    assert [s.module for s in TrainedModel.from_bytes(trained(chain(NORMALIZE, split))).steps] == [
        "Normalize Data"
    ]
    package = chain(NORMALIZE)
    package["edges"] = [e for e in package["edges"] if e["to"] != "train.Dataset"] + [
        {"from": "data", "to": "train.Dataset"}
    ]
    assert TrainedModel.from_bytes(trained(package)).steps == ()


def damaged(change: Any) -> bytes:
    import io
    import zipfile

    model = TrainedModel.from_bytes(trained(chain(NORMALIZE)))
    (step,) = model.steps
    data = json.loads(json.dumps(step.data()))
    change(data)
    old = zipfile.ZipFile(io.BytesIO(model.to_bytes()))
    manifest = json.loads(old.read("manifest.json"))
    manifest["steps"] = [data]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        new.writestr("manifest.json", json.dumps(manifest))
        new.writestr("model.onnx", old.read("model.onnx"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(module="Nobody's Module"),
        lambda d: d.update(module="Score Model"),
        lambda d: d.update(module=7),
        lambda d: d.pop("asks"),
        lambda d: d.update(more=1),
        lambda d: d["asks"].append(d["asks"][0]),
        lambda d: d["asks"][0].update(type="Object"),
        lambda d: d["makes"].append({"of": [1], "are": []}),
        lambda d: d.update(values=[]),
        lambda d: d["values"]["columns"]["a"].update(shift="1"),
        lambda d: d["values"]["columns"]["a"].pop("shift"),
        lambda d: d["values"].update(code="import os"),
    ],
)
def test_a_step_of_another_form_is_refused(change: Any) -> None:
    """Nothing is applied that the module would not have learnt."""
    model = damaged(change)
    with pytest.raises(InvalidModel, match="fitted step"):
        scored(model, predictive(0), FRAME)
    with pytest.raises(InvalidModel, match="fitted step"):
        Scorer(parse_experiment(predictive(0)), {"M": model})


def test_a_transformation_is_no_output_of_a_service() -> None:
    """It feeds Apply Transformation only."""
    package = chain(NORMALIZE)
    package["nodes"]["more"] = {"output": "output2"}
    package["edges"].append({"from": "step0.Transformation function", "to": "more"})
    with pytest.raises(GraphError, match="a Transformation cannot feed a Dataset"):
        parse_experiment(package)


def test_a_step_says_what_it_asks() -> None:
    """As JSON and back."""
    (step,) = TrainedModel.from_bytes(trained(chain(NORMALIZE))).steps
    assert Step.read(json.loads(json.dumps(step.data()))).data() == step.data()
