"""What a decision changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Act(Protocol):
    """A decision, not carried out yet."""

    @property
    def words(self) -> tuple[str, ...]:
        """What it would do, a line each."""

    def carry_out(self) -> None:
        """Do it. Raises CliError."""


@dataclass(frozen=True)
class Setting:
    """A decision that is one value of a stack's configuration, in its file; an empty value takes the key out."""

    stack: str
    key: str
    before: str
    value: str
    about: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What it is about, and the change of the stack's file."""
        from cli.project import stack_file

        change = f"{self.before or 'nothing'} → {self.value or 'nothing'}"
        return (*self.about, f"{stack_file(self.stack).name}: {self.key}: {change}")

    @property
    def changes(self) -> bool:
        """Whether the stack's file does not say so already."""
        return self.before != self.value

    def carry_out(self) -> None:
        """Write it."""
        from cli.project import qualified, stack_file
        from cli.stacks.files import set_value, unset_value

        file, key = stack_file(self.stack), qualified(self.key)
        if self.value:
            set_value(file, key, self.value)
        else:
            unset_value(file, key)


def present(stack: str, key: str) -> str:
    """What a stack's configuration says for one of the project's keys."""
    from cli.project import qualified, stack_config

    return str(stack_config(stack).get(qualified(key)) or "")
