"""The columns of a dataset on their way through an experiment graph, as far as the graph alone tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graph.columns import ColumnSelection

UNTOLD: Final = object()
"""A value of which the graph alone does not tell what becomes of it."""

Values = Callable[[str | None], Any]


@dataclass(frozen=True)
class Column:
    """A column of a table: that of the input which it was at first (empty: a module made it), and what became of its values.

    Values that `values` makes different may be equal in the graph, never the other way round, unless they are UNTOLD.
    `sure`: it is one of the input; else a module may have made it.
    """

    source: str = ""
    values: Values = lambda value: value
    sure: bool = True

    def then(self, change: Values) -> Column:
        """With each value changed."""
        before = self.values
        return replace(self, values=lambda value: change(before(value)))


@dataclass(frozen=True)
class Columns:
    """What is known of the columns of a dataset: those `known` by name, and whether there are `others`.

    Others are those of the input that are not `gone` ("input"), none, or any (of which nothing is known). With `more` there
    may be some that modules made, too. `ask` is called with each column of the input that a module works on, `lack` with
    each that it names and that cannot be there. `rows` are those of the input or some that were taken unseen ("input"),
    some that were chosen by what is in them ("chosen"), or any; those were left out in which a column of the input, one
    that is `filled`, has no value.
    """

    known: Mapping[str, Column] = field(default_factory=dict)
    others: str = "any"
    gone: frozenset[str] = frozenset()
    ask: Callable[[str], object] = lambda _name: None
    other: Column = Column()
    more: bool = False
    lack: Callable[[str], object] = lambda _name: None
    rows: str = "any"
    filled: frozenset[str] = frozenset()

    def find(self, name: str) -> Column | None:
        """The column of that name; None where it isn't known to be there."""
        if name in self.known:
            return self.known[name]
        if self.others != "input" or name in self.gone:
            return None
        return replace(self.other, source=name, sure=not self.more)

    def selected(self, selection: ColumnSelection | None) -> list[str] | None:
        """Ask for the columns that a selection names; which they are, None where it takes all of unknown ones, or is none."""
        if selection is None:
            return None
        chosen: dict[str, None] | None = {}
        for rule in selection.rules:
            for name in rule.columns:
                column = self.find(name)
                if column and column.source and column.sure:
                    self.ask(column.source)
                elif column is None and self.others != "any" and not self.more:
                    self.lack(name)
            if rule.all_columns and self.others == "none":
                names: Iterable[str] = self.known
            elif rule.all_columns:
                chosen = {} if rule.exclude else None
                continue
            else:
                names = rule.columns
            if chosen is not None:
                for name in names:
                    chosen.pop(name, None)
                    if not rule.exclude:
                        chosen[name] = None
        return None if chosen is None else list(chosen)

    def only(self, names: Iterable[str]) -> Columns:
        """With none but these; of one that isn't known nothing is known."""
        return replace(
            self, known={name: self.find(name) or Column() for name in names}, others="none", more=False
        )

    def without(self, names: Iterable[str]) -> Columns:
        """Without these."""
        taken = frozenset(names)
        left = {name: column for name, column in self.known.items() if name not in taken}
        return replace(self, known=left, gone=self.gone | taken)

    def changed(self, names: Iterable[str] | None, change: Values) -> Columns:
        """With the values of these columns changed, or of all."""
        if names is not None:
            return self.having({name: (self.find(name) or Column()).then(change) for name in names})
        known = {name: column.then(change) for name, column in self.known.items()}
        return replace(self, known=known, other=self.other.then(change))

    def open(self) -> Columns:
        """With more columns, of which nothing is known."""
        return replace(self, others="any") if self.others == "none" else replace(self, more=True)

    def with_rows(self, rows: str) -> Columns:
        """With rows that were *chosen* by what is in them, or *any*."""
        return replace(self, rows="any" if self.rows == "any" else rows)

    def without_gaps(self, names: Iterable[str] | None) -> Columns:
        """Without the rows in which one of these columns has no value."""
        columns = [self.find(name) for name in names] if names is not None else [None]
        sources = [column.source for column in columns if column and column.source]
        if len(sources) < len(columns):
            return self.with_rows("chosen")
        return replace(self, filled=self.filled.union(sources))

    def beside(self, other: Columns) -> Columns:
        """With the columns of another dataset after its own."""
        kinds = {self.others, other.others}
        others = "any" if "any" in kinds or kinds == {"input"} else "input" if "input" in kinds else "none"
        kept = self if self.others == "input" else other
        known = {**other.known, **self.known}
        more = self.more or other.more
        return replace(kept, known=known, others=others, more=more, rows="any")

    def having(self, columns: Mapping[str, Column]) -> Columns:
        """With these, in place of those of the same names."""
        return replace(self, known={**self.known, **columns})


Flow = Mapping[str, Columns]
"""What is known of the columns of datasets, by the name of the port that they are on."""
UNKNOWN: Final = Columns()
