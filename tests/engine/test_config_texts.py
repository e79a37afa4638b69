"""Configuration values are texts, as the CLI reads them."""

from __future__ import annotations

import pytest
import yaml

from backend.workspace import Workspace
from backend.yaml_files import load
from cli.stacks.files import changed, for_this_run

TEXTS = [
    "20220113.10",
    "2013_01",
    "010",
    "12:30",
    "1.10",
    "0x1F",
    "yes",
    "on",
    "2013-01-01",
    "1e3",
    "+1",
    "08",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_plain_value_in_a_stack_file_stays_as_it_is_written(tmp_path, text):
    """A data version is a text, whatever YAML 1.1 would take it for."""
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\nconfig:\n  version: {type: string}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n  p:version: {text}\n")
    assert Workspace.open(tmp_path, "dev").config()["p:version"].text == text


@pytest.mark.parametrize("text", TEXTS)
def test_a_default_of_a_text_stays_as_it_is_written(tmp_path, text):
    """In Pulumi.yaml, too."""
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: p\nruntime: python\nconfig:\n  version: {{type: string, default: {text}}}\n  plain: {text}\n"
    )
    values = Workspace.open(tmp_path, "dev").config()
    assert (values["p:version"].text, values["p:plain"].text) == (text, text)


@pytest.mark.parametrize("text", TEXTS)
def test_the_cli_is_given_the_same_text(text):
    """The file for one run of the CLI is written from what was read."""
    content = load(for_this_run(load(f"config:\n  p:version: {text}\n"), {}, None))
    assert content["config"]["p:version"] == text
    assert yaml.safe_load(changed("config:\n", "p:version", text))["config"]["p:version"] == text


def test_within_lists_and_objects_numbers_are_numbers():
    """As the CLI hands them to a program: JSON."""
    content = load(
        "config:\n  p:parameters: {rate: 0.10, trees: 20, deep: true, on: yes, at: 12:30, day: 2013-01-01}\n"
    )
    assert content["config"]["p:parameters"] == {
        "rate": 0.1,
        "trees": 20,
        "deep": True,
        "on": "yes",
        "at": "12:30",
        "day": "2013-01-01",
    }


@pytest.mark.parametrize("seed", ["1.7", "1_000", "seven", "0x10"])
def test_a_seed_that_is_no_whole_number_is_refused_in_one_line(tmp_path, seed):
    """Before the program runs, with the file to correct."""
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\nconfig:\n  seed: {type: integer}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n  p:seed: {seed}\n")
    with pytest.raises(
        Exception, match=r"key 'seed' must be of type 'integer'\nremedy: correct it in Pulumi\.dev"
    ):
        Workspace.open(tmp_path, "dev").config()
