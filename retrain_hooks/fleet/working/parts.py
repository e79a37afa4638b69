"""A member's parts, brought about as an engine would: checked, compared with what there was, made, changed or replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from retrain_hooks.host.lifecycle import Lifecycle, Props


@dataclass
class Late:
    """What was replaced is deleted at the end, the last first, when what takes its place is there."""

    _deletions: list[Callable[[], None]] = field(default_factory=list)

    def add(self, deletion: Callable[[], None]) -> None:
        """Delete this at the end."""
        self._deletions.append(deletion)

    def do(self) -> None:
        """Delete all."""
        while self._deletions:
            self._deletions.pop()()


def apply(life: Lifecycle, wanted: Props, old: Props, late: Late | None = None) -> Props:
    """The outputs of a part that is to be as *wanted* and was *old* (its last outputs; empty: nothing was).

    What is replaced is deleted with *late*. Raises what its lifecycle raises.
    """
    checked = life.check(wanted, old)
    if not old:
        return life.create(checked)[1]
    diff = life.diff(old, checked)
    if diff.replaces:
        outputs = life.create(checked)[1]
        if late is not None:
            late.add(lambda: life.delete("", old))
        return outputs
    return life.update("", old, checked) if diff.changes else old
