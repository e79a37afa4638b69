"""The log of a deployment: what its instances print. It is bounded; of one that gets too long the end stays."""

from __future__ import annotations

from pathlib import Path

LONGEST = 5_000_000  # bytes
_KEPT = 1_000_000
_LINE = 200  # bytes that a line may have on average, where the last so many are wanted


def tail(log: Path, lines: int) -> str:
    """The last lines."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - max(_KEPT // 10, lines * _LINE)))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:]) if lines else ""


def bound(log: Path) -> None:
    """Leave the end of a log that is too long; who writes goes on at its end."""
    if log.exists() and log.stat().st_size > LONGEST:
        with log.open("r+b") as file:
            file.seek(-_KEPT, 2)
            kept = file.read()
            file.seek(0)
            file.write(kept)
            file.truncate()
