"""A process of its own for a call: started clean, bounded in time, memory and the size of files, and ended with its threads.

It reads one line of JSON and tables (Arrow's stream format) from a file, and writes such ones to another: nothing is unpickled,
and no file that it names is opened by us.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.machine import confinement

_CHILD: Final = Path(__file__).with_name("child.py")
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")
_MOST_ANSWER: Final = 64 * 1024  # of the line that says what came of it


@dataclass(frozen=True)
class Call:
    """*function* of the Python *content*, which errors call *file*, with these arguments; a number or a *table* is wanted.

    *tables* come after the arguments, each an Arrow stream, or None. With *confined* it runs only where the machine keeps it
    from files and the network (`confinement`); without, as far as the machine can.
    """

    content: bytes
    file: str
    function: str
    arguments: Sequence[Any] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[bytes | None] = ()
    wants: str = "number"
    seconds: float = 60
    megabytes: int = 2048
    file_megabytes: int = 1024


@dataclass(frozen=True)
class Answer:
    """A *value* or a *table* (an Arrow stream); or the *problem*, with its *line* (0: none) in the Python."""

    value: float | None = None
    table: bytes | None = None
    problem: str = ""
    line: int = 0
    late: bool = False
    memory: bool = False


def run(call: Call) -> Answer:
    """What it comes to. The process and all its threads have ended then."""
    head = {
        "code": call.content.decode("utf-8", "replace"),
        "file": call.file,
        "function": call.function,
        "arguments": list(call.arguments),
        "named": dict(call.named),
        "wants": call.wants,
        "tables": [None if each is None else len(each) for each in call.tables],
        "confined": not confinement(),
        "limits": {
            "megabytes": call.megabytes,
            "seconds": int(call.seconds) * 4 + 1,  # of all its processors; the time is bounded here
            "file_megabytes": call.file_megabytes,
        },
    }
    own = {name: os.environ[name] for name in _KEPT if name in os.environ}
    own |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    with (
        tempfile.TemporaryDirectory(prefix="apart-") as empty,
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as told,
    ):
        asked.write(json.dumps(head).encode() + b"\n")
        for table in call.tables:
            asked.write(table or b"")
        asked.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(_CHILD)],
            stdin=asked,
            stdout=told,
            stderr=subprocess.DEVNULL,
            cwd=empty,
            env=own | {"HOME": empty, "TMPDIR": empty, "MPLCONFIGDIR": empty},
            start_new_session=True,
        )
        try:
            process.wait(call.seconds)
        except subprocess.TimeoutExpired:
            return Answer(late=True)
        finally:
            _end(process)
        told.seek(0)
        return _read(told, process.returncode)


def _read(told: Any, status: int) -> Answer:
    try:
        found = json.loads(told.readline(_MOST_ANSWER))
    except ValueError:
        return Answer(problem=f"ended its process without an answer (exit code {status})")
    if not isinstance(found, dict):
        return Answer(problem="ended its process without an answer")
    if "confined" in found:
        return Answer(problem=f"could not be confined: {found['confined']}")
    if isinstance(found.get("value"), int | float):
        return Answer(value=float(found["value"]))
    if "table" in found:
        return Answer(table=told.read())
    line = found.get("line")
    return Answer(
        problem=str(found.get("problem") or ""),
        line=line if isinstance(line, int) else 0,
        memory=bool(found.get("memory")),
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
