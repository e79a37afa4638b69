"""A team's own metric: a function in a file of the experiment or of the program.

::

    def profit(actual, scored, rows):
        return sum(float(row["amount"]) for said, row in zip(scored, rows) if said)

The first two parameters are lists with an entry a row: what really happened (True or False, a number, a class as text; None
for a clustering), and what the model answered in the same form (of a clustering the number of the cluster). Where it has
parameters of these names, it gets them too: ``scores``, the probability of the positive class, for several classes or
clusters a list of one each, None for a regression; and ``rows``, the holdout's rows, each a dict of texts (None where a
value is missing).

It runs in a process of its own (``own_process.py``), and its file's content is part of what a verdict is about.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final

from clients.errors import ConfigurationError
from clients.names import nearest
from retrain_hooks.gate.measuring.own_process import call
from retrain_hooks.host.python_source import parsed

_MORE: Final = ("scores", "rows")
_MOST_BYTES: Final = 1024 * 1024
_FIRST: Final = 2


@dataclass(frozen=True)
class OwnMetric:
    """The *function* of a *file* with this *content*."""

    file: str
    function: str
    content: bytes

    @classmethod
    def find(cls, file: str, function: str, source: str, root: Path | None = None) -> OwnMetric:
        """Read the *file* of the experiment *source*, or else beside the program, at *root*.

        Raises ConfigurationError where there is none, it is no Python, or has no such function.
        """
        root = root or Path.cwd()
        name = PurePosixPath(file)
        if name.is_absolute() or ".." in name.parts:
            raise ConfigurationError(
                f"the file {file} of a gate's rule is outside the project", "name it like metrics.py"
            )
        folders = ([root / "experiments" / source] if source else []) + [root]
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if path is None:
            where = f"experiments/{source}/{file} or {file}" if source else file
            raise ConfigurationError(
                f"there is no file {file}, whose {function} the gate asks for",
                f"write the function {function} into {where}",
            )
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{file} cannot be read: {error.strerror}", "correct the file") from None
        if len(content) > _MOST_BYTES:
            raise ConfigurationError(
                f"{file} has more than a megabyte", "keep metrics in a file of their own"
            )
        found = cls(file, function, content)
        _ = found.takes
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of the file, 64 hex."""
        return sha256(self.content).hexdigest()

    @cached_property
    def takes(self) -> tuple[str, ...]:
        """Which of ``scores`` and ``rows`` it takes. Raises ConfigurationError for what is no function of ours to call."""
        try:
            tree = parsed(self.content, self.file)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            where = f"{self.file}, line {line}" if line else self.file
            why = getattr(error, "msg", None) or str(error)
            raise ConfigurationError(f"{where}: {why}", f"correct {self.file}: it is no Python") from None
        there = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
        found = there.get(self.function)
        if found is None:
            raise ConfigurationError(
                f"{self.file} has no function {self.function!r}; {nearest(self.function, there)}",
                f"write `def {self.function}(actual, scored):` into {self.file}, or name one that it has",
            )
        given = found.args
        named = [each.arg for each in (*given.posonlyargs, *given.args)]
        first, others = named[:_FIRST], [*named[_FIRST:], *(each.arg for each in given.kwonlyargs)]
        plain = len(given.defaults) + sum(each is not None for each in given.kw_defaults)
        strange = [name for name in others if name not in _MORE]
        if len(first) < _FIRST or len(strange) > plain or given.posonlyargs[_FIRST:]:
            raise ConfigurationError(
                f"{self.file}, line {found.lineno}: {self.function} cannot be called with (actual, scored)"
                + (f": it asks for {', '.join(strange)}" if strange else ""),
                f"write it like `def {self.function}(actual, scored):`; it may also take `scores` and `rows`",
            )
        return tuple(name for name in others if name in _MORE)

    def value(
        self,
        actual: Sequence[Any],
        scored: Sequence[Any],
        scores: Sequence[Any] | None,
        rows: Sequence[Mapping[str, Any]],
    ) -> float:
        """What it says of these rows. Raises ConfigurationError where that is no finite number."""
        more = {"scores": scores, "rows": rows}
        answer = call(
            self.content,
            self.file,
            self.function,
            [actual, scored],
            {name: more[name] for name in self.takes},
        )
        if not math.isfinite(answer):
            raise ConfigurationError(
                f"{self.function} of {self.file} returned {answer}, and a gate compares numbers",
                f"let {self.function} return a finite number for any rows",
            )
        return answer
