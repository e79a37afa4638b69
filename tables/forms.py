"""How a file is to be read, by its name; and whether it is what its name says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

TEXT, ARFF, PARQUET = "text", "ARFF", "Parquet"
ENDINGS: Final = (
    *(".nh.csv", ".nh.tsv", ".csv", ".tsv", ".arff", ".parquet"),
    *(".nh.csv.gz", ".nh.tsv.gz", ".csv.gz", ".tsv.gz", ".arff.gz"),
)
"""How names of tables end; of those that end alike the longest is meant."""

_BEGINNINGS: Final = ((b"PAR1", "a Parquet file"), (b"PK\x03\x04", "a ZIP archive, as .xlsx files are"))
_RELATION: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|%[^\n]*\n)*@relation\s", re.IGNORECASE)
NAMED: Final = f"Name a file for what it is: {', '.join(ENDINGS)}."


class TableError(Exception):
    """A file that is not a table; `cause` names the file and the line, `what` only what is wrong there."""

    def __init__(self, name: str, line: int, what: str, remedy: str) -> None:
        self.name = name
        self.line = line
        self.what = f"line {line} {what}" if line else f"it {what}"
        self.cause = f"{name}: {self.what}" if line else f"{name} {what}"
        self.remedy = remedy
        super().__init__(self.cause)


@dataclass(frozen=True)
class Form:
    """A kind of file, of text what divides its values and whether its first line names its columns; *packed* by gzip."""

    kind: str = TEXT
    delimiter: str = ","
    header: bool = True
    packed: bool = False


def ending(name: str) -> str:
    """The ending that says how a file of that name is read; empty where it has none of them."""
    name = name.lower()
    return max((one for one in ENDINGS if name.endswith(one)), key=len, default="")


def form_of(name: str) -> Form:
    """How a file of that name is read: where its ending says nothing, as comma-separated values."""
    name = name.lower()
    plain = name.removesuffix(".gz")
    packed = name != plain and bool(ending(name))
    if plain.endswith(".parquet"):
        return Form(PARQUET)
    if plain.endswith(".arff"):
        return Form(ARFF, packed=packed)
    return Form(
        TEXT,
        "\t" if plain.endswith(".tsv") else ",",
        not plain.endswith((".nh.csv", ".nh.tsv")),
        packed,
    )


def refuse_others(start: bytes, name: str, form: Form) -> None:
    """Refuse a text that begins as another kind of file does. Raises TableError."""
    if start.startswith(b"\x1f\x8b"):
        raise TableError(name, 0, "is compressed (gzip)", NAMED)
    for beginning, what in _BEGINNINGS:
        if start.startswith(beginning):
            raise TableError(name, 0, f"is {what}", NAMED)
    if (form.kind == ARFF) != (_RELATION.match(start) is not None) and start.strip():
        raise TableError(name, 0, "is not ARFF, as its name says" if form.kind == ARFF else "is ARFF", NAMED)
