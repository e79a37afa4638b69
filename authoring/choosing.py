"""What a model of a table would be trained for: told from its label, or as a person says."""

from __future__ import annotations

from typing import Final

from authoring.profile import ColumnProfile, TableProfile
from clients.errors import ConfigurationError
from clients.names import nearest
from tasks import TASKS

_CLASSES: Final = 20  # whole numbers of so few kinds are classes
_MOST_CLASSES: Final = 200


def choose_task(profile: TableProfile, label: str, wanted: str = "") -> tuple[str, str]:
    """The task's name and why it is that one. Raises ConfigurationError for a label or task that doesn't fit."""
    if wanted and wanted not in TASKS:
        raise ConfigurationError(
            f"there is no task {wanted!r}; {nearest(wanted, TASKS)}", "say one of: " + ", ".join(TASKS)
        )
    if not label:
        if not wanted or TASKS[wanted].labelled:
            raise ConfigurationError(
                f"{wanted or 'a task that is measured by outcomes'} needs a label, and none is named",
                "say --label COLUMN, or --task clustering, which needs none",
            )
        return wanted, "you said so"
    column = profile.column(label)
    if column is None and (mark := profile.divided_by):
        raise ConfigurationError(
            f"the table has one column, {profile.columns[0].name!r}: its values seem to be divided by {mark!r}",
            "divide its values by commas, or by tabs and name it .tsv",
        )
    if column is None:
        raise ConfigurationError(
            f"the table has no column {label!r}; {nearest(label, [each.name for each in profile.columns])}",
            "say --label with the column that the model is to tell",
        )
    if wanted == "clustering":
        raise ConfigurationError(
            "clustering learns from no label", f"leave out --label {label}, or say another --task"
        )
    if column.distinct < 2:
        raise ConfigurationError(
            f"the label {label!r} has "
            + ("one value in every row" if column.distinct else "no value in any row")
            + ": there is nothing to learn",
            "say another --label, or give a table in which it differs",
        )
    if wanted:
        _fits(column, wanted)
        return wanted, "you said so"
    return _told(column)


def _told(column: ColumnProfile) -> tuple[str, str]:
    if column.distinct == 2:
        return "two-class", f"{column.name} has two values"
    if not column.numeric:
        _fits(column, "multiclass")
        return "multiclass", f"{column.name} is text with {column.distinct} values"
    if column.type != "Double" and column.distinct <= _CLASSES:
        why = f"{column.name} has {column.distinct} whole numbers for values; --task regression takes them for amounts"
        return "multiclass", why
    return "regression", f"{column.name} has {column.distinct:,} numbers for values"


def _fits(column: ColumnProfile, task: str) -> None:
    """Raise ConfigurationError for a label that the task cannot be learnt from."""
    if column.decimal_commas and column.distinct > _CLASSES:
        raise ConfigurationError(
            f"the label {column.name!r} has numbers with a decimal comma, which are text",
            "write them with a point: 12.5",
        )
    problem = ""
    if task == "regression" and not column.numeric:
        problem = f"the label {column.name!r} is text, and a regression tells numbers"
    elif task in ("two-class", "anomaly") and column.distinct != 2:
        problem = f"the label {column.name!r} has {column.distinct:,} values, and the task has two classes"
    elif task == "multiclass" and column.distinct > _MOST_CLASSES:
        problem = f"the label {column.name!r} has {column.distinct:,} values, which are too many for classes"
    if problem:
        raise ConfigurationError(problem, "say another --task, or another --label")
