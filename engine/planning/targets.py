"""What a run is about: everything, or the resources that `--target` names."""

from __future__ import annotations

import fnmatch

from backend.urns import STACK_TYPE, is_provider, urn_type


class Targets:
    """URNs, in which `*` stands for anything; without any, everything is one."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = patterns

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def name(self, urn: str) -> bool:
        """Whether the run is about everything, or this resource is a target."""
        return not self._patterns or any(
            urn == p or ("*" in p and fnmatch.fnmatchcase(urn, p)) for p in self._patterns
        )

    def include(self, urn: str) -> bool:
        """Whether the run is about this resource; providers and the stack always are."""
        return is_provider(urn_type(urn)) or urn_type(urn) == STACK_TYPE or self.name(urn)

    def missing(self, there: set[str]) -> list[str]:
        """The targets that aren't there."""
        return [p for p in self._patterns if "*" not in p and p not in there]
