"""What the tables of a data version begin with, held against what is asked of them, before anything is trained from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from clients.errors import ConfigurationError, NotFound
from clients.names import listed, shown
from clients.storage import Container, beginning
from graph.flow import UNTOLD, Column
from graph.needs import Needs, is_text
from retrain_hooks.host.memory import Memory
from tables import EndlessHeader, Table, TableError, ending, form_of, parts

_BYTES = 64 * 1024
_MORE_BYTES = 16 * 2**20  # where the heads show one class only, or not all columns
_READERS = 8
_PARTS = 64  # so many parts of a set are read, spread over all
_ANOTHER = "name another data version, or upload its data again"


class Heads:
    """The first bytes of each of the *blobs* (names) that are tables, read once in a run; *called* what they are to whom."""

    def __init__(self, container: Container, memory: Memory, blobs: Sequence[str], called: str = "") -> None:
        self._container, self._memory = container, memory
        self._place = f"{called} {container.name}/".lstrip()
        names = parts(blobs)
        self.names = names[:: -(-len(names) // _PARTS)] if names else []
        self._all = len(self.names) == len(names)

    @cached_property
    def _found(self) -> list[Table]:
        with ThreadPoolExecutor(_READERS, "heads") as readers:
            return [one for one in readers.map(self._head, self.names) if one is not None]

    @property
    def tables(self) -> list[Table]:
        """Those in which something is written. Raises ConfigurationError for what is no table, and where all are empty."""
        written = [table for table in self._found if table.columns]
        if self._found and not written and self._all:
            raise ConfigurationError(f"{self.where} is empty", _ANOTHER)
        return written

    @property
    def whole(self) -> bool:
        """Whether they are all that there is."""
        return self._all and len(self._found) == len(self.names) and all(one.whole for one in self._found)

    @property
    def where(self) -> str:
        """What they are the heads of."""
        return self._of(self.names)

    def read_on(self) -> list[Table]:
        """All tables to their ends; none where that is far. Raises ConfigurationError for what is no table."""
        found: list[Table] = []
        left = _MORE_BYTES
        for name in self.names if self._all else ():
            try:
                table = self._table(name, left + 1)
            except (NotFound, EndlessHeader):
                return []  # as in _head
            left -= table.size
            if left < 0 or not table.whole:
                return []
            found.append(table)
        return found

    def hold(self, needs: Needs, who: str) -> None:
        """Refuse what cannot be trained from, as far as the heads show. Raises ConfigurationError naming blob and column.

        *who* has these needs.
        """
        if not all(ending(name) and form_of(name).header for name in self.names):
            return
        written = self.tables
        for table in written:
            self._hold_columns(table, written[0], needs, who)
            self._hold_types(table, needs, who)
            if needs.numbers:
                self._hold_numbers(table, needs, who)
        if self.whole:
            self._hold_rows(written, needs, who)
            return
        labels = _labels(written, needs)
        self._refuse(needs.misfit(labels, whole=False), who)
        if needs.label and not needs.enough(labels) and (tables := self.read_on()):
            self._hold_rows(tables, needs, who)

    def _head(self, name: str) -> Table | None:
        """A table's head; None where it does not tell: its columns are named in more bytes than that, or it is gone."""

        def read() -> Table | None:
            for most in (_BYTES, _MORE_BYTES):
                try:
                    return self._table(name, most)
                except EndlessHeader:
                    continue
                except NotFound:
                    break
            return None  # reading all of it will say so

        return self._memory.once(("head", self._container.url(name)), read)

    def _table(self, name: str, most: int) -> Table:
        try:
            return beginning(self._container, name, most)
        except EndlessHeader:
            raise
        except TableError as error:
            raise ConfigurationError(f"{self._place}{error.cause}", error.remedy) from None

    def _hold_columns(self, table: Table, first: Table, needs: Needs, who: str) -> None:
        blob = self._of([table.name])
        for name, by in needs.columns.items():
            if name not in table.columns:
                raise ConfigurationError(
                    f"{blob} has no column {shown(name)!r}, which {by} of {who} asks for; "
                    f"it has: {listed(table.columns)}",
                    _ANOTHER,
                )
        for name in needs.declared.types:
            if name not in table.columns:
                raise ConfigurationError(
                    f"{blob} has no column {shown(name)!r}, whose type the input of {who} says; "
                    f"it has: {listed(table.columns)}",
                    _ANOTHER,
                )
        if table.columns != first.columns:
            raise ConfigurationError(
                f"{blob} has other columns than {first.name}: {_first_difference(table.columns, first.columns)}",
                "name data versions with the same columns in the same order: one model is trained from all of them",
            )
        for column, kind in table.types.items():
            if kind != first.types.get(column, ""):
                raise ConfigurationError(
                    f"{blob} has {kind} in the column {shown(column)!r}, and {first.name} has "
                    f"{first.types.get(column) or 'no type that is said'}",
                    "write all parts of a data version with the same types",
                )

    def _hold_types(self, table: Table, needs: Needs, who: str) -> None:
        if not needs.declared.types:
            return
        for line, row in table.records():
            if odd := needs.strange(row):
                name, kind = odd
                raise ConfigurationError(
                    f"{self._of([table.name])}: line {line} has {shown(row[name] or '')!r} in the column {shown(name)!r}, "
                    f"which is {kind} in the input of {who}",
                    "correct the data, or the types in the input of training.json",
                )

    def _hold_numbers(self, table: Table, needs: Needs, who: str) -> None:
        label = needs.label or Column()
        for line, row in table.records():
            value = needs.label_of(row)
            if is_text(value):
                raise ConfigurationError(
                    f"{self._of([table.name])}: line {line} has the text {shown(value)!r} in the column "
                    f"{shown(label.source)!r}, the label of {who}, which is trained on numbers",
                    _ANOTHER,
                )

    def _hold_rows(self, written: Sequence[Table], needs: Needs, who: str) -> None:
        rows = sum(1 for table in written for _row in table.rows())
        if not rows:
            raise ConfigurationError(f"{self.where} has a header and no rows", _ANOTHER)
        self._refuse(needs.too_few(rows) or needs.misfit(_labels(written, needs)), who)

    def _refuse(self, why: str, who: str) -> None:
        if why:
            raise ConfigurationError(f"{self.where} {why}; {who} cannot be trained from it", _ANOTHER)

    def _of(self, names: Sequence[str]) -> str:
        more = f" and its {len(names) - 1} other parts" if len(names) > 1 else ""
        return f"{self._place}{names[0]}{more}"


def _labels(tables: Iterable[Table], needs: Needs) -> set[Any]:
    """What the values of the label in the rows of *tables* stand for."""
    label = needs.label
    if label is None:
        return set()
    if any(label.source not in table.columns for table in tables):
        return {UNTOLD}  # a module makes it
    values = (needs.label_of(row) for table in tables for _line, row in table.records())
    return {value for value in values if value is not None}


def _first_difference(columns: Iterable[str], others: Iterable[str]) -> str:
    found, wanted = list(columns), list(others)
    at = next((at for at, (one, other) in enumerate(zip(found, wanted, strict=False)) if one != other), None)
    if at is None:
        return f"{len(found)} instead of {len(wanted)}"
    return f"{shown(found[at])!r} instead of {shown(wanted[at])!r}"
