from collections.abc import Mapping, Sequence
from typing import Any

from graph.data.frames import is_categorical, mapped, with_columns
from graph.errors import ModuleFailure, refused
from graph.fitting import Fits, Learnt, present
from graph.flow import Flow
from graph.libraries import Table
from graph.models.features import level_text
from graph.spec import TRANSFORMATION, Parameter, Parameters, Port
from graph.steps import Made


class ConvertToIndicatorValues(Fits):
    """Makes a column of 0 and 1 of each level of a categorical column, called `column-level`; `column-Missing` where one is.

    The transformation, which Studio does not offer here, makes the same columns of other rows: for a level that was not
    there when it was fitted all are 0.
    """

    name = "Convert to Indicator Values"
    outputs = (Port("Results dataset"), Port("Indicator values transformation", TRANSFORMATION))
    parameters = (
        Parameter("Categorical columns to convert", "ColumnPicker"),
        Parameter("Overwrite categorical columns", "Boolean", False),
    )
    learns = {"columns": {"*": {"levels": [str], "missing": bool}}, "overwrite": bool}

    def fit(self, frame: Table, parameters: Parameters) -> Learnt:
        columns = {}
        for name in parameters["Categorical columns to convert"].select(frame):
            values = frame[name]
            if not is_categorical(values):
                raise ModuleFailure(
                    "0056", f'Column with name "{name}" is not in an allowed category: it is not categorical.'
                )
            there = set(values.cat.codes.unique())
            levels = [level_text(each) for at, each in enumerate(values.cat.categories) if at in there]
            columns[name] = {"levels": list(dict.fromkeys(levels)), "missing": -1 in there}
        return {"columns": columns, "overwrite": parameters["Overwrite categorical columns"]}

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        made: dict[str, Any] = {}
        found = present(frame, learnt)
        for name, values, each in found:
            texts = mapped(values, level_text)
            for level, column in zip(_levels(each), _made(name, learnt), strict=True):
                made[column] = (texts == level).astype("int64")
        clash = sorted({*made} & {*frame.columns})
        if clash:
            raise refused("0026", f'"{clash[0]}"')
        result = with_columns(frame, made)
        return result.drop(columns=[name for name, *_ in found]) if learnt["overwrite"] else result

    def makes(self, learnt: Learnt) -> Sequence[Made]:
        return [((name,), _made(name, learnt)) for name in learnt["columns"]]

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        chosen = dataset.selected(parameters["Categorical columns to convert"])
        if parameters["Overwrite categorical columns"]:
            dataset = dataset.without(chosen or ())
        return {"Results dataset": dataset.open()} if chosen is not None else {}


def _levels(column: Mapping[str, Any]) -> list[str | None]:
    return [*column["levels"], *([None] if column["missing"] else [])]


def _made(name: str, learnt: Learnt) -> tuple[str, ...]:
    return tuple(f"{name}-{'Missing' if each is None else each}" for each in _levels(learnt["columns"][name]))
