"""An experiment is begun, checked, tried out and looked at: the tables and graphs that people bring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets, metrics

from authoring.check import misfits, problems
from authoring.choosing import choose_task
from authoring.comparing import compare
from authoring.draft import draft
from authoring.picture import as_mermaid, as_text
from authoring.predictive import derive
from authoring.profile import look, suspicions
from authoring.trial import try_out
from cli.authoring.files import as_json_text
from clients.errors import ConfigurationError
from graph import Scorer, parse_experiment, run
from graph.package import line_of

FLIGHTS = Path(__file__).resolve().parents[2] / "experiments" / "flights"


def table(rows: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(1)
    kind = random.choice(["soft", "hard"], rows)
    size = random.normal(size=rows)
    return pd.DataFrame(
        {
            "order": range(1000, 1000 + rows),
            "kind": kind,
            "size": size,
            "shop": "north",
            "price": size * 3 + random.normal(size=rows),
        }
    )


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (lambda t: pd.Series(range(7, 7 + len(t))), "another value in each row"),
        (lambda t: [f"row-{at}" for at in range(len(t))], "another value in each row"),
        (lambda t: t["kind"], "equal to kind"),
        (lambda t: t["kind"].map({"soft": 1, "hard": 2}), "goes with one of kind"),
        (lambda t: [None] * len(t), "empty"),
        (lambda t: 5, "same value in every row"),
    ],
)
def test_a_column_that_no_model_should_be_trained_on_is_suspected(column, why):
    frame = table().drop(columns=["order", "shop"])
    assert suspicions(frame, look(frame), "kind") == {}
    frame = frame.assign(doubtful=column(frame))
    found = suspicions(frame, look(frame), "kind")
    assert list(found) == ["doubtful"]
    assert why in found["doubtful"]


def test_the_label_in_another_unit_is_suspected():
    frame = table().assign(euros=lambda t: t["price"] * 0.9)
    assert "another unit" in suspicions(frame, look(frame), "price")["euros"]
    assert "size" not in suspicions(frame, look(frame), "price")


@pytest.mark.parametrize(
    ("label", "wanted", "task"),
    [
        ("kind", "", "two-class"),
        ("price", "", "regression"),
        ("grade", "", "multiclass"),
        ("grade", "regression", "regression"),
        ("letter", "", "multiclass"),
        ("", "clustering", "clustering"),
    ],
)
def test_the_label_tells_the_task(label, wanted, task):
    frame = table().assign(grade=lambda t: t.index % 5, letter=lambda t: [*"abc"] * 20)
    assert choose_task(look(frame), label, wanted)[0] == task


@pytest.mark.parametrize(
    ("label", "wanted", "cause"),
    [
        ("prize", "", "price"),
        ("shop", "", "one value in every row"),
        ("kind", "regression", "is text"),
        ("", "", "needs a label"),
        ("", "anomaly", "needs a label"),
        ("kind", "clustering", "no label"),
        ("kind", "ranking", "no task 'ranking'"),
        ("price", "two-class", "two classes"),
    ],
)
def test_a_label_that_does_not_fit_is_refused_in_a_line(label, wanted, cause):
    with pytest.raises(ConfigurationError) as refused:
        choose_task(look(table()), label, wanted)
    assert cause in refused.value.cause
    assert refused.value.remedy


def written(frame: pd.DataFrame, task: str, label: str) -> dict[str, Any]:
    profile = look(frame)
    doubted = suspicions(frame, profile, label)
    features = [each.name for each in profile.columns if each.name != label and each.name not in doubted]
    return draft("tried", task, profile, label, features)


@pytest.mark.parametrize(
    ("task", "load", "measured"),
    [
        ("two-class", datasets.load_breast_cancer, "auc"),
        ("multiclass", datasets.load_wine, "macro_recall"),
        ("regression", datasets.load_diabetes, "r2"),
        ("clustering", datasets.load_iris, "simplified_silhouette"),
        ("anomaly", datasets.load_breast_cancer, "auc"),
    ],
)
def test_a_draft_of_each_task_is_trained_measured_and_scores_as_its_predictive_graph(task, load, measured):
    frame = load(as_frame=True).frame
    label = "target" if task != "clustering" else ""
    frame = frame if label else frame.drop(columns="target")
    package = json.loads(as_json_text(written(frame, task, label)))
    trial = try_out(package, frame, {})
    assert trial.task == task or (trial.task, task) == ("binary", "two-class")
    assert measured in {rule for _title, _value, rule in trial.metrics}
    model = run(parse_experiment(package), {"input1": frame})["output1"]
    predictive = derive(package)
    (resource,) = parse_experiment(predictive).resources
    rows = frame.drop(columns=label) if label else frame
    scored = Scorer(parse_experiment(predictive), {resource: model}).score({"input1": rows.astype(str)})
    assert len(scored["output1"]) == len(frame)
    assert {"Scored Labels", "Assignments"} & set(scored["output1"])


def test_a_drafted_regression_is_trained_measured_and_served():
    frame = datasets.load_diabetes(as_frame=True).frame
    package = json.loads(as_json_text(written(frame, "regression", "target")))
    trial = try_out(package, frame, {})
    values = {rule: value for _title, value, rule in trial.metrics}
    assert trial.task == "regression"
    assert values["rows"] == round(len(frame) * 0.3)
    model = run(parse_experiment(package), {"input1": frame})["output1"]
    scorer = Scorer(parse_experiment(derive(package)), {"tried [trained model]": model})
    scored = scorer.score({"input1": frame.drop(columns="target").astype(str)})["output1"]
    assert metrics.r2_score(frame["target"], scored["Scored Labels"]) > values["r2"] > 0


def test_a_trial_of_two_classes_counts_each_row_that_was_held_back_once():
    frame = datasets.load_breast_cancer(as_frame=True).frame
    trial = try_out(written(frame, "two-class", "target"), frame, {"Number of trees constructed": "20"})
    values = {title: value for title, value, _rule in trial.metrics}
    assert trial.confusion["1", "1"] == values["True Positive"]
    assert sum(trial.confusion.values()) == values["Number of examples"] == round(len(frame) * 0.3)


def test_a_trial_says_which_columns_the_model_depends_on():
    """As Permutation Feature Importance says it of the same rows; of a wide table so many as are tried."""
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(300, 3)), columns=["strong", "weak", "none"])
    frame["price"] = frame["strong"] * 10 + frame["weak"] * 3
    package = written(frame, "regression", "price")
    found = try_out(package, frame, {}).importance
    assert list(found.columns)[:2] == ["strong", "weak"]
    assert found.columns["strong"] > found.columns["weak"] > abs(found.columns["none"])
    assert found == try_out(package, frame, {}).importance
    assert (found.left_out, found.rows) == (0, 90)
    wide = pd.concat([pd.DataFrame(random.normal(size=(300, 120))).add_prefix("c"), frame], axis=1)
    many = try_out(written(wide, "regression", "price"), wide, {}).importance
    assert (len(many.columns), many.left_out) == (100, 23)
    assert list(many.columns)[:2] == ["strong", "weak"]


def test_the_predictive_graph_of_the_flights_asks_for_what_is_known_before_departure():
    training = json.loads((FLIGHTS / "training.json").read_text())
    theirs = parse_experiment(json.loads((FLIGHTS / "predictive.json").read_text()))
    ours = parse_experiment(derive(training))
    columns = {step.module.name: step for step in ours.steps}["Select Columns in Dataset"]
    assert (
        columns.parameters
        == {step.module.name: step for step in theirs.steps}["Select Columns in Dataset"].parameters
    )
    names = [step.module.name for step in ours.steps]
    assert not {"Split Data", "Train Model", "Evaluate Model", "Apply Math Operation"} & set(names)
    assert names[-1] == "Score Model"
    assert not ours.trains


def test_a_graph_is_shown_with_each_node_and_edge():
    package = json.loads((FLIGHTS / "training.json").read_text())
    text, diagram = as_text(package), as_mermaid(package)
    assert all(
        any(node in line for line in text) for node in package["nodes"] if "module" in package["nodes"][node]
    )
    assert sum("-->" in line for line in diagram) == len(package["edges"])
    assert diagram[0] == "flowchart TD"


def in_folder(folder: Path, training: dict[str, Any], predictive: dict[str, Any] | None = None) -> Path:
    (folder / "training.json").write_text(as_json_text(training))
    (folder / "predictive.json").write_text(as_json_text(predictive or derive(training)))
    return folder


def test_an_experiment_without_a_problem_has_none(tmp_path):
    folder = in_folder(tmp_path, written(table(), "two-class", "kind"))
    assert problems(folder, table()) == []


@pytest.mark.parametrize(
    ("spoil", "node", "cause"),
    [
        (lambda p: p["nodes"]["split"].update(module="Splitt Data"), "split", "no module"),
        (lambda p: p["nodes"]["split"]["parameters"].update({"Random seed": -1}), "Random seed", "range"),
        (lambda p: p["nodes"]["split"]["parameters"].update({"Seed": 1}), "split", "no parameter"),
        (lambda p: p["edges"].append({"from": "learner", "to": "score.Dataset"}), "learner", "cannot feed"),
        (
            lambda p: p["edges"].append({"from": "score.Scored dataset", "to": "columns.Dataset"}),
            "score.Scored",
            "connected",
        ),
        (lambda p: p["nodes"].update(more={"output": "output1"}), "more", "output1"),
        (lambda p: p["nodes"].pop("model"), "model", "model"),
    ],
)
def test_a_problem_is_said_with_the_line_where_it_is_written(tmp_path, spoil, node, cause):
    package = written(table(), "two-class", "kind")
    predictive = derive(package)
    spoil(package)
    (found,) = problems(in_folder(tmp_path, package, predictive))
    assert cause in found.cause
    file, _, line = found.where.partition(":")
    assert file == "training.json"
    assert node in (tmp_path / file).read_text().splitlines()[int(line) - 1]
    assert found.remedy


def test_a_column_that_the_table_lacks_is_a_problem_of_both_graphs(tmp_path):
    folder = in_folder(tmp_path, written(table(), "two-class", "kind"))
    found = problems(folder, table().drop(columns="size"))
    assert [each.where.partition(":")[0] for each in found] == ["training.json", "predictive.json"]
    assert all('"size"' in each.cause for each in found)


@pytest.mark.parametrize(
    ("task", "label", "change", "cause"),
    [
        ("two-class", "kind", {"kind": ["a", "b", "c"] * 20}, "has 3 classes in its column 'kind'"),
        ("two-class", "kind", {"kind": "soft"}, "has one class only in its column 'kind'"),
        ("two-class", "kind", {"kind": None}, "has no value in its column 'kind'"),
        ("regression", "price", {"price": "dear"}, "has the text 'dear' in its column 'price'"),
        ("regression", "price", {"price": 1.5}, "has one value only in its column 'price'"),
    ],
)
def test_a_table_that_cannot_be_trained_from_is_a_problem_before_training(
    tmp_path, task, label, change, cause
):
    package = written(table(), task, label)
    (found,) = problems(in_folder(tmp_path, package), table().assign(**change))
    assert cause in found.cause
    assert next(misfits(package, {}, table().iloc[:0])).message == "the table has no rows"


def test_a_name_that_is_written_twice_in_a_package_is_a_problem(tmp_path):
    folder = in_folder(tmp_path, written(table(), "two-class", "kind"))
    path = folder / "training.json"
    path.write_text(path.read_text().replace('"evaluation": {', '"model": {', 1))
    (found,) = problems(folder)
    assert '"model" is written twice' in found.cause
    assert found.where.startswith("training.json:")


def test_files_that_are_missing_or_no_json_are_problems(tmp_path):
    (tmp_path / "training.json").write_text('{"name": "x",\n "nodes": }')
    found = problems(tmp_path)
    assert [each.where for each in found] == ["training.json:2", "predictive.json"]


def test_a_line_is_that_of_the_parameter_not_of_another_node_that_has_it_too():
    text = '{\n"a": {"Random seed": 1},\n"b": {\n"Random seed": 2}\n}'
    assert (line_of(text, "a.Random seed"), line_of(text, "b.Random seed"), line_of(text, "c")) == (2, 4, 0)


def test_two_versions_of_a_table_are_compared():
    old = table()
    new = old.assign(size=old["size"] + 2).drop(columns="shop").assign(colour="red")
    said = {each.what: each for each in compare(old, new)}
    assert set(said) == {"rows", "column shop", "column colour", "mean of size"}
    assert "+2" in said["mean of size"].note
    assert compare(old, old.copy()) == []
