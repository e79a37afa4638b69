import re
import sqlite3
import time
from contextlib import closing
from typing import Any, Final

from graph.data.datasets import Dataset
from graph.data.frames import uncategorized
from graph.errors import ModuleFailure, refused
from graph.libraries import Series, Table, np, pd
from graph.spec import Module, Parameter, Parameters, Port, Ports

SCRIPT: Final = "SQL Query Script"
_SECONDS: Final = 300.0
_CHECKED: Final = 100_000  # instructions between two looks at the clock
_MOST_ROWS: Final = 20_000_000
_MOST_PAGES: Final = 2**20  # of 4 KiB
_REFUSED: Final = {
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_PRAGMA: "PRAGMA",
    sqlite3.SQLITE_CREATE_VTABLE: "a virtual table",
}
_UNSURE: Final = frozenset(
    {"random", "randomblob", "load_extension", "sqlite_version", "sqlite_source_id", "changes"}
)
_NOW: Final = frozenset({"current_timestamp", "current_date", "current_time"})


class ApplySqlTransformation(Module):
    """Runs SQL in SQLite's dialect on the datasets, which are the tables t1, t2 and t3; the last SELECT is the result.

    It runs in memory: no file, no ATTACH or PRAGMA, no function whose result is not of the data alone (random), at most
    300 seconds. Rows without ORDER BY come in SQLite's order.
    """

    name = "Apply SQL Transformation"
    inputs = (Port("Table1"), Port("Table2", optional=True), Port("Table3", optional=True))
    parameters = (Parameter(SCRIPT, "String", "select * from t1;"),)

    def check(self, parameters: Parameters) -> None:
        if not _statements(parameters[SCRIPT]):
            raise ModuleFailure("0003", f'Parameter "{SCRIPT}" is null or empty.')
        if re.search(r"'\s*now\s*'", parameters[SCRIPT], re.IGNORECASE):
            raise ModuleFailure(
                "0069", "The SQL query asks for the time of day ('now'): give the date as data."
            )

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        given: Dataset = inputs["Table1"]
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
            for number, port in enumerate(self.inputs, 1):
                if port.name in inputs:
                    _load(database, f"t{number}", inputs[port.name].frame)
            _confine(database)
            return {"Results dataset": given.with_frame(_result(database, parameters[SCRIPT]))}


def _confine(database: sqlite3.Connection) -> None:
    refused: list[str] = []

    def allowed(action: int, one: str | None, two: str | None, *_more: Any) -> int:
        function = str(two).casefold() if action == sqlite3.SQLITE_FUNCTION else ""
        if action in _REFUSED or function in _UNSURE | _NOW:
            refused.append(_REFUSED.get(action, f"{function}()"))
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    end = time.monotonic() + _SECONDS
    database.execute(f"PRAGMA max_page_count = {_MOST_PAGES}")
    database.execute("PRAGMA temp_store = MEMORY")
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000_000)
    database.set_authorizer(allowed)
    database.set_progress_handler(lambda: time.monotonic() > end, _CHECKED)


def _load(database: sqlite3.Connection, table: str, frame: Table) -> None:
    if len(frame.columns) > 2000:
        raise ModuleFailure("0018", f"{table} has {len(frame.columns)} columns; SQLite has 2000 at most.")
    names = [_quoted(name) for name in frame.columns]
    if len({name.casefold() for name in names}) < len(names):
        raise refused("0026", f"those of {table} differ in case only")
    columns = [_plain(frame[name]) for name in frame.columns]
    database.execute(f"CREATE TABLE {table} ({', '.join(names)})")
    marks = ", ".join("?" * len(names))
    database.executemany(f"INSERT INTO {table} VALUES ({marks})", zip(*columns, strict=True))  # noqa: S608 - one of three


def _plain(values: Series) -> list[Any]:
    values = uncategorized(values)
    if values.dtype.kind == "M":
        values = values.dt.strftime("%Y-%m-%d %H:%M:%S")
    return [None if value != value else value for value in values.tolist()]


def _result(database: sqlite3.Connection, script: str) -> Table:
    found = None
    try:
        for statement in _statements(script):
            cursor = database.execute(statement)
            if cursor.description is not None:
                names = [str(each[0]) for each in cursor.description]
                rows = cursor.fetchmany(_MOST_ROWS + 1)
                found = names, rows
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError) as error:
        why = f"it took more than {_SECONDS:g} seconds" if "interrupted" in str(error) else str(error)
        raise ModuleFailure("0069", f"The SQL query could not be run: {why}.") from None
    if found is None:
        raise ModuleFailure("0069", "The SQL query has no SELECT whose rows would be the result.")
    names, rows = found
    if len(rows) > _MOST_ROWS:
        raise ModuleFailure("0069", f"The result of the SQL query has more than {_MOST_ROWS} rows.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise refused("0026", f'"{twice}"')
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pd.DataFrame({name: _column(values) for name, values in zip(names, columns, strict=True)})


def _column(values: Any) -> Any:
    """Numbers where all are, a missing one NaN; else text."""
    present = [value for value in values if value is not None]
    if any(isinstance(value, bytes) for value in present):
        raise ModuleFailure("0069", "The result of the SQL query has a BLOB; a dataset has none.")
    if any(isinstance(value, str) for value in present):
        return np.array([None if value is None else str(value) for value in values], object)
    if present and len(present) == len(values) and all(isinstance(value, int) for value in present):
        return np.array(values, np.int64)
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def _statements(script: str) -> list[str]:
    """The statements of a script, one after the other; what only comments is none."""
    found: list[str] = []
    piece = ""
    for part in script.split(";"):
        piece += part + ";"
        if sqlite3.complete_statement(piece):
            found.append(piece)
            piece = ""
    found.append(piece)
    return [each for each in found if _says_something(each)]


def _says_something(statement: str) -> bool:
    return bool(
        re.sub(r"/\*.*?(?:\*/|$)|--[^\n]*(?:\n|$)", " ", statement, flags=re.DOTALL).strip(" \t\r\n;")
    )


def _quoted(name: Any) -> str:
    return '"' + str(name).replace('"', '""') + '"'
