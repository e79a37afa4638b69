"""The two consoles: results go to stdout, what is being done and all errors to stderr."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


@cache
def out() -> Console:
    """Results, on stdout."""
    from rich.console import Console

    # In a pipe no line is cut or folded: a width that nothing reaches.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)


def say(message: str) -> None:
    """One line about what is being done, on stderr."""
    print(message, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """A value as JSON on stdout, the same on a terminal and in a pipe."""
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False, default=str), flush=True)


def print_table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[str] = (),
    whole: Collection[str] = (),
) -> None:
    """Print rows under their titles: columns titled as in *right* end alike, values of those in *whole* are never folded."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(Text(title), justify="right" if title in right else "left", no_wrap=title in whole)
    for row in rows:
        table.add_row(*map(Text, row))
    out().print(table)


def size(count: int) -> str:
    """So many bytes, as a person says it."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def as_text(value: Any) -> str:
    """A value on one line: text as it is, all else as JSON."""
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_interactive() -> bool:
    """Whether somebody sits at a terminal and can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str) -> bool:
    """Ask for a yes; only a yes is one."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def want_a_yes(question: str, *, yes: bool) -> None:
    """Ask whether to delete something, unless *yes* was said before. A pipe is nobody to ask, and no answer.

    Raises:
        CliError: nobody said yes.
    """
    from cli.errors import CliError

    if yes:
        return
    if not is_interactive():
        raise CliError(f"{question} There is no terminal to ask at", "give --yes", exit_code=2)
    if not agreed(question):
        raise CliError("not confirmed, so nothing was done", "answer y, or give --yes")


def write_text(file: Path, text: str) -> None:
    """Write a file that somebody named. Raises CliError."""
    from cli.errors import CliError

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(
            f"{file} cannot be written: {error.strerror}", "name a file in a folder that is there"
        ) from None
