"""The table of remedies and the tests that do what they say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.remedies.collecting import Remedy, Source, healing

LEFT = Path(__file__).with_name("unhealed.txt")


@pytest.fixture(scope="module")
def said() -> list[Remedy]:
    source = Source()
    found = source.remedies()
    assert not source.unknown, f"remedies that can't be read from the source: {source.unknown}"
    return found


@pytest.fixture(scope="module")
def healed(said: list[Remedy]) -> dict[Remedy, list[str]]:
    """Each remedy with the tests that are marked with it. A mark that is none, or could be several, is an error."""
    files = Counter(one.text for one in said)
    table: dict[Remedy, list[str]] = {one: [] for one in said}
    for line, text, at in healing():
        fitting = [one for one in said if one.text == text and at in ("", one.at)]
        assert fitting, f"{line} heals a remedy that nobody says: {at} {text}"
        assert at or files[text] == 1, f"{line}: {[one.at for one in fitting]} all say it: give at="
        table[fitting[0]].append(line)
    return table


def test_each_remedy_has_a_test_that_does_what_it_says(healed: dict[Remedy, list[str]]) -> None:
    """Those without one are a list that only gets shorter: a new remedy comes with its test."""
    left = LEFT.read_text().splitlines()
    without = sorted(str(one) for one, tests in healed.items() if not tests)
    assert without == left, (
        f"without a test that is marked as healing it (tests/healing.py): {[one for one in without if one not in left]}; "
        f"in {LEFT.name} and not needed there: {[one for one in left if one not in without]}"
    )
    assert len(left) <= 3


def test_the_source_is_read_as_it_is_written(said: list[Remedy]) -> None:
    """By place, by name, by default, in a text, from a constant, from two branches, from a function's answers."""
    texts = {(one.at, one.text) for one in said}
    for at, text in (
        ("clients/inventory.py", "name one of these, by its name or its resource id"),
        (
            "retrain_hooks/registry/owners.py",
            "delete the registry's {blob}, then run ./dev up on the stack that is in use",
        ),
        ("clients/http/transport.py", "check the address and that the service runs"),
        ("components/services/web_service.py", "give it the baseline: model=…"),
        ("clients/credentials.py", "start it with ./dev cloud start"),
        ("clients/studio_new/files.py", "leave out --model"),
        (
            "clients/http/transport.py",
            "register the provider once for the subscription: az provider register --namespace {}",
        ),
        ("clients/http/transport.py", "run the update again in some minutes"),
    ):
        assert (at, text) in texts
