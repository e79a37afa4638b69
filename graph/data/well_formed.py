"""Whether a text is plainly a table, seen in blocks of bytes: a tenth of what reading each row takes."""

from __future__ import annotations

from typing import Final

from graph.libraries import Array, np

_BLOCK: Final = 2**22
_QUOTE, _LINE, _RETURN = b'"\n\r'


def is_well_formed(body: bytes, delimiter: str, columns: int) -> bool:
    """Whether each line of *body* has so many values, and quotes only around them.

    False also where it has not been seen: of lines without anything, line ends of another kind, a last row without one.
    """
    start = 0
    while start < len(body):
        end = _end(body, start)
        if not end or not _is_block(
            np.frombuffer(body, np.uint8, end - start, start), ord(delimiter), columns
        ):
            return False
        start = end
    return True


def _end(body: bytes, start: int) -> int:
    """Where a block ends that begins at a row: behind a line end that is in no quotes; 0 where none is found."""
    end = body.find(b"\n", min(start + _BLOCK, len(body) - 1)) + 1
    odd, seen = 0, start
    while end:
        odd ^= body.count(b'"', seen, end) % 2
        if not odd:
            return end
        seen, end = end, body.find(b"\n", end) + 1
    return 0


def _is_block(text: Array, mark: int, columns: int) -> bool:
    places = np.flatnonzero(text == _QUOTE)
    returns, values, lines = (np.flatnonzero(text == each) for each in (_RETURN, mark, _LINE))
    if len(places):
        ends = np.zeros(256, bool)
        ends[[mark, _LINE, _RETURN, _QUOTE]] = True
        opening, closing = places[::2], places[1::2]
        # The first byte may be a quote, the last is a line end.
        if not (ends[text[closing + 1]].all() and ends[text[opening[opening > 0] - 1]].all()):
            return False
        returns, values, lines = (
            each[np.searchsorted(places, each) % 2 == 0] for each in (returns, values, lines)
        )
    if (text[np.minimum(returns + 1, len(text) - 1)] != _LINE).any():
        return False
    counts = np.diff(np.searchsorted(values, lines), prepend=0)
    return bool((counts == columns - 1).all())
