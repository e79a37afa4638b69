"""What `./dev experiment check` finds in a graph, and the graph that its remedies ask for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import project_root  # noqa: F401  # a project in place of this one
from tests.remedies.test_authoring import NEW, bench, run  # noqa: F401  # its tables

CHECK, TRAINING, PREDICTIVE = "authoring/check.py", "training.json", "predictive.json"
heals = pytest.mark.heals


def _two_inputs(graph: Any) -> None:
    graph["nodes"]["another"] = {"input": "input2"}


def _no_evaluation(graph: Any) -> None:
    name = next(name for name, node in graph["nodes"].items() if node.get("output") == "output2")
    del graph["nodes"][name]
    graph["edges"] = [each for each in graph["edges"] if each["to"] != name]


def _another_column(graph: Any) -> None:
    select = next(node for node in graph["nodes"].values() if node.get("module", "").startswith("Select"))
    select["parameters"]["Select columns"] = ["lenght", "width"]


def _unknown_module(graph: Any) -> None:
    next(node for node in graph["nodes"].values() if "module" in node)["module"] = "Spilt Data"


def _unread(graph: Any) -> None:
    graph["edges"] = "none"


def _two_models(graph: Any) -> None:
    model = next(node for node in graph["nodes"].values() if "trainedModel" in node)
    graph["nodes"]["another"] = {"trainedModel": f"another {model['trainedModel']}"}


def _trains(graph: Any) -> None:
    source = next(name for name, node in graph["nodes"].items() if "input" in node)
    graph["nodes"] |= {
        "one more": {"module": "Linear Regression"},
        "twice": {"module": "Train Model", "parameters": {"Label column": ["width"]}},
        "again": {"output": "again"},
    }
    graph["edges"] += [
        {"from": "one more", "to": "twice.Untrained model"},
        {"from": source, "to": "twice.Dataset"},
        {"from": "twice", "to": "again"},
    ]


def _found(package: Path, file: str, spoil: Callable[[Any], None]) -> str:
    """What the check says of an experiment, one graph of which is spoilt; it is whole again then."""
    path = package / file
    right = path.read_text()
    graph = json.loads(right)
    spoil(graph)
    path.write_text(json.dumps(graph))
    found = run("experiment check petals --data petals.csv")
    assert found.exit_code == 1, found.output
    path.write_text(right)
    return str(found.stdout)


@pytest.mark.parametrize(
    ("file", "spoil"),
    [
        pytest.param(TRAINING, _two_inputs, marks=heals('give it one {"input": "input1"}', at=CHECK)),
        pytest.param(TRAINING, _no_evaluation, marks=heals("connect it to an output", at=CHECK)),
        pytest.param(
            TRAINING,
            _another_column,
            marks=heals("give a table that has it, or name another column; there is: {}{}", at=CHECK),
        ),
        pytest.param(TRAINING, _unknown_module, marks=heals("correct {} in it", at=CHECK)),
        pytest.param(PREDICTIVE, _two_models, marks=heals('give it one {"trainedModel": …}', at=CHECK)),
        pytest.param(PREDICTIVE, _trains, marks=heals("leave Train Model to training.json", at=CHECK)),
    ],
)
def test_a_graph_that_is_corrected_has_no_problem(bench, remedy, file, spoil):  # noqa: F811
    assert run(NEW).exit_code == 0
    remedy(_found(bench / "experiments" / "petals", file, spoil))
    assert run("experiment check petals --data petals.csv").exit_code == 0


@heals("correct the file", at=CHECK)
@heals("write it, or let ./dev experiment {} {} do so", at=CHECK)
def test_a_file_that_is_none_or_is_missing_is_written_again(bench, remedy):  # noqa: F811
    run(NEW)
    path = bench / "experiments" / "petals" / PREDICTIVE
    path.write_bytes(b"\xff\xfe")
    remedy(run("experiment check petals").stdout)
    path.unlink()
    remedy(run("experiment check petals").stdout)
    assert run("experiment predictive petals").exit_code == 0
    assert run("experiment check petals").exit_code == 0


@heals("give a table with other rows", at=CHECK)
def test_a_table_with_too_few_rows_is_told_before_it_is_trained_from(bench, remedy):  # noqa: F811
    run(NEW)
    Path("short.csv").write_text("length,width\n")
    remedy(run("experiment check petals --data short.csv").stdout)
    assert run("experiment check petals --data petals.csv").exit_code == 0


@heals("write predictive.json by hand", at="authoring/predictive.py")
def test_a_graph_that_trains_two_models_has_its_predictive_graph_written_by_hand(bench, remedy):  # noqa: F811
    run(NEW)
    folder = bench / "experiments" / "petals"
    graph = json.loads((folder / TRAINING).read_text())
    _trains(graph)
    (folder / TRAINING).write_text(json.dumps(graph))
    remedy(run("experiment predictive petals --force").stderr)
    assert run("experiment check petals").exit_code == 0
