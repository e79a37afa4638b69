"""Texts as words and n-grams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final

from graph.data.datasets import net_type
from graph.errors import ModuleFailure, column_type
from graph.libraries import Series

SENTENCE: Final = "|||"
MOST_CELLS: Final = 300_000_000
_WORD: Final = re.compile(r"\|\|\||\w+(?:'\w+)*")


def texts(values: Series) -> list[str]:
    """The texts of a column, empty where one is missing. Raises 0017 where it is none of text."""
    if net_type(values) != "String":
        raise column_type(str(values.name), net_type(values), "a text column")
    return [value if isinstance(value, str) else "" for value in values.tolist()]


def words(text: str) -> list[str]:
    """Its words in their order, and marks of sentences' ends."""
    return _WORD.findall(text)


def ngrams(tokens: Sequence[str], size: int, skip: int = 0, joint: str = "_") -> Iterator[str]:
    """All sequences of 1 to *size* words of one sentence, with at most *skip* words left out between the first and last."""
    for at, token in enumerate(tokens):
        if token == SENTENCE:
            continue
        yield token
        for length in range(2, size + 1):
            within = tokens[at + 1 : at + length + skip]
            if SENTENCE in within:
                within = within[: within.index(SENTENCE)]
            for more in combinations(within, length - 1):
                yield joint.join((token, *more))


def hold_size(rows: int, columns: int) -> None:
    """Refuse a table that memory would not hold; raises 0018."""
    if rows * columns > MOST_CELLS:
        raise ModuleFailure(
            "0018", f"{rows} rows with {columns} columns of words are too many: at most {MOST_CELLS} cells."
        )


def distinct(tokens: Iterable[str]) -> list[str]:
    """Each once, in the order in which they come."""
    return list(dict.fromkeys(tokens))
