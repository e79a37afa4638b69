"""Which resource is meant: URNs and aliases.

Source: `pkg/resource/deploy/step_generator.go` of Pulumi 3.260.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.checkpoint import State
from backend.urns import inherited_alias, make_urn
from engine.errors import StepError


class Names:
    """The URNs that a run has seen, and the old ones that new ones claim."""

    def __init__(self, stack: str, project: str) -> None:
        self.stack = stack
        self.project = project
        self.urns: set[str] = set()
        self.aliased: dict[str, str] = {}  # old URN → the new one that claims it
        self._alias_of: dict[str, str] = {}

    def urn(self, parent: str, type_: str, name: str) -> str:
        """The URN of such a resource of this stack."""
        return make_urn(self.stack, self.project, parent, type_, name)

    def register(self, parent: str, type_: str, name: str) -> str:
        """The URN of a resource about to be registered.

        Raises:
            StepError: its parent isn't known, or the URN is taken.
        """
        if parent and parent not in self.urns:
            raise StepError(f"could not find parent resource {parent}")
        urn = self.urn(parent, type_, name)
        if urn in self.urns:
            raise StepError(f"Duplicate resource URN '{urn}'; try giving it a unique name")
        self.urns.add(urn)
        return urn

    def find_old(
        self, new: State, aliases: list[str], olds: Mapping[str, State]
    ) -> tuple[State | None, list[str]]:
        """The resource's old state under its URN or an alias of it or of its parent; and who else claims that."""
        urn, problems, names = new.urn, [], list(aliases)
        if urn in self.aliased:
            other = self.aliased[urn]
            problems.append(
                f"Duplicate resource URN '{urn}' conflicting with alias on resource with URN '{other}'"
            )
        if new.parent in self._alias_of:
            parents = new.parent, self._alias_of[new.parent]
            names += [inherited_alias(self.stack, self.project, each, *parents) for each in [urn, *aliases]]
        name = next((name for name in [urn, *names] if name in olds), urn)
        if name != urn:
            if name in self.urns or name in self.aliased:
                problems.append(
                    f"Duplicate resource alias '{name}' applied to resource with URN '{urn}' "
                    f"conflicting with resource with URN '{self.aliased.get(name, urn)}'"
                )
            self.aliased[name] = urn
            self._alias_of[urn] = name
            new.aliases = [name]
        return olds.get(name), problems
