"""Remedies, done: a test that is marked with one makes its fault, hears it said, does what it says, and is green.

::

    @pytest.mark.heals("give --keep 1 or more")
    def test_…(remedy):
        remedy.fails(lambda: check_keep(0))
        check_keep(1)

The text is the source's, with `{}` for what it fills in; `at=` names the file where several say the same. That each
remedy in the source has such a test is what ``tests/remedies`` holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

_SAID = re.compile(r"remedy:\s+(.*)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Told:
    """What a test has been told, against the remedies that it is marked with."""

    def __init__(self, remedies: list[str]) -> None:
        self.unheard = dict.fromkeys(remedies)

    def __call__(self, said: object) -> None:
        """Hear an error, or a text that has `remedy: …` in a line of it."""
        own = getattr(said, "remedy", None)
        told = [str(own)] if own else _SAID.findall(_COLOURS.sub("", str(said)))
        heard = [remedy for remedy in self.unheard if any(_says(remedy, one) for one in told)]
        assert heard, f"{told or said} is none of {list(self.unheard)}"
        for remedy in heard:
            self.unheard[remedy] = True

    def fails(self, act: Callable[[], object]) -> Any:
        """Do what fails, and hear why; the error."""
        with pytest.raises(Exception) as raised:
            act()
        self(raised.value)
        return raised.value


def case(
    remedy: str, act: Callable[[Any], object], wrong: object, right: object, *, at: str = "", name: str = ""
) -> Any:
    """A value that is refused with *remedy*, and one that is as it says: for ``act, wrong, right``."""
    mark = pytest.mark.heals(remedy, at=at)
    return pytest.param(act, wrong, right, marks=mark, id=name or remedy[:60])


@pytest.fixture
def remedy(request: pytest.FixtureRequest) -> Iterator[Told]:
    found = Told([text for mark in request.node.iter_markers("heals") for text in mark.args])
    yield found
    never = [text for text, heard in found.unheard.items() if not heard]
    assert not never, f"never told: {never}"


def _says(template: str, text: str) -> bool:
    pattern = "(.*)".join(
        re.escape(part) for part in re.split(r"\{[^{}]*\}", template.replace("{{}", "{").replace("}}", "}"))
    )
    return re.fullmatch(pattern, text.strip(), re.DOTALL) is not None


def must_hear(item: pytest.Item) -> None:
    """A marked test that doesn't ask for `remedy` could claim anything."""
    if item.get_closest_marker("heals") and "remedy" not in getattr(item, "fixturenames", ()):
        raise pytest.UsageError(
            f"{item.nodeid} is marked as healing and does not hear the remedy: take `remedy`"
        )
