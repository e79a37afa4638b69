"""What an update would delete: that is asked for, with --yes or with a yes at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.errors import CliError
from cli.views.outcomes import stays

# Resources of which nothing but a mark goes.
_MARKS = {"Lineage", "StackClaim"}


@dataclass(frozen=True)
class Planned:
    """A step of a preview, and the resource's state before and after it, as a checkpoint writes it."""

    op: str
    urn: str
    before: Mapping[str, Any]
    after: Mapping[str, Any] = field(default_factory=dict)

    @property
    def deletes(self) -> bool:
        """Whether something ceases to be that this stack made."""
        kind = str(self.before.get("type", ""))
        mark = kind.startswith("pulumi:providers:") or kind.rpartition(":")[2] in _MARKS
        let_be = stays(self.before) or mark or not self.before.get("custom")
        gone = self.op in ("delete", "replace", "delete-replaced") and not let_be
        return gone or bool(self.leaving)

    @property
    def leaving(self) -> list[str]:
        """The members that a fleet lets go of, with their endpoints."""
        return list((self.after.get("inputs") or {}).get("leaves") or [])

    def __str__(self) -> str:
        name = self.urn.rpartition("::")[2]
        return f"{name} ({', '.join(self.leaving)})" if self.leaving else name


def refuse_unasked(steps: Iterable[Planned], stack: str) -> None:
    """Raise CliError where the *steps* of a preview delete something, and nobody said yes to that."""
    names = dict.fromkeys(str(step) for step in steps if step.deletes)
    if names:
        raise CliError(
            f"this update deletes or replaces {', '.join(names)}, and there is nobody to ask",
            f"look at ./dev preview{'' if stack == 'dev' else f' -s {stack}'}, and give --yes if that is wanted",
        )
