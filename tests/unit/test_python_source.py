"""Sources of Python are parsed by several threads of a provider."""

from __future__ import annotations

import ast
import gc
import sys
import threading

import pytest

from retrain_hooks.host.python_source import parsed

SOURCE = b"def run(data):\n    return [row + 1 for row in data]\n" * 50


@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="nothing begins in the middle of a tree: garbage is collected later"
)
def test_a_source_is_parsed_while_another_thread_parses_one() -> None:
    """The other begins when the tree is half made: neither fails, and both are whole."""
    trees: list[ast.Module] = []
    inside = 0
    other = threading.Thread(target=lambda: trees.append(parsed(SOURCE)))

    def meet(phase: str, _info: dict[str, int]) -> None:
        nonlocal inside
        caller = sys._getframe(1)
        inside += phase == "start" and caller.f_code is ast.parse.__code__
        if inside == 20 and other.ident is None:
            other.start()
            other.join(0.5)  # it has ended by then, or waits for this one

    before = gc.get_threshold()
    gc.callbacks.append(meet)
    gc.set_threshold(1)
    try:
        trees.append(parsed(SOURCE))
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(meet)
    other.join()
    assert inside >= 20
    assert [len(tree.body) for tree in trees] == [50, 50]
