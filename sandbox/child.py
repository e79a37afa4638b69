"""Run as a program of its own: reads a call from the standard input, and writes to the standard output what it comes to.

What the function prints is nobody's answer. See `sandbox.process` for what is read and written.
"""

from __future__ import annotations

import inspect
import io
import json
import numbers
import os
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import Any

_PLACES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/urandom", "/dev/zero")
_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu")


def main() -> None:
    """Answer with ``value`` or ``table``; with ``problem`` and ``line``; with ``memory`` or ``confined``."""
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    asked = json.loads(sys.stdin.buffer.readline())
    tables = [None if size is None else sys.stdin.buffer.read(size) for size in asked.pop("tables")]
    limits = asked.pop("limits")
    table: bytes = b""
    try:
        if asked.pop("confined"):
            _confine()
        _bound(**limits)
    except OSError as error:
        found: dict[str, Any] = {"confined": str(error)}
    else:
        found, table = answer(tables=tables, **asked)
    out.write(json.dumps(found).encode() + b"\n" + table)
    out.flush()
    os._exit(0)  # whatever threads it has started


def _confine() -> None:
    root = str(Path(__file__).resolve().parents[1])
    sys.path.insert(0, root)
    from sandbox.machine import confine

    sys.path.remove(root)
    own = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    confine([*_PLACES, *_MACHINE, *own], str(Path.cwd()))


def _bound(megabytes: int, seconds: int, file_megabytes: int) -> None:
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, megabytes << 20),
        (resource.RLIMIT_FSIZE, file_megabytes << 20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def answer(
    code: str,
    file: str,
    function: str,
    arguments: list[Any],
    named: dict[str, Any],
    tables: list[bytes | None],
    wants: str,
) -> tuple[dict[str, Any], bytes]:
    """What *function* of *code* comes to."""
    try:
        given = [None if each is None else _read(each) for each in tables]
        space: dict[str, Any] = {"__name__": "script", "__file__": file}
        exec(compile(code, file, "exec"), space)  # noqa: S102 -- what this process is for
        called = space.get(function)
        if not callable(called):
            return {"problem": f"has no function {function}"}, b""
        if wants == "table":
            given = given[: _takes(called, len(given))]
        value = called(*arguments, *given, **named)
        if wants == "table":
            return _table(value)
    except MemoryError:
        return {"memory": True}, b""
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = error.lineno if isinstance(error, SyntaxError) and error.filename == file else None
        line = own or next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)
        text = str(error).strip().split("\n")[0]
        return {"problem": f"raises {type(error).__name__}{text and ': '}{text}", "line": line}, b""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return {"problem": f"returned {type(value).__name__}, not a number"}, b""
    return {"value": float(value)}, b""


def _takes(called: Any, most: int) -> int:
    """How many of the tables it takes: it may have fewer parameters than there are."""
    kinds = [each.kind for each in inspect.signature(called).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return most
    positional = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    return min(most, sum(kind in positional for kind in kinds))


def _read(content: bytes) -> Any:
    import pyarrow as pa

    return pa.ipc.open_stream(content).read_all().to_pandas()


def _table(value: Any) -> tuple[dict[str, Any], bytes]:
    import pandas as pd
    import pyarrow as pa

    if isinstance(value, pd.DataFrame) or not isinstance(value, list | tuple) or len(value) != 1:
        return {"problem": f"returned {type(value).__name__}, not a sequence of one DataFrame"}, b""
    if not isinstance(value[0], pd.DataFrame):
        return {"problem": f"returned a sequence of {type(value[0]).__name__}, not of a DataFrame"}, b""
    frame = value[0].rename(columns=str)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        return {"problem": f"returned two columns {twice[0]!r}"}, b""
    made = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, made.schema) as stream:
        stream.write_table(made)
    return {"table": sink.tell()}, sink.getvalue()


if __name__ == "__main__":
    main()
