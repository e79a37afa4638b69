"""Ten experiments as others published them, rebuilt from their descriptions; docs/published-experiments.md has the sources."""

from __future__ import annotations

from typing import Any

Graph = dict[str, Any]


def graph(name: str, nodes: Graph, *edges: str) -> Graph:
    """A package: nodes are `in`, `out`, or a module with its parameters; edges are written `node.port -> node.port`."""
    bodies: Graph = {}
    outputs = 0
    for node, body in nodes.items():
        if body == "in":
            bodies[node] = {"input": node}
        elif body == "out":
            outputs += 1
            bodies[node] = {"output": f"output{outputs}"}
        elif isinstance(body, str):
            bodies[node] = {"module": body}
        else:
            bodies[node] = {"module": body[0], "parameters": body[1]}
    pairs = [edge.split(" -> ") for edge in edges]
    return {
        "name": name,
        "nodes": bodies,
        "edges": [{"from": source, "to": target} for source, target in pairs],
    }


def every_but(*columns: str) -> Graph:
    """All columns but these."""
    rules: list[Graph] = [{"ruleType": "AllColumns", "exclude": False}]
    if columns:
        rules.append({"ruleType": "ColumnNames", "columns": list(columns), "exclude": True})
    return {"isFilter": True, "rules": rules}


def judged(
    learner: str, at: str, train: str, test: str, label: str, port: str = "Dataset"
) -> tuple[Graph, list[str]]:
    """The nodes and edges that train a learner on *train* and score *test*, called *at*."""
    nodes: Graph = {
        f"{at}_train": ("Train Model", {"Label column": [label]}),
        f"{at}_score": "Score Model",
    }
    return nodes, [
        f"{learner} -> {at}_train.Untrained model",
        f"{train} -> {at}_train.Dataset",
        f"{at}_train -> {at}_score.Trained model",
        f"{test} -> {at}_score.{port}",
    ]


_ADULT_LEARNERS = {
    "perceptron": "Two-Class Averaged Perceptron",
    "trees": ("Two-Class Boosted Decision Tree", {"Number of trees constructed": 5}),
    "logistic": "Two-Class Logistic Regression",
    "svm": "Two-Class Support Vector Machine",
}
_ADULT_TEXTS = [
    *("workclass", "education", "marital-status", "occupation", "relationship", "race", "sex"),
    *("native-country",),
]
ADULT = graph(
    "adult",
    {
        "adult": "in",
        "sample": ("Partition and Sample", {"Rate of sampling": 0.5}),
        "clean": ("Clean Missing Data", {"Replacement value": "0"}),
        "categories": ("Edit Metadata", {"Column": _ADULT_TEXTS, "Categorical": "Make categorical"}),
        **_ADULT_LEARNERS,
        **{
            f"{name}_folds": ("Cross Validate Model", {"Label column": ["income"]})
            for name in _ADULT_LEARNERS
        },
        **{f"{name}_out": "out" for name in _ADULT_LEARNERS},
    },
    "adult -> sample.Dataset",
    "sample -> clean.Dataset",
    "clean.Cleaned dataset -> categories.Dataset",
    *(f"{name} -> {name}_folds.Untrained model" for name in _ADULT_LEARNERS),
    *(f"categories -> {name}_folds.Dataset" for name in _ADULT_LEARNERS),
    *(f"{name}_folds.Evaluation results by fold -> {name}_out" for name in _ADULT_LEARNERS),
)

_GERMAN = [f"a{at}" for at in range(1, 21)]
_GERMAN_TEXTS = [f"a{at}" for at in (1, 3, 4, 6, 7, 9, 10, 12, 14, 15, 17, 19, 20)]
_RENAMED = (
    "Edit Metadata",
    {
        "Column": [f"Col{at}" for at in range(1, 22)],
        "New column names": ", ".join([*_GERMAN, "risk"]),
    },
)
_TEN_TIMES = "select * from t1" + " union all select * from t1 where risk = 2" * 4
_SVM, _SVM_EDGES = judged("svm", "svm", "scaled.Transformed dataset", "scaled_test", "risk")
_TREES, _TREES_EDGES = judged("trees", "trees", "costly", "costly_test", "risk")
CREDIT = graph(
    "credit risk",
    {
        "german": "in",
        "names": _RENAMED,
        "categories": ("Edit Metadata", {"Column": _GERMAN_TEXTS, "Categorical": "Make categorical"}),
        "split": ("Split Data", {"Fraction of rows in the first output dataset": 0.5}),
        "costs": ("Apply SQL Transformation", {"SQL Query Script": _TEN_TIMES}),
        "costs_test": ("Apply SQL Transformation", {"SQL Query Script": _TEN_TIMES}),
        "costly": ("Edit Metadata", {"Column": _GERMAN_TEXTS, "Categorical": "Make categorical"}),
        "costly_test": ("Edit Metadata", {"Column": _GERMAN_TEXTS, "Categorical": "Make categorical"}),
        "scaled": (
            "Normalize Data",
            {"Transformation method": "TanH", "Columns to transform": ["a2", "a5", "a8", "a13"]},
        ),
        "scaled_test": "Apply Transformation",
        "svm": "Two-Class Support Vector Machine",
        "trees": ("Two-Class Boosted Decision Tree", {"Number of trees constructed": 20}),
        **_SVM,
        **_TREES,
        "compare": "Evaluate Model",
        "model": "out",
        "evaluation": "out",
    },
    "german -> names.Dataset",
    "names -> categories.Dataset",
    "categories -> split.Dataset",
    "split.Results dataset1 -> costs.Table1",
    "split.Results dataset2 -> costs_test.Table1",
    "costs -> costly.Dataset",
    "costs_test -> costly_test.Dataset",
    "costly -> scaled.Dataset",
    "scaled.Transformation function -> scaled_test.Transformation",
    "costly_test -> scaled_test.Dataset",
    *_SVM_EDGES,
    *_TREES_EDGES,
    "svm_score -> compare.Scored dataset",
    "trees_score -> compare.Scored dataset to compare",
    "trees_train -> model",
    "compare -> evaluation",
)

ANOMALIES = graph(
    "credit risk as anomalies",
    {
        "german": "in",
        "names": _RENAMED,
        "categories": ("Edit Metadata", {"Column": _GERMAN_TEXTS, "Categorical": "Make categorical"}),
        "label": ("Edit Metadata", {"Column": ["risk"], "Fields": "Label"}),
        "split": ("Split Data", {"Fraction of rows in the first output dataset": 0.5}),
        "pca": (
            "PCA-Based Anomaly Detection",
            {
                "Create trainer mode": "Parameter Range",
                "Number of components to use in PCA range": [2, 4],
                "Oversampling parameter for randomized PCA range": [2],
            },
        ),
        "svm": (
            "One-Class Support Vector Machine",
            {"Create trainer mode": "Parameter Range", "nu range": [0.1], "epsilon range": [0.01]},
        ),
        **{
            f"{name}_tuned": (
                "Tune Model Hyperparameters",
                {"Label column": ["risk"], "Specify parameter sweeping mode": "Entire grid"},
            )
            for name in ("pca", "svm")
        },
        "pca_score": "Score Model",
        "svm_score": "Score Model",
        "compare": "Evaluate Model",
        "model": "out",
        "evaluation": "out",
    },
    "german -> names.Dataset",
    "names -> categories.Dataset",
    "categories -> label.Dataset",
    "label -> split.Dataset",
    *(
        edge
        for name in ("pca", "svm")
        for edge in (
            f"{name} -> {name}_tuned.Untrained model",
            f"split.Results dataset1 -> {name}_tuned.Training dataset",
            f"{name}_tuned.Trained best model -> {name}_score.Trained model",
            f"split.Results dataset2 -> {name}_score.Dataset",
        )
    ),
    "svm_score -> compare.Scored dataset",
    "pca_score -> compare.Scored dataset to compare",
    "pca_tuned.Trained best model -> model",
    "compare -> evaluation",
)

COMPANIES = graph(
    "similar companies",
    {
        "articles": "in",
        "hash": (
            "Feature Hashing",
            {"Target columns": ["Text"], "Hashing bitsize": 8, "N-grams": 2},
        ),
        "hashed": ("Select Columns in Dataset", {"Select columns": every_but("Title", "Category", "Text")}),
        "components": (
            "Principal Component Analysis",
            {"Selected columns": every_but(), "Number of dimensions to reduce to": 10},
        ),
        "all_but_first": ("Select Columns in Dataset", {"Select columns": every_but("Col1")}),
        "kmeans": ("K-Means Clustering", {"Number of Centroids": 3}),
        "train": "Train Clustering Model",
        "groups": ("Edit Metadata", {"Column": ["Assignments"], "Categorical": "Make categorical"}),
        "model": "out",
        "assigned": "out",
    },
    "articles -> hash.Dataset",
    "hash -> hashed.Dataset",
    "hashed -> components.Dataset",
    "components.Results dataset -> all_but_first.Dataset",
    "kmeans -> train.Untrained model",
    "all_but_first -> train.Dataset",
    "train.Results dataset -> groups.Dataset",
    "train.Trained model -> model",
    "groups -> assigned",
)

_UPSOLD, _UPSOLD_EDGES = judged("trees", "upsold", "split.Results dataset1", "split.Results dataset2", "Col1")
CUSTOMERS = graph(
    "customer relationship",
    {
        "customers": "in",
        "upselling": "in",
        "clean": ("Clean Missing Data", {"Replacement value": "0"}),
        "categories": (
            "Edit Metadata",
            {"Column": [f"Var{at}" for at in range(191, 196)], "Categorical": "Make categorical"},
        ),
        "labelled": "Add Columns",
        "split": (
            "Split Data",
            {
                "Fraction of rows in the first output dataset": 0.5,
                "Stratified split": True,
                "Stratification key column": ["Col1"],
            },
        ),
        "trees": ("Two-Class Boosted Decision Tree", {"Number of trees constructed": 20}),
        **_UPSOLD,
        "evaluate": "Evaluate Model",
        "model": "out",
        "evaluation": "out",
    },
    "customers -> clean.Dataset",
    "clean.Cleaned dataset -> categories.Dataset",
    "categories -> labelled.Left dataset",
    "upselling -> labelled.Right dataset",
    "labelled -> split.Dataset",
    *_UPSOLD_EDGES,
    "upsold_score -> evaluate.Scored dataset",
    "upsold_train -> model",
    "evaluate -> evaluation",
)

_LATE, _LATE_EDGES = judged(
    "trees", "trees", "by_month.Results dataset1", "by_month.Results dataset2", "late"
)
_LATE_TOO, _LATE_TOO_EDGES = judged(
    "logistic", "logistic", "by_month.Results dataset1", "by_month.Results dataset2", "late"
)
_FLIGHT = ["month", "day", "hour", "origin", "carrier", "dest", "sched_dep_time", "arr_delay"]
_WEATHER = ["origin", "month", "day", "hour", "temp", "dewp", "humid", "wind_speed", "precip", "visib"]
FLIGHTS = graph(
    "flight delay",
    {
        "flights": "in",
        "weather": "in",
        "known": ("Select Columns in Dataset", {"Select columns": _FLIGHT}),
        "flown": (
            "Clean Missing Data",
            {"Columns to be cleaned": ["arr_delay"], "Cleaning mode": "Remove entire row"},
        ),
        "late": (
            "Apply Math Operation",
            {
                **{"Category": "Compare", "Comparison function": "GreaterThanOrEqualTo"},
                **{"Constant value to compare": 15, "Column set": ["arr_delay"], "Output mode": "Inplace"},
            },
        ),
        "label": (
            "Edit Metadata",
            {"Column": ["arr_delay"], "Data type": "Integer", "New column names": "late"},
        ),
        "observed": ("Select Columns in Dataset", {"Select columns": _WEATHER}),
        "once": (
            "Remove Duplicate Rows",
            {"Key column selection filter expression": ["origin", "month", "day", "hour"]},
        ),
        "filled": (
            "Clean Missing Data",
            {"Columns to be cleaned": _WEATHER[4:], "Cleaning mode": "Replace with mean"},
        ),
        "join": (
            "Join Data",
            {
                "Join key columns for L": ["origin", "month", "day", "hour"],
                "Join key columns for R": ["origin", "month", "day", "hour"],
                "Join type": "Inner Join",
                "Keep right key columns in joined table": False,
            },
        ),
        "categories": (
            "Edit Metadata",
            {"Column": ["origin", "carrier", "dest"], "Categorical": "Make categorical"},
        ),
        "by_month": (
            "Split Data",
            {"Splitting mode": "Relative Expression", "Relational expression": '\\"month" < 10'},
        ),
        "trees": ("Two-Class Boosted Decision Tree", {"Number of trees constructed": 20}),
        "logistic": "Two-Class Logistic Regression",
        **_LATE,
        **_LATE_TOO,
        "compare": "Evaluate Model",
        "model": "out",
        "evaluation": "out",
    },
    "flights -> known.Dataset",
    "known -> flown.Dataset",
    "flown.Cleaned dataset -> late.Dataset",
    "late -> label.Dataset",
    "weather -> observed.Dataset",
    "observed -> once.Dataset",
    "once -> filled.Dataset",
    "label -> join.Dataset1",
    "filled.Cleaned dataset -> join.Dataset2",
    "join -> categories.Dataset",
    "categories -> by_month.Dataset",
    *_LATE_EDGES,
    *_LATE_TOO_EDGES,
    "trees_score -> compare.Scored dataset",
    "logistic_score -> compare.Scored dataset to compare",
    "trees_train -> model",
    "compare -> evaluation",
)

_HOURS = ", ".join(f"lag(cnt, {n}) over (order by instant) as hour_{n}" for n in range(1, 13))
_DAYS = ", ".join(f"lag(cnt, {24 * n}) over (order by instant) as day_{n}" for n in range(1, 13))
_BIKES = "season, yr, mnth, hr, holiday, weekday, workingday, weathersit, temp, hum, windspeed, cnt"
_SETS = {"a": _BIKES, "ab": f"{_BIKES}, {_HOURS}", "abc": f"{_BIKES}, {_HOURS}, {_DAYS}"}
_BIKE_NODES: Graph = {}
_BIKE_EDGES: list[str] = []
for _set, _columns in _SETS.items():
    _nodes, _edges = judged(
        "trees", _set, f"{_set}_years.Results dataset1", f"{_set}_years.Results dataset2", "cnt"
    )
    _BIKE_NODES |= {
        _set: (
            "Apply SQL Transformation",
            {"SQL Query Script": f"select {_columns} from t1 order by instant"},
        ),
        f"{_set}_years": (
            "Split Data",
            {"Splitting mode": "Relative Expression", "Relational expression": '\\"yr" == 0'},
        ),
        **_nodes,
        f"{_set}_evaluate": "Evaluate Model",
        f"{_set}_out": "out",
    }
    _BIKE_EDGES += [
        f"bikes -> {_set}.Table1",
        f"{_set} -> {_set}_years.Dataset",
        *_edges,
        f"{_set}_score -> {_set}_evaluate.Scored dataset",
        f"{_set}_evaluate -> {_set}_out",
    ]
BIKES = graph(
    "demand estimation",
    {
        "bikes": "in",
        "trees": ("Boosted Decision Tree Regression", {"Number of trees constructed": 20}),
        **_BIKE_NODES,
    },
    *_BIKE_EDGES,
)

_LETTERS = {
    "network": ("Multiclass Neural Network", {"Number of learning iterations": 10}),
    "jungle": "Multiclass Decision Jungle",
    "logistic": "Multiclass Logistic Regression",
    "forest": "Multiclass Decision Forest",
    "one_vs_all": "One-vs-All Multiclass",
}
_LETTER_NODES: Graph = {}
_LETTER_EDGES: list[str] = []
for _name in _LETTERS:
    _nodes, _edges = judged(_name, f"{_name}_at", "split.Results dataset1", "split.Results dataset2", "lettr")
    _LETTER_NODES |= {**_nodes, f"{_name}_evaluate": "Evaluate Model", f"{_name}_out": "out"}
    _LETTER_EDGES += [
        *_edges,
        f"{_name}_at_score -> {_name}_evaluate.Scored dataset",
        f"{_name}_evaluate -> {_name}_out",
    ]
LETTERS = graph(
    "letter recognition",
    {
        "letters": "in",
        "split": ("Split Data", {"Fraction of rows in the first output dataset": 0.8}),
        "svm": "Two-Class Support Vector Machine",
        **_LETTERS,
        **_LETTER_NODES,
    },
    "letters -> split.Dataset",
    "svm -> one_vs_all.Untrained binary classification model",
    *_LETTER_EDGES,
)

_PRICED, _PRICED_EDGES = judged(
    "linear", "price", "split.Results dataset1", "split.Results dataset2", "price"
)
CARS = graph(
    "automobile price",
    {
        "cars": "in",
        "without": ("Select Columns in Dataset", {"Select columns": every_but("normalized-losses")}),
        "complete": ("Clean Missing Data", {"Cleaning mode": "Remove entire row"}),
        "features": (
            "Select Columns in Dataset",
            {
                "Select columns": [
                    *("make", "body-style", "wheel-base", "engine-size", "horsepower", "peak-rpm"),
                    *("highway-mpg", "price"),
                ]
            },
        ),
        "categories": (
            "Edit Metadata",
            {"Column": ["make", "body-style"], "Categorical": "Make categorical"},
        ),
        "split": ("Split Data", {"Fraction of rows in the first output dataset": 0.75}),
        "linear": "Linear Regression",
        **_PRICED,
        "evaluate": "Evaluate Model",
        "model": "out",
        "evaluation": "out",
    },
    "cars -> without.Dataset",
    "without -> complete.Dataset",
    "complete.Cleaned dataset -> features.Dataset",
    "features -> categories.Dataset",
    "categories -> split.Dataset",
    *_PRICED_EDGES,
    "price_score -> evaluate.Scored dataset",
    "price_train -> model",
    "evaluate -> evaluation",
)

_FELT, _FELT_EDGES = judged("logistic", "felt", "chosen.Filtered dataset", "same", "sentiment_label")
TWEETS = graph(
    "text classification",
    {
        "tweets": "in",
        "stop_words": "in",
        "clean": ("Preprocess Text", {"Text column to clean": ["tweet_text"]}),
        "label": ("Edit Metadata", {"Column": ["sentiment_label"], "Categorical": "Make categorical"}),
        "alone": (
            "Select Columns in Dataset",
            {"Select columns": ["sentiment_label", "Preprocessed tweet_text"]},
        ),
        "split": ("Split Data", {"Fraction of rows in the first output dataset": 0.7}),
        "ngrams": (
            "Extract N-Gram Features from Text",
            {
                **{"Text column": ["Preprocessed tweet_text"], "N-Grams size": 2},
                **{"Weighting function": "TF Weight", "Use filter-based feature selection": False},
            },
        ),
        "chosen": (
            "Filter Based Feature Selection",
            {
                **{"Feature scoring method": "Chi Squared", "Target column": ["sentiment_label"]},
                **{"Number of desired features": 20},
            },
        ),
        "ngrams_test": "Apply Transformation",
        "same": "Apply Transformation",
        "logistic": "Two-Class Logistic Regression",
        **_FELT,
        "evaluate": "Evaluate Model",
        "model": "out",
        "evaluation": "out",
    },
    "tweets -> clean.Dataset",
    "stop_words -> clean.Stop words",
    "clean -> label.Dataset",
    "label -> alone.Dataset",
    "alone -> split.Dataset",
    "split.Results dataset1 -> ngrams.Dataset",
    "ngrams.Results dataset -> chosen.Dataset",
    "split.Results dataset2 -> ngrams_test.Dataset",
    "ngrams.N-gram transformation -> ngrams_test.Transformation",
    "ngrams_test -> same.Dataset",
    "chosen.Columns selection transformation -> same.Transformation",
    *_FELT_EDGES,
    "felt_score -> evaluate.Scored dataset",
    "felt_train -> model",
    "evaluate -> evaluation",
)
