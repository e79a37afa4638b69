"""Records keep what differs of a resource, and read it back whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine import golden

URN = "things:index:Thing::a"
PLAIN = {
    "custom": True,
    "dependencies": [],
    "id": "a-1",
    "inputs": {"value": 1},
    "outputs": {"value": 1, "echo": "1"},
    "parent": "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev",
    "propertyDependencies": {"value": []},
    "provider": "urn:pulumi:dev::demo::pulumi:providers:things::default::UUID",
    "type": "things:index:Thing",
}


def runs(*states: dict[str, Any]) -> dict[str, Any]:
    """A run for each state, and one that has none between them."""
    return {str(number): {"well": True} | ({"state": s} if s else {}) for number, s in enumerate(states)}


def test_a_plain_resource_is_its_id_its_inputs_and_what_its_outputs_have_beside_them() -> None:
    """What all resources have is not repeated."""
    written = golden.short(runs({URN: PLAIN}))["0"]["state"][URN]
    assert written == {"id": "a-1", "inputs": {"value": 1}, "outputs/echo": "1"}


def test_a_changed_resource_is_what_changed() -> None:
    """Also across a run that keeps no state."""
    changed = PLAIN | {"inputs": {"value": 2}, "outputs": {"value": 2}}
    written = golden.short(runs({URN: PLAIN}, {}, {URN: changed}))["2"]["state"][URN]
    assert written == {"inputs/value": 2, "outputs/value": 2, "gone": ["outputs/echo"]}


@pytest.mark.parametrize(
    "later",
    [
        {URN: None},
        {URN: PLAIN | {"inputs": {"value": True}}},
        {URN: PLAIN | {"inputs": {"value": 1.0}}},
        {URN: PLAIN | {"inputs": {"value": None}}},
        {URN: PLAIN | {"inputs": {"a/b~c": {"": [1]}}, "outputs": {}}},
        {URN: {k: v for k, v in PLAIN.items() if k != "provider"}},
        {f"{URN} (delete)": PLAIN | {"delete": True}, URN: PLAIN | {"id": "a-2"}},
        {"format": {"version": 4}, "pending": ["creating a"]},
        {"things:index:Group::g": {"custom": False, "type": "things:index:Group"}},
    ],
    ids=lambda later: ", ".join(later),
)
@pytest.mark.parametrize("first", [{}, {URN: PLAIN}], ids=["new", "known"])
def test_what_is_read_is_what_was_written_to_the_last_value(
    first: dict[str, Any], later: dict[str, Any]
) -> None:
    """Also keys with slashes, nulls, and numbers and truths that Python holds for equal."""
    given = runs(first, later, first)
    read = golden.whole(json.loads(json.dumps(golden.short(given))))
    assert json.dumps(read, sort_keys=True) == json.dumps(given, sort_keys=True)


def test_each_record_is_as_short_as_it_is_written() -> None:
    """No record was edited into what `--record` would write otherwise."""
    for path in golden.FOLDER.iterdir():
        record = json.loads(path.read_text())
        assert golden.short(golden.whole(record["runs"])) == record["runs"], path.name
