"""A stack's file is changed in place and read back as it was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from cli.errors import CliError
from cli.stacks.files import changed, for_this_run, salt_kept_out, set_value, unset_value, without
from tests.healing import Told

TEXT = """# The example
config:
  # which month
  retraining:dataVersion: 2013-01   # until spring
  "retraining:seed": '0'
  retraining:parameters:
    Learning rate: 0.1
encryptionsalt: v1:abc
"""


def test_a_value_is_replaced_where_it_stands() -> None:
    """Only the value changes: comments, order and the rest stay."""
    assert changed(TEXT, "retraining:dataVersion", "2013-02") == TEXT.replace("2013-01   #", "2013-02   #")


def test_a_quoted_key_is_found() -> None:
    """Keys and values may be quoted; a number stays text."""
    assert changed(TEXT, "retraining:seed", "7") == TEXT.replace("""'0'""", """'7'""")


def test_a_new_key_goes_to_the_end_of_the_configuration() -> None:
    """A key that isn't there is added after the last, before what follows the configuration."""
    assert changed(TEXT, "retraining:force", "again") == TEXT.replace(
        "encryptionsalt", "  retraining:force: again\nencryptionsalt"
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "config: {}\n", "config:\n"])
def test_a_file_without_configuration_gets_one(text: str) -> None:
    """An empty, missing or bare file becomes one with the value."""
    assert yaml.safe_load(changed(text, "p:k", "v")) == {"config": {"p:k": "v"}}


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    st.sampled_from(["retraining:dataVersion", "p:new"]),
)
def test_any_text_is_read_back(value: str, key: str) -> None:
    """Whatever the text (colons, hashes, quotes, numbers, nothing), YAML reads the same text back."""
    once = changed(TEXT, key, value)
    assert yaml.safe_load(once)["config"][key] == value
    assert changed(once, key, value) == once


def test_a_structure_is_not_overwritten(tmp_path: Path) -> None:
    """A key that holds a mapping is left to the person."""
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(TEXT)
    with pytest.raises(CliError, match="more than a plain value"):
        set_value(file, "retraining:parameters", "x")
    assert file.read_text() == TEXT


def test_one_runs_file_has_overrides_and_the_states_salt() -> None:
    """A run's file is the stack's with the overrides, and the salt only where the stack's has none."""
    data = {"config": {"p:a": 1, "p:b": "x"}}
    assert yaml.safe_load(for_this_run(data, {"p:b": "007"}, "v1:s")) == {
        "config": {"p:a": 1, "p:b": "007"},
        "encryptionsalt": "v1:s",
    }
    assert (
        yaml.safe_load(for_this_run({"encryptionsalt": "v1:own"}, {}, "v1:s"))["encryptionsalt"] == "v1:own"
    )


def test_a_salt_that_was_added_is_taken_out_again(tmp_path: Path) -> None:
    """What the CLI adds to a file without a salt goes, comments come back; other changes stay with their salt."""
    file = tmp_path / "Pulumi.dev.yaml"
    before = "# mine\nconfig:\n  p:a: 1   # one\n"
    file.write_text(before)
    with salt_kept_out(file):
        file.write_text("config:\n  p:a: 1\nencryptionsalt: v1:s\n")
    assert file.read_text() == before
    changed_too = "config:\n  p:a: 2\nencryptionsalt: v1:s\n"
    with salt_kept_out(file):
        file.write_text(changed_too)
    assert file.read_text() == changed_too


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        ("dataVersion", ["  retraining:dataVersion: 2013-01   # until spring"]),
        ("seed", ["""  "retraining:seed": '0'"""]),
        ("parameters", ["  retraining:parameters:", "    Learning rate: 0.1"]),
    ],
)
def test_a_key_is_taken_out_with_what_is_below_it(tmp_path: Path, key: str, lines: list[str]) -> None:
    """Comments and the other keys stay."""
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(TEXT)
    assert unset_value(file, f"retraining:{key}")
    assert file.read_text() == TEXT.replace("\n".join(lines) + "\n", "")
    assert not unset_value(file, f"retraining:{key}")


def test_the_last_key_leaves_an_empty_configuration() -> None:
    """Lists may be as deep as their key; an empty line may be within them."""
    text = "config:\n  retraining:gateRules:\n  - auc >= 0.7\n\n  - f1 >= 0.5\n"
    assert without(text, "retraining:gateRules") == "config: {}\n"


@given(key=st.from_regex(r"[a-z][A-Za-z]{0,9}", fullmatch=True), value=st.text(max_size=30))
@example("a", "\n")
@example("a", "one\n  two\n\n")
@example("a", "\r\x85\u2028")
def test_what_is_set_and_taken_out_leaves_no_trace(key: str, value: str) -> None:
    """Whatever the value was."""
    name = f"retraining:{key}"
    if name not in TEXT:
        assert without(changed(TEXT, name, value), name) == TEXT


@pytest.mark.heals("take {} out of it by hand")
def test_a_file_in_another_style_is_left_alone(tmp_path: Path, remedy: Told) -> None:
    """Nothing is written; by hand it can be taken out."""
    file = tmp_path / "Pulumi.dev.yaml"
    text = 'config: {"retraining:seed": 1, "retraining:pin": abcdef0}\n'
    file.write_text(text)
    remedy.fails(lambda: unset_value(file, "retraining:pin"))
    assert file.read_text() == text
    file.write_text('config: {"retraining:seed": 1}\n')
    assert not unset_value(file, "retraining:pin")
