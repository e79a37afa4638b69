from typing import Any, Self

from graph.data.datasets import TASK_REGRESSION
from graph.errors import unparsed
from graph.learning.trees import Forest, single
from graph.learning.untrained import SEED, UNKNOWN_LEVELS, Fitted, Learner
from graph.libraries import np
from graph.models.features import ORDINAL
from graph.spec import Parameter, Parameters

QUANTILES = "Quantiles to be estimated"


class FastForestQuantileRegression(Learner):
    """Quantiles of the training values that the leaves of a forest have together (Meinshausen, 2006).

    A leaf is represented by as many values as the sample count says, at even distances. Scoring adds a column
    `Quantile 0.25` for each, and the middle one as Scored Labels.
    """

    name = "Fast Forest Quantile Regression"
    encoding = ORDINAL
    parameters = (
        Parameter("Number of Trees", "Int", 100, minimum=1, maximum=10_000, sweep=(16, 32, 64)),
        Parameter("Number of Leaves", "Int", 20, minimum=2, sweep=(16, 32, 64)),
        Parameter(
            "Minimum number of training instances required to form a leaf",
            "Int",
            10,
            minimum=1,
            sweep=(1, 5, 10),
        ),
        Parameter("Bagging fraction", "Float", 0.7, above=0, maximum=1, sweep=(0.25, 0.5, 0.75)),
        Parameter("Split fraction", "Float", 0.7, above=0, maximum=1, sweep=(0.25, 0.5, 0.75)),
        Parameter("Quantile sample count", "Int", 100, minimum=1, maximum=10_000),
        Parameter(QUANTILES, "String", "0.25;0.5;0.75"),
        SEED,
        UNKNOWN_LEVELS,
    )

    def estimator(self, parameters: Parameters) -> Any:
        return _Quantiles(
            _quantiles(parameters[QUANTILES]),
            parameters["Quantile sample count"],
            n_estimators=parameters["Number of Trees"],
            max_leaf_nodes=parameters["Number of Leaves"],
            min_samples_leaf=parameters["Minimum number of training instances required to form a leaf"],
            max_samples=parameters["Bagging fraction"],
            share=parameters["Split fraction"],
            random_state=parameters["Random number seed"],
        )

    def export(self, fitted: Any, width: int) -> Fitted:
        from graph.models.forms.forest import export

        names = tuple(f"Quantile {quantile:g}" for quantile in fitted.quantiles)
        return Fitted(export(fitted.trees, fitted.samples, fitted.quantiles), "forest", names)


class _Quantiles:
    def __init__(self, quantiles: tuple[float, ...], count: int, **settings: Any) -> None:
        self.quantiles, self.count, self.settings = quantiles, count, settings

    def fit(self, matrix: Any, target: Any) -> Self:
        forest = Forest(TASK_REGRESSION, **self.settings).fit(matrix, target).forest
        leaves = forest.apply(single(matrix))
        self.trees, self.samples = [one.tree_ for one in forest.estimators_], []
        for at, tree in enumerate(self.trees):
            values = np.zeros((tree.node_count, self.count))
            order = np.argsort(leaves[:, at], kind="stable")
            found, starts = np.unique(leaves[order, at], return_index=True)
            for leaf, part in zip(found, np.split(target[order], starts[1:]), strict=True):
                values[leaf] = np.quantile(part, (np.arange(self.count) + 0.5) / self.count)
            self.samples.append(values)
        return self


def _quantiles(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.replace(",", ";").split(";") if part.strip())
    except ValueError:
        found = ()
    if not found or not all(0 < quantile < 1 for quantile in found) or len(set(found)) < len(found):
        raise unparsed(QUANTILES, text, "use numbers between 0 and 1")
    return tuple(sorted(found))
