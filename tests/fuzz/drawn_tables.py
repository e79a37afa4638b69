"""Random tables, as files hold them: types, missing values, odd names, constant columns, one row or none."""

from __future__ import annotations

import csv
import io
import random
from typing import Final

NAMES: Final = ("a", "b", "c", "d", "e", "f", "g")
ODD: Final = (
    *("a b", "ü", 'q"uote', "a,b", "[x]", "100 %", "n.1", "class", "Scored Labels", "Assignments", " edge"),
    *("select", "x" * 200, "1", "NaN", "line\nend", "It's", "{0}", "\\d+", "a;b", "日付", "t1"),
)
WORDS: Final = ("red", "green", "blue", "good", "bad", "Good", "food", "plane", "né", "3rd", "U.S.", "don't")
MISSING: Final = ("", "NA", "NaN", "")
ROWS: Final = (0, 1, 2, 3, 8, *(40,) * 4, *(90,) * 5, 200)


def draw_table(rng: random.Random) -> bytes:
    """A table as CSV; most of the time one that something can be learnt from."""
    rows, width = rng.choice(ROWS), rng.randint(1, 6)
    names = rng.sample(NAMES, width)
    for at in range(width):
        if rng.random() < 0.1:
            names[at] = rng.choice([odd for odd in ODD if odd not in names])
    hidden = [rng.random() for _ in range(rows)]
    columns = [_column(rng, rows, hidden) for _ in names]
    if rng.random() < 0.8:
        names.append("y")
        columns.append(_label(rng, hidden))
    if rows > 1 and rng.random() < 0.15:  # some rows are there twice
        for column in columns:
            column[-1] = column[0]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


def _label(rng: random.Random, hidden: list[float]) -> list[str]:
    """What depends on something hidden, as the columns do in part."""
    near = [value + rng.gauss(0, 0.2) for value in hidden]
    match rng.randrange(6):
        case 0:
            told = [str(int(value > 0.5)) for value in near]
        case 1:
            told = ["yes" if value > 0.5 else "no" for value in near]
        case 2:
            told = [("low", "mid", "high")[min(2, max(0, int(value * 3)))] for value in near]
        case 3:
            told = [str(min(4, max(0, int(value * 5)))) for value in near]
        case 4:
            told = ["True" if value > 0.5 else "False" for value in near]
        case _:
            told = [f"{value * 10 + 3:.4f}" for value in near]
    return _with_missing(rng, told, 0.1)


def _column(rng: random.Random, rows: int, hidden: list[float]) -> list[str]:
    match rng.choices(range(12), (6, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1))[0]:
        case 0:
            found = [f"{value * 4 + rng.gauss(0, 1):.3f}" for value in hidden]
        case 1:
            found = [str(int(value * 20) + rng.randint(-3, 3)) for value in hidden]
        case 2:
            found = [rng.choice(WORDS[: rng.choice((2, 3, 8))]) for _ in range(rows)]
        case 3:
            found = [" ".join(rng.choices(WORDS, k=rng.randint(0, 6))) for _ in range(rows)]
        case 4:
            found = [
                f"20{rng.randint(10, 29)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
                for _ in range(rows)
            ]
        case 5:
            found = [rng.choice(("true", "false")) for _ in range(rows)]
        case 6:
            found = [rng.choice(("7", "7.5", "word", "", "-1e3"))] * rows  # constant
        case 7:
            found = [""] * rows
        case 8:
            found = [
                str(rng.choice((-1, 1)) * rng.randint(0, 10 ** rng.choice((2, 9, 12, 17))))
                for _ in range(rows)
            ]
        case 9:
            found = [
                f"{rng.choice((-1, 1)) * rng.random() * 10.0 ** rng.choice((-300, -20, 0, 20, 155, 300))!r}"
                for _ in range(rows)
            ]
        case 10:
            found = [rng.choice(("1", "2.5", "x", "", "true", "Infinity")) for _ in range(rows)]
        case _:
            found = [f"id{at}" for at in range(rows)]
    return _with_missing(rng, found, 0.3)


def _with_missing(rng: random.Random, values: list[str], often: float) -> list[str]:
    if rng.random() > often:
        return values
    rate = rng.choice((0.05, 0.3, 0.9))
    return [rng.choice(MISSING) if rng.random() < rate else value for value in values]
