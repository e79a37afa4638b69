"""Tables read from files, typed as the experiment says, else as the file says, else by their values."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from graph.data.datasets import net_type
from graph.data.declared import NOTHING, Declared
from graph.data.values import doubtful, guessed, typed
from graph.data.well_formed import is_well_formed
from graph.errors import ModuleError, ModuleFailure, column_not_found
from tables import ENDINGS, MISSING, Form, RepeatedColumn, TableError, Text, Typed, form_of, read
from tables.forms import PARQUET
from tables.parquet import as_texts, load

if TYPE_CHECKING:
    import pandas as pd

_PLAINLY: Final = {
    "Int64": "i",
    "Double": "if",
    "Boolean": "b",
    "String": "O",
}  # kinds that pandas gives them


def read_table(
    data: bytes, extension: str, name: str = "input", *, typed: bool = True, declared: Declared = NOTHING
) -> pd.DataFrame:
    """Parse a dataset file; its columns have the types *declared*, else the file's, else those that all their values fit; or,
    not `typed`, are all text.

    `extension` is one of `tables.ENDINGS`; without a header line (`.nh.csv`) columns are called Col1, Col2, …. Raises
    ModuleError (module: `name`, code 0049) when the file is not such a table, from the TableError that says what helps; 0001 for a declared column that it has not.
    """
    extension = extension.lower()
    if extension not in ENDINGS:
        raise ModuleError(
            name, "0049", f'"{extension}" is not a table; use one of: ' + ", ".join(ENDINGS) + "."
        )
    try:
        return _read(data, form_of(extension), name, typed, declared)
    except RepeatedColumn as error:
        raise ModuleError(
            name, "0026", f"Columns with the same name are not allowed: {error.what}."
        ) from error
    except TableError as error:
        raise _not_a_table(name, error.what) from error
    except ModuleFailure as failure:
        raise ModuleError(name, failure.code, failure.message) from None


def _read(data: bytes, form: Form, name: str, typed: bool, declared: Declared) -> pd.DataFrame:
    if form.kind == PARQUET and typed:
        return _of_arrow(load(data, name), name, declared)
    table = read(data, name, form=form)
    if not table.columns:
        raise ModuleFailure("0003", f'Input "{name}" is null or empty: the file has no header and no rows.')
    if typed:
        _refuse_lacking(table.columns, declared)
    if isinstance(table, Text):
        return _of_text(table, name, typed, declared)
    assert isinstance(table, Typed)
    return _of_texts(table, typed, declared)


def _of_text(table: Text, name: str, as_typed: bool, declared: Declared) -> pd.DataFrame:
    """By pandas, which is quick; what it may have read otherwise than is said here is read again."""
    import pandas as pd

    body = table.body.encode("utf-8")
    if not is_well_formed(body, table.delimiter, len(table.columns)):
        table.check()

    def parsed(**how: Any) -> pd.DataFrame:
        found: pd.DataFrame = pd.read_csv(
            io.BytesIO(body),
            sep=table.delimiter,
            names=list(table.columns),
            header=None,
            index_col=False,
            keep_default_na=False,
            na_values=[*MISSING, *declared.missing],
            low_memory=False,
            on_bad_lines="error",
            **how,
        )
        return found

    try:
        frame = parsed() if as_typed else parsed(dtype="str")
    except (ValueError, OverflowError) as error:  # what the text says is what pandas makes no column of
        raise _not_a_table(name, str(error)) from None
    if not as_typed:
        return _without_marks(frame, declared)
    doubted = [
        column
        for column in table.columns
        if not _is_plainly(frame[column], declared.types.get(column, ""), declared)
    ]
    whole = [
        name for name, kind in declared.types.items() if kind == "Double" and frame[name].dtype.kind == "i"
    ]
    if whole:
        frame = frame.astype(dict.fromkeys(whole, "float64"))
    if not doubted:
        return frame
    texts = _without_marks(parsed(dtype="str", usecols=doubted), declared)
    return frame.assign(
        **{column: _typed(texts[column], declared.types.get(column, "")) for column in doubted}
    )


def _is_plainly(values: pd.Series[Any], type_name: str, declared: Declared) -> bool:
    """Whether pandas has certainly read the column as one of that type, as one of its values' where none is given."""
    from pandas import StringDtype

    if doubtful(values) and (type_name != "String" or not isinstance(values.dtype, StringDtype)):
        return False
    if declared.missing and values.dtype.kind == "O":
        return False
    if type_name == "Int32" and net_type(values) == "Int64":
        return False
    return not type_name or values.dtype.kind in _PLAINLY.get(type_name, "")


def _of_texts(table: Typed, as_typed: bool, declared: Declared) -> pd.DataFrame:
    """Of a file that says types, and has texts."""
    import pandas as pd

    columns = {
        column: pd.Series([None if cell in MISSING else cell for cell in cells], dtype="str", name=column)
        for column, cells in zip(table.columns, table.values, strict=True)
    }
    frame = _without_marks(pd.DataFrame(columns), declared)
    if not as_typed:
        return frame
    types = {**table.types, **declared.types}
    return pd.DataFrame({column: _typed(frame[column], types.get(column, "")) for column in table.columns})


def _of_arrow(table: Any, name: str, declared: Declared) -> pd.DataFrame:
    import pandas as pd

    if not table.column_names:
        raise ModuleFailure("0003", f'Input "{name}" is null or empty: the file has no columns.')
    _refuse_lacking(table.column_names, declared)
    said = as_texts(table.slice(0, 0), name).types
    found: dict[str, Any] = {}
    for column, values in zip(table.column_names, table.columns, strict=True):
        wanted = declared.types.get(column, said[column])
        if wanted != said[column] or declared.missing:
            (texts,) = as_texts(table.select([column]), name).values
            series = pd.Series(declared.known([cell or None for cell in texts]), dtype="str", name=column)
            found[column] = _typed(series, wanted)
        elif said[column] == "Boolean" and values.null_count:
            found[column] = values.cast("uint8").to_numpy()
        else:
            found[column] = values.to_pandas() if said[column] == "String" else values.to_numpy()
    return pd.DataFrame(found)


def _refuse_lacking(columns: Any, declared: Declared) -> None:
    """Raises 0001 for a column whose type is declared and that is not there."""
    for column in declared.types:
        if column not in columns:
            raise column_not_found(column)


def _without_marks(frame: pd.DataFrame, declared: Declared) -> pd.DataFrame:
    """A frame of texts with the declared marks as missing values."""
    if not declared.missing:
        return frame
    marked = {
        name: values.isin([each for each in values.unique() if declared.is_missing(each)])
        for name, values in frame.items()
    }
    return frame.assign(
        **{str(name): frame[name].mask(marks) for name, marks in marked.items() if marks.any()}
    )


def _typed(texts: pd.Series[Any], type_name: str) -> Any:
    if type_name == "String":
        return texts
    found = typed(texts, type_name) if type_name else guessed(texts)
    return texts if found.dtype == object else found


def _not_a_table(name: str, why: str) -> ModuleError:
    return ModuleError(name, "0049", f"The file cannot be parsed as a table: {why}.")
