"""Tables in files: the one reader of them, for training, joining, holdouts and probes.

    read(data, name)    a table: its columns, and its rows with their lines
    head(data, name)    the same from the beginning of a file: the columns, and the rows that are whole in it
    beginning(source, name)  the same of a file of Parquet, of which as little is read
    stream(chunks, name)  the same as `read` of a file that is too large to be held, row by row
    join(files)         several files with the same columns as one, which `joined_as` names
    number(text)        the number that a value is, strictly; real(text) as a Double
    parts(names)        the files of a set without its markers
    ending(name)        how the name ends that says how a file is read; form_of(name) what it says

A table is text, ARFF or Parquet, as its file's name says; text and ARFF may be packed by gzip. Text is in UTF-8 or, with a
byte order mark, in UTF-16; there is no other encoding. Its values are divided by tabs where the file's name ends in `.tsv`,
else by commas. They may be quoted, and then hold anything, line ends too. Lines without anything are passed over; the first
other one names the columns, unless the file's name ends in `.nh.csv` or `.nh.tsv`; each row has as many values as there are
columns. ARFF and Parquet say the types of their columns; whatever a table is read from, its values are texts that say the
same. pyarrow is imported where there is Parquet; else only the standard library is used here.
"""

from tables.columns import RepeatedColumn
from tables.forms import ENDINGS, Form, TableError, ending, form_of
from tables.joining import join, joined_as, parts
from tables.parquet import beginning
from tables.reader import EndlessHeader, Text, head, read
from tables.streaming import Stream, stream
from tables.table import Table, Typed
from tables.values import MISSING, OutOfRange, number, real

__all__ = [
    "ENDINGS",
    "MISSING",
    "EndlessHeader",
    "Form",
    "OutOfRange",
    "RepeatedColumn",
    "Stream",
    "Table",
    "TableError",
    "Text",
    "Typed",
    "beginning",
    "ending",
    "form_of",
    "head",
    "join",
    "joined_as",
    "number",
    "parts",
    "read",
    "real",
    "stream",
]
