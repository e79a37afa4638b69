"""The experiment graph: modules with Azure ML Studio's own names, really trained and scored.

    parse_experiment(package)   a package (JSON) checked as a whole         → Experiment
    run(experiment, inputs)     the graph run once                          → outputs by name
    Scorer(experiment, models)  a predictive graph ready to answer requests
    model_schema(data)          what a trained model must share with the one it replaces

A trained model is an `.ilearner`: data, never code (see `graph.models.ilearner`). pandas, scikit-learn, ONNX and its
runtime are imported when something first needs them: reading and checking a graph needs none of them.
`warm_up()` imports them ahead of time in a worker.
"""

from graph.data.datasets import EXTENSIONS, net_type, write_table
from graph.data.declared import Declared
from graph.data.reading import read_table
from graph.data.rows import Rows, rows_of, table_of, texts
from graph.definition import Experiment, GlobalParameter, Output, parse_experiment
from graph.errors import GraphError, InvalidModel, ModuleError
from graph.models.ilearner import TrainedModel, model_schema
from graph.running.runner import Progress, run
from graph.running.scorer import Scorer
from graph.running.warm import warm_up

__all__ = [
    "EXTENSIONS",
    "Declared",
    "Experiment",
    "GlobalParameter",
    "GraphError",
    "InvalidModel",
    "ModuleError",
    "Output",
    "Progress",
    "Rows",
    "Scorer",
    "TrainedModel",
    "model_schema",
    "net_type",
    "parse_experiment",
    "read_table",
    "rows_of",
    "run",
    "table_of",
    "texts",
    "warm_up",
    "write_table",
]
