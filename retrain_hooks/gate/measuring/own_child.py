"""Run as a program of its own: reads a function and its arguments from the standard input, and writes what it returned.

It imports nothing of this project. What the function prints is nobody's answer.
"""

from __future__ import annotations

import json
import numbers
import os
import sys
import traceback
from typing import Any


def main() -> None:
    """Answer with ``value``, or with ``problem`` and ``line``."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    asked = json.loads(sys.stdin.buffer.read())
    _bound(asked.pop("megabytes"))
    json.dump(answer(**asked), out)
    out.flush()
    os._exit(0)  # whatever threads it has started


def _bound(megabytes: int) -> None:
    try:
        import resource
    except ImportError:
        return
    most = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(
    code: str, file: str, function: str, arguments: list[Any], named: dict[str, Any]
) -> dict[str, Any]:
    """What *function* of *code* comes to."""
    try:
        space: dict[str, Any] = {"__name__": "metric", "__file__": file}
        exec(compile(code, file, "exec"), space)  # noqa: S102 -- what this process is for
        value = space[function](*arguments, **named)
    except MemoryError:
        return {"memory": True}
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)
        text = str(error).strip().split("\n")[0]
        return {"problem": f"raises {type(error).__name__}{text and ': '}{text}", "line": line}
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return {"problem": f"returned {type(value).__name__}, not a number"}
    return {"value": float(value)}


if __name__ == "__main__":
    main()
