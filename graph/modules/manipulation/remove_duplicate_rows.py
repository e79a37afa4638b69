from graph.libraries import Table
from graph.spec import Module, Parameter, Parameters


class RemoveDuplicateRows(Module):
    """Keeps of the rows with equal values in all key columns the first, or the last; missing values are equal."""

    name = "Remove Duplicate Rows"
    scoring = "left out"
    passes = True
    rows = "chosen"
    parameters = (
        Parameter("Key column selection filter expression", "ColumnPicker"),
        Parameter("Retain first duplicate row", "Boolean", True),
    )

    def change(self, frame: Table, parameters: Parameters) -> Table:
        keys = parameters["Key column selection filter expression"].select(frame)
        return frame.drop_duplicates(
            keys, keep="first" if parameters["Retain first duplicate row"] else "last"
        )
