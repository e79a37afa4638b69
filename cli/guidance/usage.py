"""A command line that cannot be read, told as every other error: one line of cause, one of remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from cli.errors import FAILED, INTERRUPTED, show

_MEANT = re.compile(
    r"\s*(?:Did you mean (?P<verbs>[^?]+)\?|\((?:Possible options|Did you mean): (?P<options>[^)]+)\))\.?$"
)
_REMEDY = "see {} -h for what there is"


@contextmanager
def usage_told() -> Iterator[None]:
    """Tell what is wrong with a command line, and end with the status that goes with it."""
    try:
        yield
    except typer.Abort:
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        if not hasattr(error, "format_message"):  # which the parser's own have
            raise
        if error.format_message():  # a group without a verb has shown its help by now
            show(*told(error))
        raise SystemExit(getattr(error, "exit_code", FAILED)) from None


def told(error: Any) -> tuple[str, str]:
    """Cause and remedy of a usage error, with what was most likely meant."""
    message = " ".join(str(error.format_message()).split())
    found = _MEANT.search(message)
    context = error.ctx
    called = context.command_path if context else "./dev"
    shown = _REMEDY.format(called)
    if found is None:
        return message.rstrip("."), shown
    meant = (found["verbs"] or found["options"]).replace("'", "").split(", ")
    return message[: found.start()].rstrip("."), f"did you mean {' or '.join(meant)}? Else {shown}"
