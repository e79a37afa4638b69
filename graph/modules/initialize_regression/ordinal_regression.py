from typing import Any

from graph.learning.several import Several, SeveralLearner
from graph.spec import Parameters


class OrdinalRegression(SeveralLearner):
    """Ranks: a two-class model for each rank says whether a row is above it, and the answer is as many ranks up.

    So Frank and Hall (2001) do it; Studio's module trains one model on the rows repeated for each rank.
    """

    name = "Ordinal Regression"

    def estimator(self, parameters: Parameters) -> Any:
        def steps(target: Any) -> list[Any]:
            return [target > rank for rank in sorted(set(target.tolist()))[:-1]]

        return Several(self.inner(parameters), steps, ranks=True)

    def unfit(self, target: Any) -> str:
        ranks = len(set(target.tolist()))
        return f"it has {ranks} different values, more than a rank has (1000)" if ranks > 1000 else ""
