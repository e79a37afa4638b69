"""Errors are reported here and nowhere else: cause and remedy, or the file with an unexpected one's traceback."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from cli import project
from cli.errors import FAILED, INTERRUPTED, show

_KEPT = 20


def guarded(verb: Callable[..., Any]) -> Callable[..., None]:
    """Wrap a verb so that an error ends it with a status, and is reported."""

    @functools.wraps(verb)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            verb(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            raise typer.Exit(_report(error)) from None

    return run


def _report(error: BaseException) -> int:
    """Show an error and answer the exit status that goes with it."""
    if os.environ.get("RETRAIN_DEBUG") == "1":
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        print("cancelled", file=sys.stderr)
        return INTERRUPTED
    cause = getattr(error, "cause", None)
    if cause:
        request = getattr(error, "request_id", None)
        cause = f"{cause} (request id {request})" if request else cause
        show(cause, getattr(error, "remedy", None) or "RETRAIN_DEBUG=1 shows where it comes from")
        return int(getattr(error, "exit_code", FAILED))
    show(
        f"unexpected: {type(error).__name__}: {error}",
        f"the traceback is in {_keep_traceback(error)}; please report it",
    )
    return FAILED


def _keep_traceback(error: BaseException) -> str:
    """The file in which an unexpected error's traceback now is; of such files the newest are kept."""
    directory = project.ROOT / ".local" / "logs"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:  # nothing can be written here
        directory = Path(tempfile.gettempdir())
    for old in sorted(directory.glob("error-*.log"))[: -_KEPT + 1]:
        old.unlink(missing_ok=True)
    prefix = time.strftime("error-%Y%m%d-%H%M%S-")
    with tempfile.NamedTemporaryFile("w", dir=directory, prefix=prefix, suffix=".log", delete=False) as file:
        traceback.print_exception(error, file=file)
    return os.path.relpath(file.name, project.ROOT)
