"""Tables in files: the one reader of them, for training, joining, holdouts and probes.

    read(data, name)    a table: its columns, and its rows with their lines
    head(data, name)    the same from the beginning of a file: the columns, and the rows that are whole in it
    stream(chunks, name)  the same as `read` of a file that is too large to be held, row by row
    join(files)         several files with the same columns as one
    number(text)        the number that a value is, strictly; real(text) as a Double
    parts(names)        the files of a set without its markers

A table is text, in UTF-8 or, with a byte order mark, in UTF-16; there is no other encoding, and no compression. Its values
are divided by tabs where the file's name ends in `.tsv`, else by commas. They may be quoted, and then hold anything, line
ends too. Lines without anything are passed over; the first other one names the columns, unless the file's name ends in
`.nh.csv` or `.nh.tsv`; each row has as many values as there are columns. Only the standard library is used here.
"""

from tables.joining import join, parts
from tables.reader import EndlessHeader, RepeatedColumn, Table, TableError, form_of, head, read
from tables.streaming import Stream, stream
from tables.values import MISSING, OutOfRange, number, real

__all__ = [
    "MISSING",
    "EndlessHeader",
    "OutOfRange",
    "RepeatedColumn",
    "Stream",
    "Table",
    "TableError",
    "form_of",
    "head",
    "join",
    "number",
    "parts",
    "read",
    "real",
    "stream",
]
