from typing import Any

from graph.columns import ColumnSelection
from graph.data.datasets import Dataset, is_numeric
from graph.errors import ModuleFailure, refused
from graph.fitting import numbers
from graph.libraries import Table, np, pd
from graph.spec import Module, Parameter, Parameters, Port, Ports


class Smote(Module):
    """Adds rows of the class with the fewest, each between one of its rows and one of that row's nearest neighbours.

    The label is the column that Edit Metadata marks, or the one that is named here. Numbers lie between those of the two
    rows, whatever else is that of one of them; nearness is that of the numeric columns, by their deviations.
    """

    name = "SMOTE"
    inputs = (Port("Samples"),)
    outputs = (Port("Table"),)
    scoring = "left out"
    passes = True
    rows = "any"
    parameters = (
        Parameter("Label column", "ColumnPicker", None),
        Parameter("SMOTE percentage", "Int", 100, minimum=0, maximum=10_000),
        Parameter("Number of nearest neighbors", "Int", 1, minimum=1, maximum=1000),
        Parameter("Random seed", "Int", 0, minimum=0, maximum=2**31 - 1),
    )

    def check(self, parameters: Parameters) -> None:
        if parameters["SMOTE percentage"] % 100:
            raise ModuleFailure("0008", 'Parameter "SMOTE percentage" is not a multiple of 100.')

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Samples"]
        frame = dataset.frame
        selection: ColumnSelection | None = parameters["Label column"]
        marked = dataset.marked("Label")
        if selection is None and len(marked) != 1:
            raise ModuleFailure(
                "0024", "There is no label column in the dataset: mark one with Edit Metadata."
            )
        label = marked[0] if selection is None else selection.one(frame, "Label column")
        sizes = frame[label].value_counts().sort_index(kind="stable")
        rare = frame[frame[label] == sizes.idxmin()] if len(sizes) else frame[:0]
        times, near = parameters["SMOTE percentage"] // 100, parameters["Number of nearest neighbors"]
        if len(rare) <= near:
            raise refused(
                "0021", f"the smallest class has {len(rare)}, for {near} nearest neighbors it needs one more"
            )
        neighbours = _nearest(rare.drop(columns=[label]), near)
        generator = np.random.Generator(np.random.PCG64(parameters["Random seed"]))
        base = np.repeat(np.arange(len(rare)), times)
        other = neighbours[base, generator.integers(near, size=len(base))]
        share = generator.random(len(base))
        made: dict[str, Any] = {}
        for name in frame.columns:
            values = rare[name]
            if is_numeric(values) and name != label and values.dtype.kind != "b":
                one, two = numbers(values)[base], numbers(values)[other]
                made[name] = one + (two - one) * share
                if values.dtype.kind in "iu":
                    made[name] = np.round(made[name]).astype("int64")
            else:
                made[name] = values.iloc[np.where(share < 0.5, base, other)].array
        table = pd.concat([frame, pd.DataFrame(made)], ignore_index=True) if times else frame
        return {"Table": dataset.with_frame(table)}


def _nearest(frame: Table, count: int) -> Any:
    """The positions of each row's nearest others."""
    from scipy import spatial

    columns = [numbers(frame[name]) for name in frame.columns if is_numeric(frame[name])]
    matrix = np.column_stack(columns) if columns else np.zeros((len(frame), 1))
    if not np.isfinite(matrix).all():
        raise refused("0018", "numbers are missing; clean them first")
    scale = matrix.std(axis=0)
    matrix = matrix / np.where(scale > 0, scale, 1.0)
    library: Any = spatial
    near = library.KDTree(matrix).query(matrix, count + 1)[1]
    others = near != np.arange(len(matrix))[:, None]
    others[others.all(axis=1), -1] = False  # among equal rows a row need not be its own nearest
    return near[others].reshape(len(matrix), count)
