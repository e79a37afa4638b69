"""What is wrong with the files of a graph, and that doing what the remedy says helps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graph.needs import needs
from retrain_hooks.experiments.package import load
from tests.healing import Told
from tests.unit.test_experiment import TRAINING, write

NEEDS, PACKAGE, LOADED = "graph/needs.py", "graph/package.py", "retrain_hooks/experiments/package.py"
TEXT = json.dumps(TRAINING)
LABEL = '"Label column": ["late"]'
SEED = '"node": "learner", "parameter": "Random number seed"'


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param(
            LABEL,
            '"Label column": ["delay"]',
            marks=pytest.mark.heals(
                'name a column that is there, or keep "{}" in the modules before "{}"', at=NEEDS
            ),
            id="a column that nobody makes",
        ),
        pytest.param(
            '"one": {"output"',
            '"two": {"output"',
            marks=pytest.mark.heals("give each a name of its own", at=PACKAGE),
            id="two of a name",
        ),
        pytest.param(
            "{",
            "",
            marks=pytest.mark.heals("correct the file", at=PACKAGE),
            id="no JSON",
        ),
        pytest.param(
            SEED,
            SEED.replace("seed", "start"),
            marks=pytest.mark.heals("./dev experiment check {}", at=LOADED),
            id="any other mistake",
        ),
    ],
)
def test_a_graphs_file_is_mended_as_the_remedy_says(
    remedy: Told, tmp_path: Path, right: str, wrong: str
) -> None:
    """It is read, and publishable, with what was right in it."""
    assert right in TEXT
    remedy.fails(
        lambda: load("flights", "training", write(tmp_path, TEXT.replace(right, wrong, 1))).reference()
    )
    mended = load("flights", "training", write(tmp_path, TEXT))
    assert mended.reference().digest
    assert needs(mended.definition, {}).lacking == ()
