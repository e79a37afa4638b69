"""What says who the members of a fleet are, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clients.errors import ConfigurationError
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.fleet.members.pattern import MEMBER, Pattern
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import known


def _path(path: str) -> None:
    if path and Pattern.parse(path).count(MEMBER) != 1:
        raise ConfigurationError(
            f"{path!r} does not hold {MEMBER} once", "write it like sales/{member}/{version}.csv"
        )


@dataclass(frozen=True)
class MembersInputs(Inputs):
    """Who the members are: listed, or found in the data."""

    list: tuple[Mapping[str, Any], ...] | None = prop("the members, each with its name", default=None)
    file: str = prop("a CSV or JSON file that lists the members, in the project's folder", default="")
    path: str = prop(
        "where the data of each is: a pattern with {member} and, where there are versions, {version}",
        default="",
        judge=_path,
    )
    column: str = prop("the column of one table whose values are the members", default="")
    minimum_rows: int = prop(
        "with a column: values with fewer rows are no members", default=1, least=1, unit="rows"
    )

    @property
    def listed(self) -> bool:
        """Whether they are named one by one."""
        return self.list is not None or bool(self.file)

    def validate(self) -> None:
        """Refuse two answers to one question, and none."""
        if not known(self.list, self.file, self.path, self.column, self.minimum_rows):
            return
        for one, other in (
            ("list" if self.list is not None else "", "file" if self.file else ""),
            ("path" if self.path else "", "column" if self.column else ""),
        ):
            if one and other:
                raise ConfigurationError(
                    f"the members of the fleet are given by both {one} and {other}", "give one of the two"
                )
        if not (self.listed or self.path or self.column):
            raise ConfigurationError(
                "nothing says who the members of the fleet are",
                "give one of list, file, path (a pattern) or column (of one table)",
            )
        if self.minimum_rows > 1 and not self.column:
            raise ConfigurationError(
                "minimumRows is given without a column",
                "name the column whose rows it counts, or leave it out",
            )


@dataclass(frozen=True)
class Table:
    """A table that is split: its *blobs*, in their order, in a *container*, with the ETag of each; by which *column*."""

    container: str
    blobs: tuple[str, ...]
    etags: tuple[str, ...]
    column: str


@dataclass(frozen=True)
class Member:
    """One member of a fleet, as far as a preview finds out.

    *name* is as it was declared or found; *endpoint* has 1 to 24 lower-case letters and digits. *data* is what it is
    trained from, with the *etags* of these blobs, as far as they are there already. *parameters* and *gate* are its own,
    over the fleet's. *formerly* is the name that it had where it was renamed. A member with a *problem*, one line, cannot be
    trained; nobody else is touched by it.

    *place* is the folder that the fleet's data is in, and *table* what its data is split from, where it is.
    """

    name: str
    endpoint: str
    data: DataReference | None = None
    etags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)
    probe_rows: int | None = None
    formerly: str = ""
    rows: int | None = None
    problem: str = ""
    place: str = ""
    table: Table | None = None
