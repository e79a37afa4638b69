"""Warming up a worker: the libraries loaded and their thread pools started before the first job comes."""

from __future__ import annotations

import pandas as pd


def warm_up() -> None:
    """Train and score a tiny model, so that the first real job pays for no import."""
    from studio.graph.modules.evaluate import EvaluateModel
    from studio.graph.modules.learners import TwoClassBoostedDecisionTree
    from studio.graph.modules.score import ScoreModel
    from studio.graph.modules.train import train
    from studio.graph.tables import Dataset

    frame = pd.DataFrame({"x": range(64), "label": [0, 1] * 32})
    settings = {p.name: p.default for p in TwoClassBoostedDecisionTree.parameters}
    settings["Number of trees constructed"] = 2
    untrained = TwoClassBoostedDecisionTree().run({}, settings)["Untrained model"]
    model = train(untrained, frame, "label")
    scored = ScoreModel().run(
        {"Trained model": model, "Dataset": Dataset(frame)}, {"Append score columns to output": True}
    )
    EvaluateModel().run(scored, {})
