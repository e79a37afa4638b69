"""Pulumi's property format: what goes in comes out, marks included."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

from localcloud.azure_native.wire import UNKNOWN, Secret, decode, encode, has_unknown, plain

_leaves = st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5) | st.just(UNKNOWN)
_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | inner.map(lambda value: value if isinstance(value, Secret) else Secret(value))
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=4), _values, max_size=4))
def test_properties_survive_the_wire(properties: dict[str, Any]) -> None:
    """Unknowns, secrets, integers, and any nesting of them are the same after encoding and decoding."""
    assert decode(encode(properties)) == properties


def test_the_marks_are_pulumis_own() -> None:
    """Secrets and unknowns are written as Pulumi's SDK writes them."""
    struct = encode({"s": Secret("x"), "u": UNKNOWN})
    assert dict(struct["s"]) == {rpc._special_sig_key: rpc._special_secret_sig, "value": "x"}
    assert struct["u"] == rpc.UNKNOWN


def test_output_values_and_references_are_read() -> None:
    """An engine that sends output values or resource references is understood, too."""
    output = {rpc._special_sig_key: rpc._special_output_value_sig, "value": "v", "secret": True}
    later = {rpc._special_sig_key: rpc._special_output_value_sig}
    resource = {rpc._special_sig_key: rpc._special_resource_sig, "urn": "urn:x", "id": "the-id"}
    struct = encode({"output": output, "later": later, "resource": resource})
    assert decode(struct) == {"output": Secret("v"), "later": UNKNOWN, "resource": "the-id"}


def test_nulls_are_left_out() -> None:
    """A property that is null is a property that is not there."""
    assert decode(encode({"a": None, "b": {"c": None}})) == {"b": {}}


def test_a_secret_does_not_show_in_logs() -> None:
    """Neither the value nor anything in it is in the text of a secret."""
    assert "hush" not in repr({"x": Secret({"y": "hush"})})
    assert plain(Secret({"y": Secret("hush")})) == {"y": "hush"}
    assert has_unknown({"x": [Secret(UNKNOWN)]})
