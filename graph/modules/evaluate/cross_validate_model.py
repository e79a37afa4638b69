from collections.abc import Collection
from typing import Any

from graph.data.datasets import TASK_MULTICLASS, Dataset
from graph.learning.scoring import measured
from graph.learning.untrained import UntrainedModel
from graph.learning.validation import CLASSIFICATION, FOLDS, REGRESSION, folds, metric_of, titled, validated
from graph.libraries import pd
from graph.spec import UNTRAINED, Module, Parameter, Parameters, Port, Ports


class CrossValidateModel(Module):
    """Scores each fold of the rows by a model that was trained on the others, and measures each.

    Folds are those that Partition and Sample has assigned, or else ten. The second output has a row a fold, then the mean and
    the standard deviation over the folds.
    """

    name = "Cross Validate Model"
    inputs = (Port("Untrained model", UNTRAINED), Port("Dataset"))
    outputs = (Port("Scored results"), Port("Evaluation results by fold"))
    parameters = (
        Parameter("Label column", "ColumnPicker"),
        Parameter("Random seed", "Int", 0, minimum=0, maximum=2**31 - 1),
    )

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        untrained: UntrainedModel = inputs["Untrained model"]
        dataset: Dataset = inputs["Dataset"]
        task = untrained.task
        metric_of(task, next(iter(CLASSIFICATION)), next(iter(REGRESSION)))  # it is supervised
        label = parameters["Label column"].one(dataset.frame, "Label column")
        parts: list[Any] = []
        table: list[dict[str, Any]] = []
        for at, fold in enumerate(folds(dataset, label, task, parameters["Random seed"])):
            part = validated(untrained, dataset, label, fold)
            values = measured(part)
            parts.append(part.frame.assign(**{"Fold Assignments": at}))
            table.append(_about(str(at), len(fold), untrained) | titled(task, values))
        frame = pd.concat(parts)
        if task == TASK_MULTICLASS:  # of a class that is in one fold alone no other model knows
            chances = [name for name in frame.columns if str(name).startswith("Scored Probabilities for")]
            frame[chances] = frame[chances].fillna(0.0)
        evaluation = pd.DataFrame(table)
        numbers = evaluation.iloc[:, 3:]
        for name, row in (("Mean", numbers.mean()), ("Standard Deviation", numbers.std())):
            table.append(_about(name, len(frame), untrained) | {str(t): value for t, value in row.items()})
        return {
            "Scored results": Dataset(frame.sort_index(), part.scored),
            "Evaluation results by fold": Dataset(pd.DataFrame(table)),
        }

    def least_rows(self, connected: Collection[str], parameters: Parameters) -> int:
        return FOLDS


def _about(fold: str, examples: int, untrained: UntrainedModel) -> dict[str, Any]:
    return {"Fold Number": fold, "Number of examples in fold": examples, "Model": untrained.learner}
