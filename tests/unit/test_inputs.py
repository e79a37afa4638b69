"""Typed inputs: read once, judged by themselves, described for the reference."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.host.inputs import Duration, Inputs, prop
from retrain_hooks.host.lifecycle import UNKNOWN


@dataclass(frozen=True)
class Part(Inputs):
    bake: Duration = prop("how long it is watched", default=Duration(0))


@dataclass(frozen=True)
class Things(Inputs):
    name: str = prop("what it is called")
    deadline_minutes: int = prop("how long it may take", default=60, least=1, unit="minutes")
    rate: float | None = prop("what it costs", default=None, least=0)
    wanted: str = prop("what happens", default="fail", choices=("fail", "hold"))
    asked: bool = prop("whether it is asked for", default=False)
    parts: tuple[Part, ...] = prop("its parts", default=())


def test_numbers_of_the_wire_and_texts_of_a_stack_file_become_typed_values():
    """Pulumi sends doubles, a stack's file holds texts; both are read."""
    things = Things.parse({"name": 2013.0, "deadlineMinutes": "5", "rate": 2, "parts": [{"bake": "10m"}]})
    assert things == Things("2013", 5, 2.0, parts=(Part(Duration(600)),))


def test_what_is_read_is_written_back_and_read_alike():
    """The plain properties of an object give the same object."""
    things = Things("a", rate=0.5, parts=(Part(Duration(0.5)),))
    assert Things.parse(things.props()) == things


def test_unknown_values_are_not_judged():
    """What a preview cannot know stays UNKNOWN."""
    assert Things.parse({"name": UNKNOWN, "deadlineMinutes": UNKNOWN}).deadline_minutes is UNKNOWN


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({}, "name is not given"),
        ({"deadlineMinutes": -1}, "deadlineMinutes: -1 is less than 1 minutes"),
        ({"deadlineMinutes": 1.7}, "deadlineMinutes: 1.7 is not a whole number of minutes"),
        ({"deadlineMinutes": True}, "deadlineMinutes: True is not a whole number of minutes"),
        ({"rate": "much"}, "rate: 'much' is not a number"),
        ({"rate": float("inf")}, "rate: inf is not a number"),
        ({"wanted": "stop"}, "wanted: 'stop' is not one of fail, hold"),
        ({"asked": "yes"}, "asked: 'yes' is neither true nor false"),
        ({"parts": {"bake": 1}}, "parts: {'bake': 1} is not a list"),
        ({"parts": [{"bake": "ten"}]}, "parts[0].bake: 'ten' is not a duration"),
        ({"parts": ["ten"]}, "parts[0]: 'ten' has no properties"),
        ({"name": ["a"]}, "name: ['a'] is not a text"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(given, cause):
    """One line of cause that names the property and the value, one of remedy."""
    with pytest.raises(ConfigurationError) as caught:
        Things.parse({"name": "a"} | given if given else {})
    assert caught.value.cause == cause
    assert caught.value.remedy


def test_the_reference_is_rendered_from_the_same_definition():
    """Names, types, ranges, units and defaults."""
    rows = {row.name: row for row in Things.table()}
    deadline = rows["deadlineMinutes"]
    assert (deadline.type, deadline.range, deadline.rules.unit, deadline.default) == (
        "whole number",
        "at least 1",
        "minutes",
        "60",
    )
    assert rows["wanted"].range == "fail | hold"
    assert rows["parts"].type == "list of Parts"


def _no_number(text: str) -> None:
    if text.isdigit():
        raise ConfigurationError(f"{text!r} is a number", "write a word")


@dataclass(frozen=True)
class Ref(Inputs):
    id: str = prop("its id")

    def same(self, other: Ref) -> bool:
        return self.id.casefold() == other.id.casefold()


@dataclass(frozen=True)
class Judged(Inputs):
    ref: Ref = prop("where it is", identity=True)
    words: tuple[str, ...] = prop("words", default=(), judge=_no_number)
    low: int = prop("the lowest", default=0, called="lowest", most=9)
    high: int = prop("the highest", default=9)

    def validate(self) -> None:
        if self.low > self.high:
            raise ConfigurationError("low is above high", "swap them")


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"words": ["a", "1"]}, "words[1]: '1' is a number"),
        ({"low": 10}, "lowest: 10 is more than 9"),
        ({"low": 5, "high": 4}, "low is above high"),
    ],
)
def test_what_a_state_holds_is_not_judged_again(given, cause):
    """What is refused of new inputs is read of recorded ones; errors name a property as the configuration does."""
    with pytest.raises(ConfigurationError) as caught:
        Judged.parse({"ref": {"id": "a"}, **given})
    assert caught.value.cause == cause
    assert Judged.parse({"ref": {"id": "a"}, **given}, recorded=True).ref == Ref("a")


def test_an_identity_compares_as_its_service_does():
    """Ids without case; what is not known is another; what is no part of the identity does not count."""
    old = Judged.parse({"ref": {"id": "A"}})
    assert Judged.parse({"ref": {"id": "a"}, "low": 3}).moved(old) == ()
    assert Judged.parse({"ref": {"id": "b"}}).moved(old) == ("ref",)
    assert Judged.parse({"ref": UNKNOWN}).moved(old) == ("ref",)
    assert Judged.parse({"ref": {"id": UNKNOWN}}).moved(old) == ("ref",)


def test_what_an_earlier_release_let_through_does_not_stand_in_the_way_of_its_correction():
    """A state may hold what is refused today: it is read as if it were not given."""
    given = {"name": "a", "deadlineMinutes": 1.7, "rate": "", "parts": "ten"}
    assert Things.parse(given, recorded=True) == Things("a")
