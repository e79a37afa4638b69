"""What an update would delete: that is asked for, with --yes or with a yes at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.errors import CliError
from cli.views.outcomes import stays

# Resources of which nothing but a mark goes.
_MARKS = {"Lineage", "StackClaim"}


@dataclass(frozen=True)
class Planned:
    """A step of a preview, and the resource's state before it, as a checkpoint writes it."""

    op: str
    urn: str
    before: Mapping[str, Any]

    @property
    def deletes(self) -> bool:
        """Whether something ceases to be that this stack made."""
        kind = str(self.before.get("type", ""))
        mark = kind.startswith("pulumi:providers:") or kind.rpartition(":")[2] in _MARKS
        let_be = stays(self.before) or mark or not self.before.get("custom")
        return self.op in ("delete", "replace", "delete-replaced") and not let_be


def refuse_unasked(steps: Iterable[Planned], stack: str) -> None:
    """Raise CliError where the *steps* of a preview delete something, and nobody said yes to that."""
    names = dict.fromkeys(step.urn.rpartition("::")[2] for step in steps if step.deletes)
    if names:
        raise CliError(
            f"this update deletes or replaces {', '.join(names)}, and there is nobody to ask",
            f"look at ./dev preview{'' if stack == 'dev' else f' -s {stack}'}, and give --yes if that is wanted",
        )
