"""Places of an online endpoint, as one name each.

``<endpoint>`` stands for what has its traffic, ``<endpoint>/staging`` for the deployment that was staged last, which has none of
its own and is scored by its header. Of models that share a deployment, ``<endpoint>/live/<member>`` and
``<endpoint>/staging/<member>`` stand for one.
"""

from __future__ import annotations

from dataclasses import dataclass

STAGING = "staging"
_LIVE = "live"


@dataclass(frozen=True)
class Slot:
    """The *endpoint*'s own name, whether its *staging* is meant, and of whom of those that share it: a *member*, or empty."""

    endpoint: str
    staging: bool = False
    member: str = ""

    @classmethod
    def parse(cls, place: str) -> Slot:
        """Read one: no name has a slash."""
        endpoint, _, rest = place.partition("/")
        slot, _, member = rest.partition("/")
        return cls(endpoint, slot == STAGING, member)

    def of(self, member: str) -> Slot:
        """The same place, of *member*."""
        return Slot(self.endpoint, self.staging, member)

    def __str__(self) -> str:
        parts = [self.endpoint, STAGING if self.staging else _LIVE if self.member else "", self.member]
        return "/".join(filter(None, parts))
