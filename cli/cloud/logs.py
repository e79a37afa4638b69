"""The local cloud's logs, shown."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from cli.cloud.processes import last_lines, log_file
from cli.errors import CliError
from cli.project import cloud_file

NAMES = ("azurite", "studio", "azure-native")


def show(name: str, *, lines: int, follow: bool) -> None:
    """Print the last lines of one log or of all, then, with `follow`, what is added until Ctrl-C."""
    if name and name not in NAMES:
        raise CliError(
            f"the local cloud has no process {name!r}", f"use one of: {', '.join(NAMES)}", exit_code=2
        )
    files = {each: log_file(cloud_file().parent, each) for each in ([name] if name else NAMES)}
    prefix = {each: "" if name else f"{each:<13}| " for each in files}
    # Where each log ends now is noted before its lines are read: a line may show twice, none is lost.
    ends = {each: path.stat().st_size if path.exists() else 0 for each, path in files.items()}
    for each, path in files.items():
        _print(last_lines(path, lines) if lines else [], prefix[each])
    while follow:
        for each, path in files.items():
            ends[each] = _added(path, ends[each], prefix[each])
        time.sleep(0.3)


def _added(path: Path, end: int, prefix: str) -> int:
    if not path.exists():
        return 0
    size = path.stat().st_size
    if size == end:
        return end
    with path.open("rb") as file:
        file.seek(end if size > end else 0)
        text = file.read()
    whole = text[: text.rfind(b"\n") + 1]
    _print(whole.decode(errors="replace").splitlines(), prefix)
    return (end if size > end else 0) + len(whole)


def _print(lines: list[str], prefix: str) -> None:
    for line in lines:
        print(f"{prefix}{line}")
    sys.stdout.flush()
