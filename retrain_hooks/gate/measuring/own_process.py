"""Calls a team's function in a process of its own: with none of our environment, and bounded in time and memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from clients.errors import ConfigurationError
from clients.names import shown

SECONDS: Final = 60
MEGABYTES: Final = 2048
_CHILD: Final = Path(__file__).with_name("own_child.py")
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


def call(
    content: bytes,
    file: str,
    function: str,
    arguments: Sequence[Any],
    named: Mapping[str, Any],
    *,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
) -> float:
    """The number that *function* of the Python *content* (called *file* in errors) returns.

    Raises ConfigurationError where it raises, takes longer than *seconds*, needs more memory, or returns something else.
    """
    asked = {
        "code": content.decode("utf-8", "replace"),
        "file": file,
        "function": function,
        "arguments": list(arguments),
        "named": dict(named),
        "megabytes": megabytes,
    }
    answer = _ask(json.dumps(asked).encode(), file, function, seconds)
    if "value" in answer:
        return float(answer["value"])
    where = f"{file}, line {answer['line']}" if answer.get("line") else file
    if answer.get("memory"):
        raise ConfigurationError(
            f"{where}: {function} needs more than {megabytes:,} MB of memory",
            f"let {function} keep less of the rows, or judge on a smaller holdout",
        )
    raise ConfigurationError(
        f"{where}: {function} {shown(str(answer.get('problem')))}",
        f"correct {file}, and try {function} on a few rows",
    )


def _ask(asked: bytes, file: str, function: str, seconds: float) -> dict[str, Any]:
    own = {name: os.environ[name] for name in _KEPT if name in os.environ}
    own |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="metric-") as empty:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=empty,
            env=own | {"HOME": empty, "TMPDIR": empty},
            start_new_session=True,
        )
        try:
            told, _ = process.communicate(asked, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ConfigurationError(
                f"{file}: {function} took longer than {seconds:g} s",
                f"let {function} end sooner, or judge on a smaller holdout",
            ) from None
        finally:
            _end(process)
    try:
        found: dict[str, Any] = json.loads(told)
    except ValueError:
        return {"problem": f"ended its process without an answer (exit code {process.returncode})"}
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):
        process.kill()
    process.communicate()
