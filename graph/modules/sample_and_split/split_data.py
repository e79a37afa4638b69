from graph.calculation.conditions import matches, parse
from graph.calculation.sampling import SEED, generator, strata
from graph.columns import ColumnSelection
from graph.data.datasets import Dataset
from graph.flow import Flow
from graph.libraries import Array, np
from graph.spec import Module, Parameter, Parameters, Port, Ports, choice

ROWS, REGULAR, RELATIVE = "Split Rows", "Regular Expression", "Relative Expression"


class SplitData(Module):
    r"""Divides the rows in two: by number, or by what is in a column. Recommender Split is not offered.

    By number at random by a seed, in equal proportions of a stratification column if wanted. A regular expression is looked
    for in a text column (`\"Text" Gryphon`), a relative one compares a column of numbers or dates (`\"Year" > 2010 & < 2015`);
    a column is also written by its index (`(\0)`). Both outputs keep the order of the input's rows. Equal rows, fraction and
    seed give equal outputs.
    """

    name = "Split Data"
    outputs = (Port("Results dataset1"), Port("Results dataset2"))
    scoring = "left out"
    parameters = (
        choice("Splitting mode", ROWS, REGULAR, RELATIVE),
        Parameter("Fraction of rows in the first output dataset", "Float", 0.5, minimum=0, maximum=1),
        Parameter("Randomized split", "Boolean", True),
        SEED,
        Parameter("Stratified split", "Boolean", False),
        Parameter("Stratification key column", "ColumnPicker", None),
        Parameter("Regular expression", "String", '\\"column name" ^start', later=True),
        Parameter("Relational expression", "String", '\\"column name" > 3', later=True),
    )

    def check(self, parameters: Parameters) -> None:
        if parameters["Splitting mode"] != ROWS:
            parse(*_condition(parameters))

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        frame = dataset.frame
        if parameters["Splitting mode"] == ROWS:
            first = _by_number(dataset, parameters)
        else:
            first = matches(frame, parse(*_condition(parameters)))
        return {
            "Results dataset1": dataset.with_frame(frame[first]),
            "Results dataset2": dataset.with_frame(frame[~first]),
        }

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        if parameters["Splitting mode"] != ROWS:
            column = parse(*_condition(parameters)).column
            if isinstance(column, str):
                dataset.selected(ColumnSelection.of(column))
            dataset = dataset.with_rows("chosen")
        elif parameters["Stratified split"]:
            dataset.selected(parameters["Stratification key column"])
        return {port.name: dataset for port in self.outputs}


def _condition(parameters: Parameters) -> tuple[str, str, bool]:
    regular = parameters["Splitting mode"] == REGULAR
    name = "Regular expression" if regular else "Relational expression"
    return name, parameters[name], regular


def _by_number(dataset: Dataset, parameters: Parameters) -> Array:
    fraction = parameters["Fraction of rows in the first output dataset"]
    random = generator(parameters["Random seed"])
    first = np.zeros(dataset.rows, dtype=bool)
    for group in strata(dataset.frame, parameters):
        count = round(len(group) * fraction)
        order = random.permutation(group) if parameters["Randomized split"] else group
        first[order[:count]] = True
    return first
