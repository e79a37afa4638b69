"""How an error reaches the person at the terminal: one line of cause, one of remedy, an exit status.

    CliError            what this package finds wrong itself
    any exception with `cause` and `remedy`   (the engine's, the clients')
    KeyboardInterrupt   exit status 130
    anything else       a defect: its traceback goes to a file under .local/logs/, whose name is shown

With RETRAIN_DEBUG=1 every traceback is shown as well.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

FAILED = 1
INTERRUPTED = 130


class CliError(Exception):
    """Something that the caller can put right: one line of cause, one of remedy."""

    def __init__(self, cause: str, remedy: str, *, exit_code: int = FAILED) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.exit_code = exit_code


def one_line(text: object) -> str:
    """The text on one line."""
    return " ".join(str(text).split())


def show(cause: object, remedy: object) -> None:
    """Print the two lines to stderr, in colour on a terminal."""
    red, cyan, plain = ("\033[31m", "\033[36m", "\033[0m") if sys.stderr.isatty() else ("", "", "")
    print(f"{red}error:{plain} {one_line(cause)}", file=sys.stderr)
    print(f"{cyan}remedy:{plain} {one_line(remedy)}", file=sys.stderr, flush=True)


def warn(message: str) -> None:
    """Print one line of warning to stderr."""
    yellow, plain = ("\033[33m", "\033[0m") if sys.stderr.isatty() else ("", "")
    print(f"{yellow}warning:{plain} {one_line(message)}", file=sys.stderr, flush=True)


def report(error: BaseException) -> int:
    """Show an error and answer the exit status that goes with it."""
    if os.environ.get("RETRAIN_DEBUG") == "1":
        import traceback

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
    import tempfile
    import time
    import traceback

    from cli.project import ROOT

    directory = ROOT / ".local" / "logs"
    directory.mkdir(parents=True, exist_ok=True)
    prefix = time.strftime("error-%Y%m%d-%H%M%S-")
    with tempfile.NamedTemporaryFile("w", dir=directory, prefix=prefix, suffix=".log", delete=False) as file:
        traceback.print_exception(error, file=file)
    return os.path.relpath(file.name, ROOT)


def guarded(verb: Callable[..., Any]) -> Callable[..., None]:
    """Wrap a verb so that its errors are reported here and nowhere else."""

    @functools.wraps(verb)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            verb(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            _leave(error)

    return run


def _leave(error: BaseException) -> NoReturn:
    raise typer.Exit(report(error)) from None
