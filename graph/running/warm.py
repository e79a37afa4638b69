"""Warming up a worker: the libraries loaded and their thread pools started before the first job comes."""

from __future__ import annotations


def warm_up() -> None:
    """Train and score a tiny model, so that the first real job pays for no import."""
    import pandas as pd

    from graph.data.datasets import Dataset
    from graph.learning.training import train
    from graph.modules.evaluate.evaluate_model import EvaluateModel
    from graph.modules.initialize_two_class.two_class_boosted_decision_tree import (
        TwoClassBoostedDecisionTree,
    )
    from graph.modules.score.score_model import ScoreModel

    frame = pd.DataFrame({"x": range(64), "label": [0, 1] * 32})
    settings = {p.name: p.default for p in TwoClassBoostedDecisionTree.parameters}
    settings["Number of trees constructed"] = 2
    untrained = TwoClassBoostedDecisionTree().run({}, settings)["Untrained model"]
    model = train(untrained, frame, "label")
    scored = ScoreModel().run(
        {"Trained model": model, "Dataset": Dataset(frame)}, {"Append score columns to output": True}
    )
    EvaluateModel().run(scored, {})
