"""Calls a team's function apart (`sandbox`): with none of our environment, no network, and bounded in time and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clients.errors import ConfigurationError
from clients.names import shown
from sandbox import Call, run

SECONDS: Final = 60
MEGABYTES: Final = 2048


def call(
    content: bytes,
    file: str,
    function: str,
    arguments: Sequence[Any],
    named: Mapping[str, Any],
    *,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
) -> float:
    """The number that *function* of the Python *content* (called *file* in errors) returns.

    Raises ConfigurationError where it raises, takes longer than *seconds*, needs more memory, or returns something else.
    """
    answer = run(Call(content, file, function, arguments, named, seconds=seconds, megabytes=megabytes))
    if answer.value is not None:
        return answer.value
    where = f"{file}, line {answer.line}" if answer.line else file
    if answer.late:
        raise ConfigurationError(
            f"{function} of {file} took longer than {seconds:g} s",
            f"let {function} end sooner, or judge on a smaller holdout",
        )
    if answer.memory:
        raise ConfigurationError(
            f"{where}: {function} needs more than {megabytes:,} MB of memory",
            f"let {function} keep less of the rows, or judge on a smaller holdout",
        )
    raise ConfigurationError(
        f"{where}: {function} {shown(answer.problem)}",
        f"correct {file}, and try {function} on a few rows",
    )
