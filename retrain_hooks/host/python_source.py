"""Python sources as trees, from several threads: until CPython 3.11.8 and 3.12.2 one at a time is all that it can do.

Two at once end, by chance, with ``SystemError: AST constructor recursion depth mismatch`` (python/cpython#106905): the
depth is counted for all threads together.
"""

from __future__ import annotations

import ast
import threading

_one_at_a_time = threading.Lock()


def parsed(source: bytes, file: str = "<unknown>") -> ast.Module:
    """The tree of *source*; *file* is what its errors name. Raises SyntaxError, ValueError."""
    with _one_at_a_time:
        return ast.parse(source, file)
