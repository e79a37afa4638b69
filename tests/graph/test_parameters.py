"""Web service parameters: their values written in one way, and refused where the module would refuse them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import GraphError
from graph.identity import identity, parameters, resolved_parameters
from tests.graph.graphs import BY_NAME, FEATURES, FLIGHTS, edited, linked


@pytest.mark.parametrize("name", FLIGHTS["parameters"])
def test_the_default_of_a_parameter_is_told_by_its_value(name: str) -> None:
    """A default is what runs where a program sets nothing: equal to the same value set, and different from another."""
    other = edited(lambda d: d["parameters"][name].update(default="1" if "rate" in name else "9"))
    assert identity(other) == identity(FLIGHTS)
    assert resolved_parameters(other, {}) != resolved_parameters(FLIGHTS, {})
    default = FLIGHTS["parameters"][name]["default"]
    assert resolved_parameters(FLIGHTS, {}) == resolved_parameters(FLIGHTS, {name: float(default)})
    assert resolved_parameters(FLIGHTS, {}) == resolved_parameters(FLIGHTS, {name: f" {default} "})
    assert resolved_parameters(FLIGHTS, {})[name] == default


@pytest.mark.parametrize(
    ("given", "cause", "remedy"),
    [
        (
            {"Learning rate": 7},
            "Learning rate: 7 is more than 1",
            "Write a number greater than 0 and at most 1.",
        ),
        ({"Learning rate": "0"}, "Learning rate: 0 is not greater than 0", "Write a number greater than 0"),
        ({"Learning rate": "fast"}, "Learning rate: 'fast' is not a number", "Write a number greater than 0"),
        ({"Learning rate": float("nan")}, "Learning rate: 'nan' is not a number", "Write a number"),
        ({"Learning rate": [0.1]}, "Learning rate: [0.1] is not a number", "Write a number"),
        ({"Random seed": 1.7}, "Random seed: '1.7' is not a whole number", "from 0 to 2147483647"),
        ({"Random seed": "1_7"}, "Random seed: '1_7' is not a whole number", "from 0 to 2147483647"),
        ({"Random seed": True}, "Random seed: 'true' is not a whole number", "from 0 to 2147483647"),
        ({"Random seed": -1}, "Random seed: -1 is less than 0", "from 0 to 2147483647"),
        (
            {"Number of trees constructed": 10_001},
            "Number of trees constructed: 10001 is more than 10000",
            "Write a whole number from 1 to 10000.",
        ),
        (
            {"learning rate": 0.1},
            "learning rate: the experiment has no web service parameter of this name",
            "Use one of: Learning rate, Maximum",
        ),
    ],
)
def test_a_value_that_the_module_would_refuse_is_refused_by_name(
    given: dict[str, Any], cause: str, remedy: str
) -> None:
    """Name, value and range are told before anything runs."""
    with pytest.raises(GraphError) as caught:
        resolved_parameters(FLIGHTS, given)
    assert cause in caught.value.message
    assert remedy in caught.value.remedy


def test_a_parameter_without_default_must_be_given() -> None:
    """The run would refuse it, too; null is not given."""
    with pytest.raises(GraphError, match="P: the parameter has no default and no value is given"):
        resolved_parameters(FEATURES["Float parameter"], {"P": None})


def test_a_parameter_that_sets_an_unconnected_node_is_checked_and_does_not_count() -> None:
    """It changes nothing of the model; what the run would refuse is refused all the same."""
    definition = edited(
        lambda d: (
            d["nodes"].update(aside={"module": "Clean Missing Data"}),
            d["edges"].append({"from": "flights", "to": "aside"}),
            d["parameters"].update(
                aside={
                    "type": "Float",
                    "default": "0.5",
                    "links": [{"node": "aside", "parameter": "Minimum missing value ratio"}],
                }
            ),
        )
    )
    assert resolved_parameters(definition, {"aside": 0.25}) == resolved_parameters(FLIGHTS, {})
    with pytest.raises(GraphError, match="aside: 2 is more than 1"):
        resolved_parameters(definition, {"aside": 2})


def test_one_parameter_that_sets_several_takes_what_all_of_them_take() -> None:
    """The narrower bounds hold, and the stricter type."""
    definition = edited(
        lambda d: d["parameters"]["Learning rate"].update(
            links=[
                {"node": "learner", "parameter": "Learning rate"},
                {"node": "split", "parameter": "Fraction of rows in the first output dataset"},
                {"node": "flown", "parameter": "Maximum missing value ratio"},
            ]
        )
    )
    assert parameters(definition)["Learning rate"].accepts.range == "a number greater than 0 and at most 1"
    definition["parameters"]["Learning rate"]["links"].append(
        {"node": "learner", "parameter": "Minimum number of samples per leaf node"}
    )
    definition["parameters"]["Learning rate"] |= {"type": "Int", "default": "1"}
    assert parameters(definition)["Learning rate"].accepts.range == "a whole number from 1 to 1"
    both = edited(
        lambda d: d["parameters"]["Random seed"]["links"].append(
            {"node": "late", "parameter": "Constant value to compare"}
        )
    )
    assert parameters(both)["Random seed"].accepts.type == "Int"
    spelt_as = linked("String", "Clean Missing Data", "Cleaning mode", "Replace with mean")
    spelt_as["parameters"]["P"]["links"].append({"node": "step", "parameter": "Replacement value"})
    assert resolved_parameters(spelt_as, {"P": "REPLACE with mean"}) == {"P": "REPLACE with mean"}


@given(st.sampled_from([m for m in BY_NAME.values() if m.parameters]), st.data())
@settings(max_examples=100, deadline=None)
def test_the_text_of_a_value_reads_back_as_the_value(module: Any, data: st.DataObject) -> None:
    """Each value has one text, and that text is the value."""
    parameter = data.draw(st.sampled_from(module.parameters))
    least = next((each for each in (parameter.above, parameter.minimum) if each is not None), 0)
    most = least + 4096 if parameter.maximum is None else parameter.maximum
    whole = st.integers(int(least), int(most))
    real = st.floats(least, most, exclude_min=True)
    value = data.draw(
        {
            "Int": whole,
            "Float": real,
            "IntRange": st.lists(whole, min_size=1),
            "FloatRange": st.lists(real, min_size=1),
            "Boolean": st.booleans(),
            "Enumerated": st.sampled_from(parameter.allowed or ("",)),
            "ColumnPicker": st.lists(st.text("ab ,é", min_size=1), min_size=1),
            "String": st.text(),
            "Script": st.text(),
        }[parameter.type]
    )
    parsed = parameter.parse(value)
    text = parameter.text(parsed)
    assert parameter.text(parameter.parse(text)) == text
    if parameter.type != "ColumnPicker":
        assert parameter.parse(text) == parsed
