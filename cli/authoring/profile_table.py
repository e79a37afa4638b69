"""What a table holds, as the terminal shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cli.console import out, print_table

if TYPE_CHECKING:
    from authoring.profile import TableProfile


def print_profile(profile: TableProfile, label: str, left_out: Mapping[str, str]) -> None:
    """A line a column: type, missing values, what it holds, and why it is *left out*."""
    twice = f", {profile.repeated:,} of them more than once" if profile.repeated else ""
    out().print(f"{profile.rows:,} rows{twice}, {len(profile.columns)} columns")
    rows = []
    for column in profile.columns:
        note = "the label" if label and column.name == label else ""
        if column.name in left_out:
            note = f"left out: {left_out[column.name]}"
        missing = f"{column.missing:,}" if column.missing else ""
        rows.append((column.name, column.type, missing, column.said, note))
    print_table(("column", "type", "missing", "values", ""), rows, right=("missing",))
