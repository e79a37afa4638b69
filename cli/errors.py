"""How an error reaches the person at the terminal: one line of cause, one of remedy, an exit status.

    CliError            what this package finds wrong itself
    any exception with `cause` and `remedy`   (the engine's, the clients')
    KeyboardInterrupt   exit status 130
    anything else       a defect: its traceback goes to a file under .local/logs/, whose name is shown

With RETRAIN_DEBUG=1 every traceback is shown as well.
"""

from __future__ import annotations

import os
import sys

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


def _coloured() -> bool:
    """Whether stderr is a terminal that takes colours, and nobody has said otherwise (https://no-color.org)."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show(cause: object, remedy: object) -> None:
    """Print the two lines to stderr, in colour on a terminal; the first alone where there is no remedy."""
    red, cyan, plain = ("\033[31m", "\033[36m", "\033[0m") if _coloured() else ("", "", "")
    print(f"{red}error:{plain} {one_line(cause)}", file=sys.stderr, flush=True)
    if remedy:
        print(f"{cyan}remedy:{plain} {one_line(remedy)}", file=sys.stderr, flush=True)


def warn(message: str) -> None:
    """Print one line of warning to stderr."""
    yellow, plain = ("\033[33m", "\033[0m") if _coloured() else ("", "")
    print(f"{yellow}warning:{plain} {one_line(message)}", file=sys.stderr, flush=True)
