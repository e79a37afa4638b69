"""Data Input and Output: Enter Data Manually."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.data.datasets import Dataset
from graph.data.reading import read_table
from graph.errors import ModuleError, ModuleFailure
from graph.flow import Column, Columns
from graph.spec import Module, Parameter, Port
from tables import TableError, form_of, read

_LONGEST = 1_000_000


class EnterDataManually(Module):
    """A small table that is written in the experiment, as CSV, TSV or ARFF; SVMLight is not offered."""

    name = "Enter Data Manually"
    inputs = ()
    outputs = (Port("dataset"),)
    parameters = (
        Parameter("DataFormat", "Enumerated", "CSV", ("CSV", "TSV", "ARFF")),
        Parameter("HasHeader", "Boolean", True),
        Parameter("Data", "String"),
    )

    def check(self, parameters: Mapping[str, Any]) -> None:
        """See Module."""
        if len(parameters["Data"]) > _LONGEST:
            raise ModuleFailure(
                "0008", f'Parameter "Data" has more than {_LONGEST} characters: give it as a dataset.'
            )
        _columns(parameters)

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        try:
            frame = read_table(parameters["Data"].encode(), _extension(parameters), "Data")
        except ModuleError as error:
            raise ModuleFailure(error.code, error.message) from None
        return {"dataset": Dataset(frame)}

    def columns(self, inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Mapping[str, Columns]:
        """See Module."""
        return {"dataset": Columns({name: Column() for name in _columns(parameters)}, "none")}


def _extension(parameters: Mapping[str, Any]) -> str:
    kind = parameters["DataFormat"]
    return f"{'' if parameters['HasHeader'] or kind == 'ARFF' else '.nh'}.{kind.lower()}"


def _columns(parameters: Mapping[str, Any]) -> list[str]:
    extension = _extension(parameters)
    try:
        table = read(parameters["Data"].encode(), "Data", form=form_of(extension)).check()
    except TableError as error:
        raise ModuleFailure("0049", f'Parameter "Data" cannot be parsed as a table: {error.what}.') from None
    if not table.columns:
        raise ModuleFailure("0003", 'Parameter "Data" is null or empty.')
    return [str(name) for name in table.columns]
