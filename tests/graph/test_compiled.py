"""A compiled graph answers as the interpreted one does, to the last bit, and as a batch does; what cannot be compiled says so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import Experiment, ModuleError, Rows, Scorer, parse_experiment, rows_of
from graph.modules import find, names
from tests.graph.compiling import differences
from tests.graph.conftest import RESOURCE, Trained

SEEDS = range(7000, 7025)
# Components of a single row have no variance to speak of.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_compiled_graphs_answer_as_interpreted_ones_and_batches_do(seed: int) -> None:
    """Random graphs of all modules that can be compiled give equal columns, values, types and errors for odd rows, too."""
    assert differences(Random(seed)).problems == []


def test_random_graphs_are_compiled_and_answer() -> None:
    """Most random graphs can be trained, are compiled, and answer by themselves: the comparison above compares something."""
    found = [differences(Random(seed)) for seed in SEEDS]
    assert [problem for each in found for problem in each.problems] == []
    graphs = [each for each in found if not each.graph]
    assert len(graphs) > len(SEEDS) / 2
    assert sum(not each.interpreted for each in graphs) > len(graphs) * 0.7
    assert sum(each.answered for each in graphs) > 3 * len(graphs)
    left = sum(len(each.fell_back) for each in graphs)
    assert left < 0.05 * sum(each.answered for each in graphs)


def test_the_modules_that_can_be_compiled() -> None:
    """A module which works on arrays says so; these do."""
    compiled = {name for name in names() if (module := find(name)) and module.on_arrays}
    assert compiled >= {
        *(
            "Select Columns in Dataset",
            "Edit Metadata",
            "Clean Missing Data",
            "Normalize Data",
            "Clip Values",
        ),
        *(
            "Group Data into Bins",
            "Apply Math Operation",
            "Extract Date Parts",
            "Preprocess Text",
            "Feature Hashing",
        ),
        *("Apply Transformation", "Score Model", "Assign Data to Clusters", "Add Columns", "Convert to CSV"),
    }


def test_what_cannot_be_compiled_says_which_node(
    package: Callable[[str], Any], trained: dict[str, Trained], predictive: Experiment
) -> None:
    """A graph with SQL is interpreted, says why, and answers; one without is compiled."""
    model = {RESOURCE: trained["01"].model}
    assert Scorer(predictive, model).interpreted == ""
    edited = package("predictive")
    edited["nodes"]["sql"] = {"module": "Apply SQL Transformation"}
    for edge in edited["edges"]:
        if edge["from"] == "flights":
            edge["from"] = "sql"
    edited["edges"].append({"from": "flights", "to": "sql.Table1"})
    scorer = Scorer(parse_experiment(edited), model)
    assert scorer.interpreted == 'node "sql": Apply SQL Transformation needs a data frame'
    row = Rows({name: [value] for name, value in package("sample")["input1"].items()}, 1)
    expected = rows_of(Scorer(predictive, model).score({"input1": row})["output1"], {})
    assert rows_of(scorer.score({"input1": row})["output1"], {}) == expected


def test_a_compiled_graph_needs_no_pandas(
    scorer: Scorer, package: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are scored where a data frame cannot be made."""
    import pandas as pd

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a data frame was made")

    monkeypatch.setattr(pd.DataFrame, "__init__", refuse)
    monkeypatch.setattr(pd.Series, "__init__", refuse)
    row = {name: [value] * 3 for name, value in package("sample")["input1"].items()}
    scored = scorer.compiled({"input1": Rows(row, 3)})
    assert scored is not None
    assert Counter(scored["output1"]["Scored Labels"].tolist()).total() == 3


def test_an_error_is_that_of_the_interpreted_graph(scorer: Scorer, package: Callable[[str], Any]) -> None:
    """The compiled graph leaves what it cannot score to the interpreted one, which says why."""
    row = Rows({name: [value] for name, value in (package("sample")["input1"] | {"month": "May"}).items()}, 1)
    assert scorer.compiled({"input1": row}) is None
    with pytest.raises(ModuleError, match=json.dumps("May")):
        scorer.score({"input1": row})
