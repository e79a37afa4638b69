"""The run key: one name for one training run, on every machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain_hooks.registry.run_key import Covered, canonical_json, digest, model_address

INPUTS = {"experiment": "e", "data": "d", "parameters": {"Learning rate": "0.2"}, "seed": 0, "force": ""}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_the_key_of_known_inputs_never_changes():
    """A release that computes another key would retrain everything."""
    assert (
        Covered(**INPUTS, format=1).key == "560ac529c1e8ee912641ebe8edd3ef87a9d805e781c2c6bf9930da882634f862"
    )
    assert Covered(**INPUTS).key == "22668f9aa6102f5788c06cce9c5349ab13523279b396691178fe23b68c9e7600"


@pytest.mark.parametrize(
    "change",
    [
        {"experiment": "x"},
        {"data": "x"},
        {"parameters": {"Learning rate": "0.3"}},
        {"seed": 1},
        {"force": "x"},
        {"format": 1},
    ],
)
def test_each_input_changes_the_key(change):
    """Nothing that determines the model is left out."""
    assert Covered(**INPUTS).key != Covered(**(INPUTS | change)).key


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_the_order_of_keys_does_not_matter(value):
    """Two equal objects have one canonical form."""
    assert canonical_json(value) == canonical_json(dict(reversed(list(value.items()))))


@given(st.integers(-(2**53), 2**53))
def test_whole_floats_are_integers(number):
    """Pulumi's wire turns every number into a double."""
    assert digest({"n": number}) == digest({"n": float(number)})


def test_what_json_cannot_hold_is_refused():
    """NaN has no canonical form."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"x": float("nan")})


def test_the_address_is_a_function_of_experiment_key_and_attempt():
    """So a preview can name it."""
    assert model_address("flights", "k", 2) == "models/flights/k/2.ilearner"
