"""The training graph of a new experiment: columns, categories, a split, a learner, its evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authoring.profile import TableProfile

Package = dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """What a task's graph is made of: the learner, and the modules that train, score and evaluate."""

    learner: str
    train: str = "Train Model"
    score: str = "Score Model"
    scored: str = "Scored dataset"
    seed: str = "Random number seed"
    settings: tuple[tuple[str, str, str], ...] = ()  # name, type, default: what a stack may set


_TREES: Final = (
    ("Number of trees constructed", "Int", "100"),
    ("Learning rate", "Float", "0.2"),
    ("Maximum number of leaves per tree", "Int", "20"),
)
RECIPES: Final[Mapping[str, Recipe]] = {
    "two-class": Recipe("Two-Class Boosted Decision Tree", settings=_TREES),
    "regression": Recipe("Boosted Decision Tree Regression", settings=_TREES),
    "multiclass": Recipe("Multiclass Decision Forest", settings=(("Number of decision trees", "Int", "64"),)),
    "clustering": Recipe(
        "K-Means Clustering",
        "Train Clustering Model",
        "Assign Data to Clusters",
        "Results dataset",
        settings=(("Number of Centroids", "Int", "3"),),
    ),
    "anomaly": Recipe("PCA-Based Anomaly Detection", "Train Anomaly Detection Model", seed=""),
}


def draft(
    name: str,
    task: str,
    profile: TableProfile,
    label: str,
    features: Sequence[str],
    what: str = "",
    missing: Sequence[str] = (),
) -> Package:
    """A training graph that trains on *features* and, in all tasks but clustering, *label*.

    Its input says what is known of its columns, so that data that comes later is read as this is: which are text, truth
    values or floating point numbers. Whole numbers may get fractions. *missing* are further marks of missing values.
    """
    recipe = RECIPES[task]
    graph = _Graph()
    types = {
        column.name: column.type
        for column in profile.columns
        if column.name in (*features, label) and column.type in ("String", "Boolean", "Double")
    }
    data: Package = {"input": "input1"}
    if types:
        data["types"] = types
    if missing:
        data["missing"] = [*missing]
    graph.node("data", data)
    graph.module(
        "columns", "Select Columns in Dataset", {"Select columns": [*features, *([label] if label else [])]}
    )
    if label:
        graph.module(
            "labelled",
            "Clean Missing Data",
            {"Columns to be cleaned": [label], "Cleaning mode": "Remove entire row"},
            out="Cleaned dataset",
        )
    texts = [column.name for column in profile.columns if column.name in features and not column.numeric]
    if texts:
        graph.module("categories", "Edit Metadata", {"Column": texts, "Categorical": "Make categorical"})
    split: dict[str, Any] = {"Fraction of rows in the first output dataset": 0.7, "Random seed": 0}
    if task in ("two-class", "multiclass", "anomaly"):
        split |= {"Stratified split": True, "Stratification key column": [label]}
    graph.module("split", "Split Data", split)
    graph.nodes["learner"] = {"module": recipe.learner}
    trained = {"Label column": [label]} if label else {"Column Set": list(features)}
    graph.nodes["train"] = {"module": recipe.train, "parameters": trained}
    graph.nodes["score"] = {"module": recipe.score}
    graph.nodes["evaluate"] = {"module": "Evaluate Model"}
    graph.nodes["model"] = {"output": "output1"}
    graph.nodes["evaluation"] = {"output": "output2"}
    for source, target in (
        ("learner", "train.Untrained model"),
        ("split.Results dataset1", "train.Dataset"),
        ("train.Trained model", "score.Trained model"),
        ("split.Results dataset2", "score.Dataset"),
        (f"score.{recipe.scored}", "evaluate.Scored dataset"),
        ("train.Trained model", "model"),
        ("evaluate.Evaluation results", "evaluation"),
    ):
        graph.edges.append({"from": source, "to": target})
    said = f"Trains a model that tells {label} ({task})." if label else f"Trains a model ({task})."
    return {
        "name": f"{name}-training",
        "description": what or said,
        "nodes": graph.nodes,
        "edges": graph.edges,
        "parameters": _parameters(recipe),
    }


def _parameters(recipe: Recipe) -> Package:
    """What a stack may set: the seed of split and learner, and the learner's main settings."""
    seeds = [{"node": "split", "parameter": "Random seed"}]
    if recipe.seed:
        seeds.append({"node": "learner", "parameter": recipe.seed})
    found: Package = {"Random seed": {"type": "Int", "default": "0", "links": seeds}}
    for name, kind, default in recipe.settings:
        found[name] = {"type": kind, "default": default, "links": [{"node": "learner", "parameter": name}]}
    return found


class _Graph:
    """Nodes in a row: each module is fed by the one before."""

    def __init__(self) -> None:
        self.nodes: Package = {}
        self.edges: list[dict[str, str]] = []
        self._last = ""

    def node(self, name: str, body: Package) -> None:
        """Add a node and feed what comes next by it."""
        self.nodes[name] = body
        self._last = name

    def module(self, name: str, module: str, parameters: Package, out: str = "") -> None:
        """Add a module that is fed by the node before it, at its port `Dataset`."""
        self.edges.append({"from": self._last, "to": f"{name}.Dataset"})
        self.node(name, {"module": module, "parameters": parameters})
        if out:
            self._last = f"{name}.{out}"
