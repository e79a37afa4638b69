"""Random steps from a table to the features of a model, each module on columns that it can take."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pandas as pd

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
