"""What the members of a fleet work with: nothing is told of each, and the registry is asked once.

The record of a run that is finished says the same until it is retired or trained again, which changes it: a member's parts
ask for it some ten times.
"""

from __future__ import annotations

import copy
from typing import Any

from clients.storage import Container
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.host.memory import Memory

_RUNS, _FINISHED = "runs/", b'"state":"finished"'


def quietly(context: Context) -> Context:
    """The same context, for members: there may be thousands."""
    quiet, registry, memory = copy.copy(context), context.registry, context.memory
    quiet.progress = _Quiet()

    def remembering(target: str) -> Any:
        return _Remembering(registry(target), memory)

    quiet.registry = remembering  # type: ignore[method-assign]
    return quiet


class _Quiet:
    """Nobody is told."""

    def status(self, message: str) -> None:
        """See Progress."""

    def info(self, message: str) -> None:
        """See Progress."""


class _Remembering:
    """A registry that remembers the records of finished runs, as long as a run remembers anything (``Memory``)."""

    def __init__(self, registry: Container, memory: Memory) -> None:
        self._registry, self._memory = registry, memory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def read(self, name: str) -> tuple[bytes, str]:
        """Content and ETag of a blob."""
        if not name.startswith(_RUNS):
            return self._registry.read(name)
        found = self._memory.once(self._question(name), lambda: self._registry.read(name))
        if _FINISHED not in found[0]:
            self._memory.forget(*self._question(name))
        return found

    def write(self, name: str, content: bytes, **conditions: Any) -> str:
        """Store a blob, as a container does; what was remembered of it is forgotten, also where it was changed before."""
        self._memory.forget(*self._question(name))
        return self._registry.write(name, content, **conditions)

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Delete a blob, as a container does."""
        self._memory.forget(*self._question(name))
        self._registry.delete(name, etag=etag)

    def _question(self, name: str) -> tuple[str, ...]:
        return "blob's content", self._registry.name, name
