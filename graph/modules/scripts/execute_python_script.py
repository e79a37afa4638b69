import ast
import io
import math
from typing import Any, Final

from graph.data.datasets import Dataset
from graph.errors import ModuleFailure
from graph.libraries import np
from graph.spec import Module, Parameter, Parameters, Port, Ports
from sandbox import Answer, Call, confinement, run

SCRIPT: Final = "Python script"
_ENTRY: Final = "azureml_main"
_SECONDS: Final = 300
_MEGABYTES: Final = 4096


class ExecutePythonScript(Module):
    """Calls `azureml_main(dataframe1, dataframe2)` of a script, which returns a sequence of one DataFrame.

    The script runs in a process of its own: without secrets, network, other processes and all files but those of an empty
    folder, for at most 300 seconds and in 4 GB. Where a machine cannot keep it from these, it does not run. It is for whoever
    runs the graph to allow scripts. What it makes of equal data may differ, and of a row alone from that in a table: it is the
    script's to answer. Script bundles, the version of Python and the output Python device are not offered.
    """

    name = "Execute Python Script"
    inputs = (Port("Dataset1", optional=True), Port("Dataset2", optional=True))
    outputs = (Port("Result dataset"),)
    parameters = (Parameter(SCRIPT, "Script"),)
    scripts = True

    def check(self, parameters: Parameters) -> None:
        try:
            tree = ast.parse(parameters[SCRIPT])
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise _failed(str(getattr(error, "msg", error)), getattr(error, "lineno", None) or 0) from None
        if not any(isinstance(each, ast.FunctionDef) and each.name == _ENTRY for each in tree.body):
            raise _failed(f"it has no function {_ENTRY}(dataframe1, dataframe2)")

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        if why := confinement():
            raise ModuleFailure("0085", f"The script was not run: {why}.")
        tables = [_stream(inputs[port.name]) if port.name in inputs else None for port in self.inputs]
        script = parameters[SCRIPT].encode()
        call = Call(
            script, "script.py", _ENTRY, tables=tables, wants="table", seconds=_SECONDS, megabytes=_MEGABYTES
        )
        return {"Result dataset": Dataset(_frame(run(call)))}


def _failed(why: str, line: int = 0) -> ModuleFailure:
    where = f"line {line}: " if line else ""
    return ModuleFailure("0085", f"The following error occurred during script evaluation: {where}{why}")


def _stream(dataset: Dataset) -> bytes:
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(dataset.frame, preserve_index=False).replace_schema_metadata(None)
    except pa.ArrowException as error:
        raise ModuleFailure("0018", f"Dataset contains invalid data: {error}") from None
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def _frame(answer: Answer) -> Any:
    """The table that the script returned. Raises 0085 where it returned none, 0017 for a column that no dataset has."""
    import pyarrow as pa

    if answer.table is None:
        why = answer.problem
        if answer.late:
            why = f"it took longer than {_SECONDS} seconds"
        elif answer.memory:
            why = f"it needs more than {_MEGABYTES:,} MB of memory"
        raise _failed(why or "it returned no table", answer.line)
    try:
        table = pa.ipc.open_stream(answer.table).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise _failed(f"what it returned cannot be read: {error}") from None
    for field in table.schema:
        if not any(fits(field.type) for fits in _kinds(pa.types)):
            raise ModuleFailure(
                "0017",
                f'Cannot process column "{field.name}" of type {field.type}, which the script returned.',
            )
    frame = table.to_pandas()
    for name in frame.columns:
        kind = frame[name].dtype.kind
        wide = {"f": np.float64, "i": np.int64, "u": np.float64}.get(kind)
        if wide is not None:
            frame[name] = frame[name].astype(wide)
        elif kind == "O" and frame[name].isna().all():
            frame[name] = math.nan
    return frame


def _kinds(types: Any) -> tuple[Any, ...]:
    return (
        *(types.is_boolean, types.is_integer, types.is_floating, types.is_null, types.is_timestamp),
        *(types.is_string, types.is_large_string, types.is_dictionary),
    )
