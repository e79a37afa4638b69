"""What a service's answer says, whatever its shape: a value that is looked up and is not there is an error of the service.

::

    text(answer, "properties", "workspaceId")   # a text, where an answer has one there
    rows(answer, "value")                       # the objects of a list; none where there is no list
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.errors import ServiceError

Json = dict[str, Any]
_REMEDY = "check that the address is the service's own, then run it again"


def text(answer: Any, *path: str) -> str:
    """The text or number in *answer* at *path*. Raises ServiceError where there is none."""
    found = answer
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, str | int) and not isinstance(found, bool):
        return str(found)
    raise ServiceError(
        f"the service answered without saying {'.'.join(path) or 'what was asked for'}", _REMEDY
    )


def rows(answer: Any, *path: str) -> list[Json]:
    """The objects of the list in *answer* at *path*; none where nothing is there.

    Raises ServiceError where something else is there.
    """
    found = answer
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else found
    if found is None:
        return []
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return found
    raise ServiceError(
        f"the service answered with {'.'.join(path) or 'something'} that is no list of objects", _REMEDY
    )


def part(answer: Any, name: str) -> Json:
    """The object in *answer* called *name*; an empty one where there is none. Raises ServiceError for anything else there."""
    found = answer.get(name) if isinstance(answer, Mapping) else None
    if found is None:
        return {}
    if isinstance(found, dict):
        return found
    raise ServiceError(f"the service answered with {name} that is no object", _REMEDY)
