from collections.abc import Collection

from graph.data.datasets import Dataset
from graph.errors import ModuleFailure
from graph.learning.training import train, trainable
from graph.learning.untrained import UntrainedModel
from graph.learning.validation import (
    CLASSIFICATION,
    FOLDS,
    REGRESSION,
    better,
    folds,
    judged,
    metric_of,
    titled,
)
from graph.libraries import np, pd
from graph.spec import TRAINED, UNTRAINED, Module, Parameter, Parameters, Port, Ports, choice

GRID, RANDOM_GRID, RANDOM = "Entire grid", "Random grid", "Random sweep"


class TuneModelHyperparameters(Module):
    """Tries the values in the ranges of a learner's parameters, and trains it with the best.

    Judged on the validation dataset, or without one as the mean over folds: those that Partition and Sample has assigned, or
    else ten. Random sweeps draw combinations of the values, each once. Of equals the first drawn is the best.
    """

    name = "Tune Model Hyperparameters"
    inputs = (
        Port("Untrained model", UNTRAINED),
        Port("Training dataset"),
        Port("Validation dataset", optional=True),
    )
    outputs = (Port("Sweep results"), Port("Trained best model", TRAINED))
    parameters = (
        choice("Specify parameter sweeping mode", RANDOM, GRID, RANDOM_GRID),
        Parameter("Maximum number of runs on random sweep", "Int", 5, minimum=1, maximum=10_000),
        Parameter("Random seed", "Int", 0, minimum=0, maximum=2**31 - 1),
        Parameter("Label column", "ColumnPicker"),
        choice("Metric for measuring performance for classification", *CLASSIFICATION),
        choice("Metric for measuring performance for regression", *REGRESSION),
    )
    trains = True

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        untrained: UntrainedModel = inputs["Untrained model"]
        dataset: Dataset = inputs["Training dataset"]
        label, seed = parameters["Label column"].one(dataset.frame, "Label column"), parameters["Random seed"]
        metric = metric_of(
            untrained.task,
            parameters["Metric for measuring performance for classification"],
            parameters["Metric for measuring performance for regression"],
        )
        against = inputs.get("Validation dataset") or folds(dataset, label, untrained.task, seed)
        chosen = list(range(untrained.combinations))
        most = parameters["Maximum number of runs on random sweep"]
        if parameters["Specify parameter sweeping mode"] != GRID and len(chosen) > most:
            chosen = np.random.Generator(np.random.PCG64(seed)).choice(chosen, most, replace=False).tolist()
        best, least, table = untrained, float("nan"), []
        for at in chosen:
            values, one = untrained.combination(at)
            found = judged(one, dataset, label, against)
            table.append({**values, **titled(untrained.task, found)})
            if better(metric, found[metric.name], least):
                best, least = one, found[metric.name]
        if least != least:
            raise ModuleFailure(
                "0021", f"{metric.title} is not defined on the rows that models are judged by."
            )
        sweep = pd.DataFrame(table).sort_values(
            metric.title, ascending=metric.better == "lower", kind="stable"
        )
        return {
            "Sweep results": Dataset(sweep.reset_index(drop=True)),
            "Trained best model": train(best, trainable(dataset, label), label),
        }

    def least_rows(self, connected: Collection[str], parameters: Parameters) -> int:
        return 1 if "Validation dataset" in connected else FOLDS
