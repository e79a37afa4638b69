"""Which versions a graph is trained and served with elsewhere: those of the project's lock file."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from clients.errors import ExperimentInvalid

LOCK: Final = "requirements.lock"

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==\S+(?: ; [^\\\n]+?)?(?= ?\\?$)", re.MULTILINE)
# One package a line, as ruff has them (E401, E702).
_IMPORT = re.compile(rb"^[ \t]*(?:from (?P<of>\w+)[\w.]* import\b|import (?P<name>\w+))", re.MULTILINE)
# Where a package is imported by another name than it is installed by, and what it computes with itself.
_PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "sklearn": ("scikit-learn", "scipy"),
    "google": ("protobuf",),
}


def pins(sources: Iterable[bytes], root: Path) -> tuple[str, ...]:
    """pip's requirements for the packages that Python *sources* import, as the lock file in *root* pins them.

    A package that is pinned per version of Python keeps its conditions. Raises ExperimentInvalid where the lock file
    is missing or has no pin of one.
    """
    path = root / LOCK
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ExperimentInvalid(
            f"{LOCK} cannot be read, which says what a graph is trained with: {error.strerror}",
            f"keep {LOCK} beside pyproject.toml, as CONTRIBUTING.md says how it is compiled",
        ) from None
    pinned: dict[str, list[str]] = {}
    for found in _PIN.finditer(text):
        pinned.setdefault(found["name"], []).append(found[0])
    wanted = sorted({package for name in imported(sources) for package in _PACKAGES.get(name, (name,))})
    for package in wanted:
        if package not in pinned:
            raise ExperimentInvalid(
                f"{LOCK} has no pin of {package}, which graphs are trained with",
                f"compile {LOCK} with the extra `local`, as CONTRIBUTING.md says",
            )
    return tuple(pin for package in wanted for pin in pinned[package])


def imported(sources: Iterable[bytes]) -> set[str]:
    """The top-level packages, of others, that sources import, wherever they do.

    By their lines: to parse a hundred files at each preview takes a tenth of a second.
    """
    found = {(each["of"] or each["name"]).decode() for source in sources for each in _IMPORT.finditer(source)}
    return found - sys.stdlib_module_names - {"graph", "sandbox", "tables", "tasks"}
