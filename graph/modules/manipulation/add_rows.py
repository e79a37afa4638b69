from typing import Any

from graph.data.datasets import Dataset, net_type
from graph.data.frames import is_categorical, uncategorized
from graph.errors import ModuleFailure
from graph.libraries import pd
from graph.spec import Module, Parameters, Port, Ports


class AddRows(Module):
    """Puts the rows of two datasets with the same columns below each other, the columns in the order of the first."""

    name = "Add Rows"
    inputs = (Port("Dataset1"), Port("Dataset2"))
    passes = True
    rows = "any"

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        from pandas.api.types import union_categoricals

        first, second = (inputs[port.name].frame for port in self.inputs)
        if {*first.columns} != {*second.columns}:
            odd = sorted(map(str, {*first.columns} ^ {*second.columns}))
            raise ModuleFailure(
                "0028", f'Column set is not the same in both datasets: one alone has "{odd[0]}".'
            )
        made: dict[str, Any] = {}
        for name in first.columns:
            one, two = first[name], second[name]
            if (net_type(one) == "String") != (net_type(two) == "String"):
                raise ModuleFailure(
                    "0016",
                    f'Column "{name}" is {net_type(one)} in one dataset and {net_type(two)} in the other.',
                )
            if is_categorical(one) and is_categorical(two):
                made[name] = union_categoricals([one, two], sort_categories=True, ignore_order=True)
            else:
                made[name] = pd.concat([uncategorized(one), uncategorized(two)], ignore_index=True)
        dataset: Dataset = inputs["Dataset1"]
        return {"Results dataset": dataset.with_frame(pd.DataFrame(made))}
