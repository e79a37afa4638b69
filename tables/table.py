"""What a table is, whatever file it is from: columns, and rows of texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tables.values import MISSING


@dataclass(frozen=True)
class Table:
    """A table of the file *name*; its columns are known, its rows are read as they are asked for."""

    name: str
    columns: tuple[str, ...]
    whole: bool = field(default=True, kw_only=True)
    """Whether these are all rows of the file."""

    @property
    def types(self) -> Mapping[str, str]:
        """.NET's types of columns, where the file says them; of the others the values say it."""
        return {}

    @property
    def size(self) -> int:
        """How much text it is."""
        raise NotImplementedError

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with the line on which it begins. Raises TableError for one that has more or fewer values than columns."""
        raise NotImplementedError

    def records(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        """Each row with its line, as values by column; a missing value is None. Raises TableError as `rows` does."""
        for line, cells in self.rows():
            known = (None if cell in MISSING else cell for cell in cells)
            yield line, dict(zip(self.columns, known, strict=True))

    def check(self) -> Table:
        """Read all rows, for their form only. Raises TableError as `rows` does."""
        return self


@dataclass(frozen=True)
class Typed(Table):
    """A table whose file says of what types its columns are: their values are at hand, as a file of text would have them."""

    values: tuple[Sequence[str], ...] = field(repr=False)
    said: Mapping[str, str]
    lines: Sequence[int] = field(default=(), repr=False)
    """Those of the rows, where a file has lines; else they are counted as behind a header."""

    @property
    def types(self) -> Mapping[str, str]:
        """See Table."""
        return self.said

    @property
    def size(self) -> int:
        """See Table."""
        return sum(len(cell) + 1 for column in self.values for cell in column)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """See Table."""
        cells = zip(*self.values, strict=True)
        counted = enumerate(cells, 2) if not self.lines else zip(self.lines, cells, strict=True)
        return ((line, [*row]) for line, row in counted)
