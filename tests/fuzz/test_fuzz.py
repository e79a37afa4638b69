"""A slice of the campaign, and that it would notice."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from graph.modules.score.score_model import ScoreModel
from graph.modules.text.feature_hashing import FeatureHashing
from tests.fuzz.campaign import figures, played
from tests.fuzz.held import LIBRARY

GRAPHS, SEED = 100, 20


@pytest.fixture(scope="module")
def outcomes() -> list[Any]:
    return [played(SEED, index) for index in range(GRAPHS)]


def test_every_graph_gives_a_result_or_is_refused_cleanly_and_scores_a_row_as_its_table(outcomes):
    """`./dev fuzz` plays more; what fails is shown by `./dev fuzz --seed SEED --first INDEX --show`."""
    found = figures(outcomes)
    assert found["faults"] == {}
    assert found["library"] == {}


def test_the_slice_reaches_what_it_is_about(outcomes):
    """Results and refusals, models, scores of compiled graphs, nearly all modules."""
    found = figures(outcomes)
    assert found["results"] > GRAPHS / 2
    assert len(found["refused"]) > 8
    assert found["compiled"] > GRAPHS / 8
    assert found["modules"] > 50


def test_the_same_numbers_draw_the_same_graph():
    assert played(SEED, 3) == played(SEED, 3)


def test_a_module_that_raises_what_no_user_understands_is_found(monkeypatch):
    """Its exception is Studio's 1000, which the slice has none of."""

    def broken(_self: object, _inputs: object, _parameters: object) -> Any:
        raise KeyError("x")

    monkeypatch.setattr(FeatureHashing, "run", broken)
    monkeypatch.setattr(ScoreModel, "run", broken)
    codes = {played(SEED, index).code for index in range(40)}
    assert LIBRARY in codes


def test_a_score_that_depends_on_the_rows_beside_it_is_found(monkeypatch):
    """As one that is compared with the mean of its table would."""
    before = ScoreModel.run

    def leaning(self: ScoreModel, inputs: Any, parameters: Any) -> Any:
        found = before(self, inputs, parameters)
        dataset = found["Scored dataset"]
        if isinstance(dataset.frame, pd.DataFrame):
            dataset.frame.insert(0, "rows beside it", float(dataset.rows))
        return found

    monkeypatch.setattr(ScoreModel, "run", leaning)
    faults = [fault for index in range(40) for fault in played(SEED, index).faults]
    assert any("alone" in fault for fault in faults)
