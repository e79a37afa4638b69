"""An experiment package as the text of a file: read strictly, and where in it something is written.

read_package(text)      the package, not yet checked
line_of(text, target)   the line in which the target of a GraphError is written
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from graph.errors import GraphError

SCHEMA: Final = "$schema"


def read_package(text: str) -> Any:
    """The JSON of a package, without the `$schema` that editors read: it is no part of the experiment.

    Raises GraphError (target: the name, where one is written twice) for what is none.
    """
    try:
        package = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise GraphError("it is no experiment package: its objects are too deep in each other") from None
    except json.JSONDecodeError as error:
        raise GraphError(f"it is not JSON: {error}", f":{error.lineno}", "correct the file") from None
    except ValueError as error:
        raise GraphError(f"it is not JSON: {error}", "", "correct the file") from None
    if isinstance(package, dict):
        package.pop(SCHEMA, None)
    return package


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise GraphError(
                f'the name "{name}" is written twice in one object', name, "give each a name of its own"
            )
        found[name] = value
    return found


def line_of(text: str, target: str) -> int:
    """The line of a package in which a node, a parameter, or an edge ("a.b -> c.d") is written; 0 where it isn't found.

    Of what is no JSON the target is the line (":3").
    """
    if target.startswith(":"):
        return int(target[1:])
    source, arrow, end = target.partition(" -> ")
    if arrow:
        source, end = (re.escape(json.dumps(each, ensure_ascii=False)) for each in (source, end))
        found = re.search(rf'"from"\s*:\s*{source}\s*,\s*"to"\s*:\s*{end}', text)
    else:
        node, _, parameter = target.partition(".")
        found = re.search(rf'"{re.escape(node)}"\s*:', text) or re.search(f'"{re.escape(target)}"', text)
        if found and parameter:
            found = re.compile(rf'"{re.escape(parameter)}"\s*:').search(text, found.end()) or found
    return text.count("\n", 0, found.start()) + 1 if found else 0
