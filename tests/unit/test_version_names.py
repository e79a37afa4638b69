"""Which data versions `latest` and windows mean, whatever the blobs are called."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.errors import ConfigurationError, DataVersionNotFound
from clients.names import nearest
from retrain_hooks.data.versions import choose

WHERE = "data/flights/{version}.csv"


@pytest.mark.parametrize(
    ("there", "version", "chosen", "left_out"),
    [
        ("v2 v9 v10 v11", "latest", "v11", ""),
        ("1 2 9 10 11", "1..2", "1 2", ""),
        ("1 2 9 10 11", "9..11", "9 10 11", ""),
        ("20220113.1 20220113.10 20220113.9", "latest", "20220113.10", ""),
        (
            "20220113.1 20220113.10 20220113.9 20220114.1",
            "20220113.9..20220114.1",
            "20220113.9 20220113.10 20220114.1",
            "",
        ),
        ("2013-9 2013-10 2013-11", "latest", "2013-11", ""),
        ("2013-01 2013-02 test README", "latest", "2013-02", "README test"),
        ("2013-01 README", "latest", "2013-01", "README"),
        ("2013-01 2013-01-old", "latest", "2013-01", "2013-01-old"),
        ("2013-01 2013-01-old 2013-02-old", "latest", "2013-01", "2013-01-old 2013-02-old"),
        ("2013-01 2013-02 2013-03-v2", "latest", "2013-02", "2013-03-v2"),
        ("2013-01 2013-01-old 2013-02 2013-03", "2013-01..2013-03", "2013-01 2013-02 2013-03", "2013-01-old"),
        ("2013-01 2013-02.bak 2013-02", "2013-01..2013-02", "2013-01 2013-02", "2013-02.bak"),
        ("test", "latest", "test", ""),
        ("2013-01 2013-02", "2013-02..2013-02", "2013-02", ""),
        ("2013-01 test", "test", "test", ""),
        ("2013-01T10 2013-02T09", "latest", "2013-02T09", ""),
        ("999 1000 99999 100000", "latest", "100000", ""),
        ("1 01 2", "latest", "2", ""),
        ("1 01 2 3", "2..3", "2 3", ""),
        ("01-2013 12-2013 02-2013", "latest", "12-2013", ""),
        ("20220113.2001 20220114.1", "latest", "20220114.1", ""),
        ("2013 2014 201x", "latest", "2014", "201x"),
    ],
)
def test_numbers_in_names_compare_as_numbers_and_other_names_are_left_out(there, version, chosen, left_out):
    """In whatever order a listing has them; what is left out is said."""
    names = there.split()
    random.Random(0).shuffle(names)
    found = choose(version, names, WHERE)
    assert (found.names, found.left_out) == (tuple(chosen.split()), tuple(left_out.split()))
    assert bool(found.note) == bool(left_out)
    assert all(name in found.note for name in found.left_out)


@pytest.mark.parametrize(
    ("there", "version", "cause"),
    [
        ("201302 20130101", "latest", "20130101 and 201302"),
        ("2014 201301", "latest", "201301 and 2014"),
        ("201301 20130115 201302", "201301..201302", "20130115 and 201302"),
        ("12-2012 01-2013", "latest", "12-2012 and 01-2013"),
        ("15-01-2013 02-02-2013", "latest", "15-01-2013 and 02-02-2013"),
        ("1 01 0", "latest", "the same numbers"),
        ("1 01 2", "1..2", "the same numbers"),
        ("test README", "latest", "README, test"),
        ("2013-jan 2013-feb", "latest", "not written alike"),
        ("1.9 2.0.1", "latest", "not written alike"),
        ("a1b2 b2c3d", "latest", "not written alike"),
        ("2013-jan 2013-feb 2013-mar", "2013-jan..2013-mar", "not written alike"),
        ("jan feb mar", "jan..mar", "not written alike"),
        ("2 10", "10..2", "not a window"),
    ],
)
def test_names_without_one_order_are_refused(there, version, cause):
    """It is never guessed which is the later one."""
    with pytest.raises(ConfigurationError, match=cause):
        choose(version, there.split(), WHERE)


@given(st.sets(st.integers(0, 10**6), min_size=2), st.data())
def test_a_window_holds_the_numbers_between_its_ends(numbers, data):
    """Whatever their count of digits."""
    ends = sorted(data.draw(st.sets(st.sampled_from(sorted(numbers)), min_size=2, max_size=2)))
    names = {f"v{number}" for number in numbers}
    try:
        found = choose(f"v{ends[0]}..v{ends[1]}", names, WHERE)
    except ConfigurationError as error:
        assert "dates of more or fewer digits" in str(error)  # noqa: PT017 - all of them may be dates
        return
    assert found.names == tuple(f"v{number}" for number in sorted(numbers) if ends[0] <= number <= ends[1])


@pytest.mark.parametrize("version", ["2013-99", "2013-99..2014-01", "x" * 5000])
def test_a_missing_version_names_the_nearest_only(version):
    """However many there are, and however long their names."""
    there = {f"{year}-{month:02}" for year in range(1000, 2600) for month in range(1, 13)} | {"y" * 900}
    if ".." in version:
        with pytest.raises(DataVersionNotFound) as refused:
            choose(version, there, WHERE)
        text = str(refused.value)
    else:
        text = nearest(version, there)
    assert "the nearest of 19,201" in text
    assert len(text) < 500
    assert version[:4] not in ("2013",) or "2013-09" in text
