"""The modules of an experiment graph.

`MODULES` lists them all. A new module is a class in a file of this folder, and its name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graph.modules.cleaning import CleanMissingData
from graph.modules.evaluate import EvaluateModel
from graph.modules.learners import (
    BoostedDecisionTreeRegression,
    LinearRegression,
    TwoClassBoostedDecisionTree,
    TwoClassLogisticRegression,
)
from graph.modules.manipulation import EditMetadata, SelectColumns
from graph.modules.sample_split import SplitData
from graph.modules.score import ScoreModel
from graph.modules.statistical import ApplyMathOperation
from graph.modules.train import TrainModel
from graph.spec import Module

MODULES: Final[tuple[type[Module], ...]] = (
    ApplyMathOperation,
    BoostedDecisionTreeRegression,
    CleanMissingData,
    EditMetadata,
    EvaluateModel,
    LinearRegression,
    ScoreModel,
    SelectColumns,
    SplitData,
    TrainModel,
    TwoClassBoostedDecisionTree,
    TwoClassLogisticRegression,
)

BY_NAME: Final[Mapping[str, Module]] = {module.name: module() for module in MODULES}
"""Each module by Studio's own name for it."""
