from collections.abc import Sequence

from graph.data.frames import made_like
from graph.errors import ModuleFailure, refused
from graph.fitting import Fits, Learnt, need, numbers, numeric
from graph.flow import Column, Flow
from graph.libraries import Table, learner, np
from graph.spec import TRANSFORMATION, Parameter, Parameters, Port
from graph.steps import Made

_EXACT = 500  # up to so many rows or columns all components are found


class PrincipalComponentAnalysis(Fits):
    """Puts fewer columns, Col1, Col2, …, in the place of the selected ones, in the directions in which these vary most."""

    name = "Principal Component Analysis"
    outputs = (Port("Results dataset"), Port("PCA Transformation", TRANSFORMATION))
    parameters = (
        Parameter("Selected columns", "ColumnPicker"),
        Parameter("Number of dimensions to reduce to", "Int", minimum=1),
        Parameter("Normalize dense dataset to zero mean", "Boolean", True),
    )
    learns = {"columns": [str], "means": [float], "components": [[float]]}

    def fit(self, frame: Table, parameters: Parameters) -> Learnt:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        names, count = (
            numeric(frame, parameters["Selected columns"]),
            parameters["Number of dimensions to reduce to"],
        )
        matrix = np.column_stack([numbers(frame[name]) for name in names])
        if not np.isfinite(matrix).all():
            unfit = names[int((~np.isfinite(matrix)).any(axis=0).argmax())]
            raise refused("0018", f'column "{unfit}" has missing or infinite values')
        if count > min(matrix.shape):
            raise ModuleFailure(
                "0007",
                f'Parameter "Number of dimensions to reduce to" has value "{count}" which should be less than or equal '
                f"to the {min(matrix.shape)} that {len(names)} columns and {len(matrix)} rows have.",
            )
        solver = "full" if min(matrix.shape) <= _EXACT else "randomized"
        with threadpool_limits(limits=1):
            if parameters["Normalize dense dataset to zero mean"]:
                fitted = learner("decomposition.PCA")(count, svd_solver=solver, random_state=0).fit(matrix)
                means, found = fitted.mean_, fitted.components_
            elif solver == "full":
                means, found = np.zeros(len(names)), np.linalg.svd(matrix, full_matrices=False)[2][:count]
            else:
                means = np.zeros(len(names))
                found = learner("decomposition.TruncatedSVD")(count, random_state=0).fit(matrix).components_
        return {"columns": names, "means": means.tolist(), "components": found.tolist()}

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        names = learnt["columns"]
        need(frame, names)
        left = [name for name in frame.columns if name not in set(names)]
        made = _made(learnt)
        if twice := set(left) & set(made):
            raise refused("0026", f'"{min(twice)}"')
        sums = np.zeros((len(made), len(frame)))
        for at, (name, mean) in enumerate(zip(names, learnt["means"], strict=True)):
            values = numbers(frame[name]) - mean
            for row, weights in zip(sums, learnt["components"], strict=True):
                row += values * weights[at]
        return made_like(frame, {**dict(frame[left].items()), **dict(zip(made, sums, strict=True))})

    def makes(self, learnt: Learnt) -> Sequence[Made]:
        return [(tuple(learnt["columns"]), _made(learnt))]

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        chosen = inputs["Dataset"].selected(parameters["Selected columns"])
        if chosen is None:
            return {}
        count = parameters["Number of dimensions to reduce to"]
        made = {f"Col{at}": Column() for at in range(1, min(count, len(chosen)) + 1)}
        return {"Results dataset": inputs["Dataset"].without(chosen).having(made)}


def _made(learnt: Learnt) -> tuple[str, ...]:
    return tuple(f"Col{at}" for at in range(1, len(learnt["components"]) + 1))
