from graph.data.datasets import Dataset
from graph.data.reading import read_table
from graph.errors import ModuleError, ModuleFailure
from graph.flow import Column, Columns, Flow
from graph.spec import Module, Parameter, Parameters, Port, Ports, choice
from tables import TableError, form_of, read

_LONGEST = 1_000_000


class EnterDataManually(Module):
    """A small table that is written in the experiment, as CSV, TSV or ARFF; SVMLight is not offered."""

    name = "Enter Data Manually"
    inputs = ()
    outputs = (Port("dataset"),)
    parameters = (
        choice("DataFormat", "CSV", "TSV", "ARFF"),
        Parameter("HasHeader", "Boolean", True),
        Parameter("Data", "String"),
    )

    def check(self, parameters: Parameters) -> None:
        if len(parameters["Data"]) > _LONGEST:
            raise ModuleFailure(
                "0008", f'Parameter "Data" has more than {_LONGEST} characters: give it as a dataset.'
            )
        _columns(parameters)

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        try:
            frame = read_table(parameters["Data"].encode(), _extension(parameters), "Data")
        except ModuleError as error:
            raise ModuleFailure(error.code, error.message) from None
        return {"dataset": Dataset(frame)}

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        return {"dataset": Columns({name: Column() for name in _columns(parameters)}, "none")}


def _extension(parameters: Parameters) -> str:
    kind = parameters["DataFormat"]
    return f"{'' if parameters['HasHeader'] or kind == 'ARFF' else '.nh'}.{kind.lower()}"


def _columns(parameters: Parameters) -> list[str]:
    extension = _extension(parameters)
    try:
        table = read(parameters["Data"].encode(), "Data", form=form_of(extension)).check()
    except TableError as error:
        raise ModuleFailure("0049", f'Parameter "Data" cannot be parsed as a table: {error.what}.') from None
    if not table.columns:
        raise ModuleFailure("0003", 'Parameter "Data" is null or empty.')
    return [str(name) for name in table.columns]
