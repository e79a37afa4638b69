"""Random predictive graphs and rows, scored both ways: what campaigns and tests of the compiled scorer call.

differences(random)    one graph with its model, some requests; what of it is not the same by both
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from authoring.predictive import derive
from graph import (
    GraphError,
    InvalidModel,
    ModuleError,
    Rows,
    Scorer,
    net_type,
    parse_experiment,
    read_table,
    rows_of,
    run,
)
from graph.definition import Experiment
from graph.errors import ModuleFailure
from graph.modules import find
from graph.modules.statistics.apply_math_operation import ApplyMathOperation

NUMERIC, CATEGORY, WORDS, DATE = "numeric", "category", "words", "date"
START = {
    **dict.fromkeys(("num", "int", "big", "flag"), NUMERIC),
    **dict.fromkeys(("cat", "word"), WORDS),
    "when": DATE,
}
LABELS = ("y", "two", "kind")
TRAINED = "the model"
Node = tuple[str, dict[str, Any], str]
Parameters = dict[str, Any]
_ODD = [None, "", "NA", "nan", " 7 ", "1e3", "-0.0", "abc", "True", "false", True, False, 0, 1, 2.5, -3, 7]
_ODDER = [
    2**53 + 1,
    -(2**63),
    2**63,
    2**64,
    "9007199254740993",
    1e308,
    1e400,
    float("nan"),
    "Infinity",
    "٣",
    "x" * 99,
]


@cache
def table() -> pd.DataFrame:
    """What models are trained on: a column of each kind, some values missing."""
    generator = np.random.default_rng(11)
    rows = 60
    num = generator.normal(10, 40, rows).round(3)
    cat = generator.choice(["red", "green", "blue", "None", "2", "2.0"], rows).astype(object)
    cat[:3] = None
    num[3:9] = np.nan
    when = pd.Timestamp("2015-03-01") + pd.to_timedelta(generator.integers(-(10**9), 10**8, rows), unit="s")
    frame = pd.DataFrame(
        {
            "num": num,
            "int": generator.integers(-5, 40, rows),
            "big": 2**53 + generator.integers(0, 100, rows),
            "flag": generator.random(rows) < 0.4,
            "cat": cat,
            "word": generator.choice(
                ["A good book. It's fine", "bad, bad food", "food is good 12", "see www.x.org"], rows
            ),
            "when": when.strftime("%Y-%m-%d %H:%M:%S"),
        }
    )
    frame["int"] -= frame["int"].min()
    labels = {"y": frame["int"] * 2.0 + (frame["cat"] == "red"), "two": frame["int"] > 15}
    return frame.assign(
        **labels, kind=np.where(frame["int"] < 10, "few", np.where(frame["num"] > 9, "some", "more"))
    )


class Exhausted(Exception):
    """No column is left."""


@dataclass
class Chain:
    """Modules one after the other, and the columns that are there after them, with their kinds."""

    random: Random
    columns: dict[str, str] = field(default_factory=lambda: dict(START))
    nodes: list[Node] = field(default_factory=list)

    def of(self, *kinds: str) -> list[str]:
        """Some columns of these kinds, in any order; sometimes one of another kind."""
        if not self.columns:
            raise Exhausted
        there = [name for name, kind in self.columns.items() if kind in kinds]
        if not there or self.random.random() < 0.03:
            there = list(self.columns)
        return self.random.sample(there, self.random.randint(1, min(3, len(there))))

    def add(self, module: str, port: str, **parameters: Any) -> None:
        """One more."""
        self.nodes.append((module, parameters, port))

    def extend(self) -> None:
        """One more of any that can be compiled."""
        getattr(self, self.random.choice(KINDS))()

    def select(self) -> None:
        if not self.columns:
            raise Exhausted
        kept = self.random.sample(list(self.columns), self.random.randint(1, len(self.columns)))
        if self.random.random() < 0.3:
            gone = [name for name in self.columns if name not in kept]
            rules = [
                {"ruleType": "AllColumns"},
                {"ruleType": "ColumnNames", "columns": gone, "exclude": True},
            ]
            if gone:
                self.add(
                    "Select Columns in Dataset", "Results dataset", **{"Select columns": {"rules": rules}}
                )
                self.columns = {name: kind for name, kind in self.columns.items() if name in kept}
            return
        self.add("Select Columns in Dataset", "Results dataset", **{"Select columns": [*kept, *LABELS]})
        self.columns = {name: self.columns[name] for name in kept}

    def metadata(self) -> None:
        pick = self.random.choice
        names = self.of(pick([*self.columns.values(), NUMERIC]))
        there = {self.columns[name] for name in names}
        numbers = ["Unchanged", "String", "Integer", "Floating point", "Boolean"]
        kind = pick(
            numbers
            if there == {NUMERIC}
            else ["Unchanged", "DateTime"]
            if there == {DATE}
            else ["Unchanged", "String"]
        )
        category = pick(["Unchanged", "Make categorical", "Make categorical", "Make non-categorical"])
        parameters: Parameters = {"Column": names, "Data type": kind, "Categorical": category}
        new = names
        if self.random.random() < 0.2:
            new = [f"{name}_n{len(self.nodes)}" for name in names]
            parameters["New column names"] = ",".join(new)
        self.add("Edit Metadata", "Results dataset", **parameters)
        known = {"String": WORDS, "DateTime": DATE, "Unchanged": ""}.get(kind, NUMERIC)
        for old, name in zip(names, new, strict=True):
            found = self.columns.pop(old)
            self.columns[name] = CATEGORY if category == "Make categorical" else known or found

    def clean(self) -> None:
        mode = self.random.choice(
            [
                *(
                    "Custom substitution value",
                    "Replace with mean",
                    "Replace with median",
                    "Replace with mode",
                ),
                *("Remove entire column", "Replace using MICE", "Replace using Probabilistic PCA"),
            ]
        )
        numbers = mode not in ("Custom substitution value", "Replace with mode", "Remove entire column")
        parameters = {
            "Columns to be cleaned": self.of(NUMERIC) if numbers else self.of(*{*self.columns.values()}),
            "Cleaning mode": mode,
            "Replacement value": self.random.choice(["0", "-1.5", "2", "red"]),
            "Generate missing value indicator column": self.random.random() < 0.3,
        }
        self.add("Clean Missing Data", "Cleaned dataset", **parameters)

    def normalize(self) -> None:
        method = self.random.choice(["ZScore", "MinMax", "Logistic", "LogNormal", "TanH"])
        parameters = {"Transformation method": method, "Columns to transform": self.of(NUMERIC)}
        self.add("Normalize Data", "Transformed dataset", **parameters)

    def clip(self) -> None:
        names, keep, pick = self.of(NUMERIC), self.random.random() < 0.3, self.random.choice
        sides, how = ["ClipPeaks", "ClipSubPeaks", "ClipPeaksAndSubPeaks"], ["Constant", "Percentile"]
        by = ["Threshold", "Mean", "Median", "Missing"]
        parameters = {
            "Set of thresholds": pick(sides),
            **{name: pick(how) for name in ("Threshold", "Upper threshold", "Lower threshold")},
            **{
                name: pick(by)
                for name in ("Upper substitute value", "Lower substitute value", "Substitute value for peaks")
            },
            "List of columns": names,
            "Overwrite flag": not keep,
            "Add indicator columns": self.random.random() < 0.3,
        }
        self.add("Clip Values", "Results dataset", **parameters)
        self.columns |= {f"{name}_clipped": NUMERIC for name in names if keep}

    def bins(self) -> None:
        names, pick = self.of(NUMERIC), self.random.choice
        mode = pick(["Quantiles", "Equal Width", "Custom Edges", "Equal Width with Custom Start and Stop"])
        place, tag = pick(["Append", "Inplace"]), pick([True, True, False])
        parameters = {
            "Binning mode": mode,
            "Number of bins": self.random.randint(1, 6),
            "Quantile normalization": pick(["Percent", "PQuantile", "QuantileIndex"]),
            "Comma-separated list of bin edges": "-1,0,5.5,20",
            "Columns to bin": names,
            "Output mode": place,
            "Tag columns as categorical": tag,
        }
        self.add("Group Data into Bins", "Quantized dataset", **parameters)
        suffix = "quantized" if place == "Append" else ""
        self.columns |= {name + suffix: CATEGORY if tag else NUMERIC for name in names}

    def indicator(self) -> None:
        names = self.of(CATEGORY)
        overwrite = self.random.random() < 0.5
        parameters = {"Categorical columns to convert": names, "Overwrite categorical columns": overwrite}
        if any(self.columns[name] != CATEGORY for name in names):
            self.add("Edit Metadata", "Results dataset", Column=names, Categorical="Make categorical")
        self.add("Convert to Indicator Values", "Results dataset", **parameters)
        if overwrite:
            self.columns = {name: kind for name, kind in self.columns.items() if name not in names}

    def math(self) -> None:
        declared = {p.name: p for p in ApplyMathOperation.parameters}
        parameters: Parameters = {}
        for name, parameter in declared.items():
            if parameter.type == "Enumerated":
                parameters[name] = self.random.choice(parameter.allowed)
            elif parameter.type == "Float":
                parameters[name] = self.random.choice([0.5, 1.0, 2.0, -1.0, 10.0])
        parameters["Column set"] = self.of(NUMERIC)
        one = self.of(NUMERIC)[:1]
        for name in (
            "Value to compare",
            "Operation argument",
            "Second argument",
            "Precision",
            "Special second argument",
        ):
            parameters[name] = one
        if parameters["Output mode"] == "ResultOnly":
            parameters["Output mode"] = "Append"
        self.add("Apply Math Operation", "Results dataset", **parameters)

    def dates(self) -> None:
        names, keep = self.of(DATE), self.random.random() < 0.4
        parts = self.random.sample(
            [
                "Year",
                "Quarter",
                "Month",
                "Day",
                "Weekday",
                "Day of year",
                "Hour",
                "Minute",
                "Second",
                "Days since 1970",
            ],
            3,
        )
        parameters = {"Date columns": names, "Parts": ", ".join(parts), "Keep date columns": keep}
        self.add("Extract Date Parts", "Results dataset", **parameters)
        if not keep:
            self.columns = {name: kind for name, kind in self.columns.items() if name not in names}
        self.columns |= {f"{name} ({part})": NUMERIC for name in names for part in parts}

    def words(self) -> None:
        names = self.of(WORDS)
        flags = [p.name for p in find("Preprocess Text").parameters if p.type == "Boolean"][:11]  # type: ignore[union-attr]
        parameters = {flag: self.random.random() < 0.5 for flag in flags}
        self.add("Preprocess Text", "Results dataset", **{"Text column to clean": names}, **parameters)
        self.columns |= {f"Preprocessed {name}": WORDS for name in names}

    def ngrams(self) -> None:
        [name, *_] = self.of(WORDS)
        parameters = {
            "Text column": [name],
            "N-Grams size": self.random.randint(1, 3),
            "K-Skip size": self.random.randint(0, 1),
            "Weighting function": self.random.choice(
                ["Binary Weight", "TF Weight", "IDF Weight", "TF-IDF Weight"]
            ),
            "Use filter-based feature selection": False,
            "Normalize n-gram feature vectors": self.random.random() < 0.5,
            "Mark begin-of-sentence": self.random.random() < 0.5,
        }
        self.add("Extract N-Gram Features from Text", "Results dataset", **parameters)
        self.columns.pop(name)

    def hashing(self) -> None:
        parameters = {"Target columns": self.of(WORDS)[:1], "Hashing bitsize": self.random.randint(1, 4)}
        self.add("Feature Hashing", "Transformed dataset", **parameters)

    def components(self) -> None:
        names = self.of(NUMERIC)
        parameters = {"Selected columns": names, "Number of dimensions to reduce to": 1}
        self.add("Principal Component Analysis", "Results dataset", **parameters)
        self.columns = {name: kind for name, kind in self.columns.items() if name not in names} | {
            "Col1": NUMERIC
        }

    def filtered(self) -> None:
        self.add(
            "Filter Based Feature Selection",
            "Filtered dataset",
            **{
                "Feature scoring method": "Count Based",
                "Minimum number of non-zero elements": self.random.choice([1, 40]),
            },
        )

    def csv(self) -> None:
        self.add("Convert to CSV", "Results dataset")

    def twice(self) -> None:
        """Its columns beside themselves."""
        self.add("Add Columns", "Combined dataset")
        self.columns |= {f"{name} (1)": kind for name, kind in self.columns.items()}


KINDS = [
    *(
        "select",
        "metadata",
        "metadata",
        "metadata",
        "clean",
        "clean",
        "normalize",
        "clip",
        "bins",
        "indicator",
        "math",
    ),
    *("math", "dates", "words", "ngrams", "hashing", "components", "filtered", "csv", "twice"),
]
LEARNERS: list[tuple[str, Parameters, str]] = [
    ("Linear Regression", {}, "y"),
    ("Poisson Regression", {}, "int"),
    ("Boosted Decision Tree Regression", {"Number of trees constructed": 3}, "y"),
    ("Fast Forest Quantile Regression", {"Number of Trees": 3}, "y"),
    ("Two-Class Logistic Regression", {}, "two"),
    ("Two-Class Decision Forest", {"Number of decision trees": 3}, "two"),
    ("Two-Class Bayes Point Machine", {}, "two"),
    ("Multiclass Decision Forest", {"Number of decision trees": 3}, "kind"),
    ("K-Means Clustering", {}, ""),
    ("PCA-Based Anomaly Detection", {}, ""),
]


def edges(
    nodes: list[Node], begin: str = "data", prefix: str = "step"
) -> tuple[dict[str, Any], list[Any], str]:
    """Nodes and edges of a chain, and its end."""
    made: dict[str, Any] = {}
    found: list[Any] = []
    before = begin
    for at, (module, parameters, port) in enumerate(nodes):
        name = f"{prefix}{at}"
        made[name] = {"module": module, "parameters": parameters}
        entries = {
            "Add Columns": ("Left dataset", "Right dataset"),
        }.get(module, ("Dataset",))
        found += [{"from": before, "to": f"{name}.{entry}"} for entry in entries]
        before = f"{name}.{port}"
    return made, found, before


def training(random: Random, chain: Chain) -> dict[str, Any]:
    """The chain, and a learner on what it leaves that can be learnt from."""
    name, values, label = random.choice(LEARNERS)
    for other in [each for each in LABELS if each != label]:
        chain.columns.pop(other, None)
    kept = [column for column, kind in chain.columns.items() if kind != DATE]
    texts = [column for column in kept if chain.columns[column] in (WORDS, CATEGORY)]
    if kept:
        chosen = [*kept, *([label] if label and label not in kept else [])]
        chain.add("Select Columns in Dataset", "Results dataset", **{"Select columns": chosen})
    if texts:
        chain.add("Edit Metadata", "Results dataset", Column=texts, Categorical="Make categorical")
    nodes, links, end = edges(chain.nodes)
    nodes |= {
        "data": {"input": "input1"},
        "learner": {"module": name, "parameters": values},
        "model": {"output": "out"},
    }
    if label:
        nodes["train"] = {"module": "Train Model", "parameters": {"Label column": [label]}}
    elif name == "K-Means Clustering":
        nodes["train"] = {
            "module": "Train Clustering Model",
            "parameters": {"Column Set": {"rules": [{"ruleType": "AllColumns"}]}},
        }
    else:
        nodes["train"] = {"module": "Train Anomaly Detection Model"}
    train = find(nodes["train"]["module"])
    assert train is not None
    links += [
        {"from": end, "to": "train.Dataset"},
        {"from": "learner", "to": f"train.{train.inputs[0].name}"},
        {"from": f"train.{train.outputs[0].name}", "to": "model"},
    ]
    return {"name": "random", "nodes": nodes, "edges": links}


def _without_labels(node: Node) -> Node:
    """Rows to score have none."""
    module, parameters, port = node
    names = parameters.get("Select columns")
    kept = [name for name in names if name not in LABELS] if isinstance(names, list) else names
    return module, {**parameters, "Select columns": kept} if names else parameters, port


def unlearnt(random: Random, chain: Chain, clusters: bool) -> dict[str, Any]:
    """A predictive graph by hand: the chain as it is, the score, and something after it."""
    nodes, links, end = edges([_without_labels(node) for node in chain.nodes])
    score = "Assign Data to Clusters" if clusters else "Score Model"
    append = {
        "Append or Result Only" if clusters else "Append score columns to output": random.random() < 0.7
    }
    nodes |= {
        "data": {"input": "input1"},
        "model": {"trainedModel": TRAINED},
        "score": {"module": score, "parameters": append},
    }
    links += [{"from": "model", "to": "score.Trained model"}, {"from": end, "to": "score.Dataset"}]
    after: list[Node] = []
    if not clusters and random.random() < 0.5:
        after = [
            (
                "Edit Metadata",
                {"Column": ["Scored Labels"], "New column names": "said", "Data type": "String"},
                "Results dataset",
            )
        ]
    more, others, end = edges(after, "score", "after")
    return {
        "name": "random",
        "nodes": {**nodes, **more, "out": {"output": "output1"}},
        "edges": [*links, *others, {"from": end, "to": "out"}],
    }


def _usual(random: Random, name: str, type_name: str) -> Any:
    """A value that the model takes there."""
    whole = table()
    value = whole[name].iloc[random.randrange(len(whole))] if name in whole else random.randrange(40)
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and np.isnan(value):
        return None
    return int(value) if isinstance(value, bool) and type_name not in ("", "Boolean") else value


def requests(random: Random, columns: Mapping[str, str]) -> Iterator[dict[str, list[Any]]]:
    """Rows as clients send them: mostly of the columns' types, some odd, some columns missing or more of them."""
    for _request in range(8):
        count, oddity = random.choice([1, 1, 2, 5]), random.choice([0.0, 0.0, 0.05, 0.3])
        names = list(columns)
        if random.random() < 0.1 and len(names) > 1:
            names.pop(random.randrange(len(names)))
        random.shuffle(names)
        rows: dict[str, list[Any]] = {}
        as_text = random.random() < 0.4
        for name in [*names, *(["other"] if random.random() < 0.3 else [])]:
            cells = []
            for _row in range(count):
                value = _usual(random, name, columns.get(name, ""))
                if as_text and value is not None:
                    value = str(value)
                if random.random() < oddity:
                    value = random.choice(_ODD if random.random() < 0.8 else _ODDER)
                cells.append(value)
            rows[name] = cells
        yield rows


def outcome(score: Callable[[], Mapping[str, Any]], types: Mapping[str, str]) -> Any:
    """All that an answer says, to the last bit; or the error's code and message."""
    try:
        tables = score()
    except ModuleError as error:
        return "module error", error.module, error.code, error.message
    except (GraphError, ModuleFailure) as error:
        return "graph error", str(error)
    kinds = {
        name: [(c, types.get(str(c)) or net_type(v)) for c, v in one.items()] for name, one in tables.items()
    }
    return kinds, {name: rows_of(one, types) for name, one in tables.items()}


@dataclass
class Found:
    """What came of one graph."""

    graph: str = ""
    """Why there is none: the refusal of its training; empty where there is one."""
    interpreted: str = ""
    """Why it is not compiled."""
    answered: int = 0
    refused: int = 0
    fell_back: list[str] = field(default_factory=list)
    """Requests that the compiled graph left to the interpreted one, which answered them."""
    problems: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def differences(random: Random) -> Found:
    """Train and compile one random graph, score requests both ways, and as a batch."""
    chain = Chain(random)
    try:
        for _ in range(random.randint(1, 5)):
            chain.extend()
        package = training(random, chain)
        train = parse_experiment(package)
        [model] = run(train, {"input1": table()}).values()
        assert isinstance(model, bytes)
        clusters = package["nodes"]["train"]["module"] == "Train Clustering Model"
        # Both ways in which predictive graphs come to be: derived, and by hand.
        predictive = derive(package) if random.random() < 0.6 else unlearnt(random, chain, clusters)
        experiment = parse_experiment(predictive)
        scorer = Scorer(experiment, dict.fromkeys(experiment.resources, model))
    except (ModuleError, GraphError, InvalidModel, Exhausted) as error:
        return Found(graph=str(error) or "no column is left")
    found = Found(interpreted=scorer.interpreted)
    [name] = experiment.inputs
    types = dict(scorer.output_schema)
    for columns in requests(random, dict.fromkeys((*START, *LABELS), "") | dict(scorer.input_schema)):
        rows = Rows(columns, len(next(iter(columns.values()))))
        compiled = outcome(lambda rows=rows: scorer.score({name: rows}), types)
        interpreted = outcome(lambda rows=rows: scorer.interpret({name: rows}), types)
        found.answered += isinstance(interpreted[0], dict)
        found.refused += not isinstance(interpreted[0], dict)
        if not isinstance(interpreted[0], dict):
            found.errors.append(str(interpreted)[:150])
        said = json.dumps({"predictive": predictive, "rows": columns}, default=str)
        if compiled != interpreted:
            found.problems.append(f"{said}\n compiled    {compiled}\n interpreted {interpreted}")
        if isinstance(interpreted[0], dict) and scorer._compiled is not None:
            try:
                scorer._compiled.score({name: rows}, {})
            except Exception as error:
                found.fell_back.append(f"{error!r}: {said}")
        if isinstance(interpreted[0], dict) and all(
            isinstance(c, str | None) for cells in columns.values() for c in cells
        ):
            batch = outcome(lambda columns=columns: _batch(experiment, columns, model), types)
            if batch[1:] != interpreted[1:]:
                found.problems.append(f"{said}\n batch   {batch}\n request {interpreted}")
    return found


def _batch(experiment: Experiment, columns: Mapping[str, Any], model: bytes) -> dict[str, Any]:
    """The rows by a file, as batch execution reads one."""
    buffer = io.BytesIO()
    pd.DataFrame(columns, dtype=object).to_csv(buffer, index=False)
    frame = read_table(buffer.getvalue(), ".csv", typed=False)
    return dict(
        run(experiment, {experiment.inputs[0]: frame}, resources=dict.fromkeys(experiment.resources, model))
    )
