"""The two consoles: results go to stdout, what is being done and all errors to stderr."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
    spare: Sequence[str] = (),
    folded: Collection[str] = (),
) -> None:
    """Print rows under their titles: columns titled as in *right* end alike.

    On a terminal that is too narrow the last column and those in *folded* are folded, then those in *spare* are left out, the first of them first.
    Where that is not enough each row is a block of lines: nothing is cut.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console, found = out(), [list(row) for row in rows]
    folds = {*folded, titles[-1]}
    shown = _fitting(titles, found, console.width, spare, folds)
    if shown is None:
        for row in found:
            for title, cell in zip(titles, row, strict=True):
                if cell:
                    console.print(Text(f"{title:<{max(map(len, titles))}}  {cell}"), soft_wrap=True)
            console.print()
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at in shown:
        head = titles[at]
        if console.is_terminal and len(head) > max((len(row[at]) for row in found), default=0):
            head = head.replace(" ", "\n")
        side: Literal["right", "left"] = "right" if titles[at] in right else "left"
        table.add_column(Text(head), justify=side, no_wrap=titles[at] not in folds, overflow="fold")
    for row in found:
        table.add_row(*(Text(row[at]) for at in shown))
    with console.capture() as captured:
        console.print(table)
    lines = captured.get().splitlines()
    print("\n".join(lines if console.is_terminal else map(str.rstrip, lines)), flush=True)


_BETWEEN, _LEAST = 3, 10
"""Between two columns, and what one is folded to at least, in characters."""


def _fitting(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    spare: Sequence[str],
    folds: Collection[str],
) -> list[int] | None:
    """Which columns are shown so that the table fits; None where it can't. A title may be a line for each of its words."""
    from rich.cells import cell_len

    words = [max(title.split() or [""], key=len) for title in titles]
    widths = [max(map(cell_len, column)) for column in zip(words, *rows, strict=True)]
    shown, left_out = list(range(len(titles))), list(spare)
    while shown:
        least = [min(widths[at], _LEAST) if titles[at] in folds else widths[at] for at in shown]
        if sum(least) + _BETWEEN * (len(shown) - 1) + 2 <= width:
            return shown
        if not left_out:
            return None
        title = left_out.pop(0)
        shown = [at for at in shown if titles[at] != title]
    return None


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
