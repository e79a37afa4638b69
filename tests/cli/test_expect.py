"""The expected run key on the command line, and structured configuration of one run."""

from __future__ import annotations

import pytest
import typer
import yaml

from cli.options import with_expected
from cli.stacks.files import for_this_run

KEY = "c8e7042df3d8c8ea40d664d85e67fc1ba79a4d40390382217629d0a4bc9d184a"


@pytest.mark.parametrize("key", [KEY, KEY[:7]])
def test_an_expected_key_is_configuration_of_this_run(key: str) -> None:
    """Next to what -c says."""
    assert with_expected({"seed": "1"}, key) == {"seed": "1", "expectRunKey": key}


def test_without_an_expected_key_any_is_welcome() -> None:
    """What the stack's file says is not overwritten."""
    assert with_expected({"seed": "1"}, None) == {"seed": "1"}


@pytest.mark.parametrize("key", ["", "c8e704", "C8E7042", "models/flights", KEY + "0"])
def test_what_is_no_run_key_is_a_usage_error(key: str) -> None:
    """Too few digits would let another key through."""
    with pytest.raises(typer.BadParameter, match="is not a run key"):
        with_expected({}, key)


def test_an_object_on_the_command_line_is_one_for_the_cli() -> None:
    """The CLI checks the types of configuration; plain values stay text, as they are written."""
    overrides = {"p:parameters": '{"Learning rate": "0.1"}', "p:seed": "7", "p:dataVersion": "2013-01"}
    config = yaml.safe_load(for_this_run({}, overrides, None))["config"]
    assert config == {"p:parameters": {"Learning rate": "0.1"}, "p:seed": "7", "p:dataVersion": "2013-01"}
