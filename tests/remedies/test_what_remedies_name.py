"""What a remedy names is there: its commands and their options, the settings of a stack, the environment's variables."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
import yaml

from cli.app import build
from tests.remedies.collecting import ROOT, Remedy, Source

_COMMAND = re.compile(r"\./dev((?: [a-z]+(?![\w.:/]))+)")
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]+)")
_SETTING = re.compile(r"(?<![\w.{])`?([a-z]+[A-Z][A-Za-z]*)`?(?![\w(=])")
_VARIABLE = re.compile(r"\b((?:RETRAIN|PULUMI)_[A-Z_]+)\b")
# Of other programs: npm, az, pip; of a program's inputs and of JSON, not of a stack's settings.
_OTHERS = {"namespace", "wait", "role", "scope", "port", "https-port", "blob-port", "data-dir"}
_NO_SETTINGS = {
    *("webServices", "webservices", "resourceGroups", "commitmentPlans", "locationInfo", "readOnly"),
    *("trainedModel", "dependsOn", "webhookFrom", "keyFrom", "accountName", "endpointUrl"),
}


@pytest.fixture(scope="module")
def said() -> list[Remedy]:
    return Source().remedies()


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    """Each verb with what is below it, `./dev` itself being the root."""
    root: Any = typer.main.get_command(build())
    return {"": root}


def _below(command: Any, name: str) -> Any:
    return (getattr(command, "commands", None) or {}).get(name)


def _options(command: Any) -> set[str]:
    own = {one.lstrip("-") for each in command.params for one in (*each.opts, *each.secondary_opts)}
    return own.union(*(_options(each) for each in (getattr(command, "commands", None) or {}).values()))


def test_each_command_is_one(said: list[Remedy], commands: dict[str, Any]) -> None:
    """A verb that is not there heals nothing."""
    for one in said:
        for found in _COMMAND.finditer(one.text):
            command = commands[""]
            for word in found[1].split():
                if word == "again":  # ./dev itself
                    command = None
                    break
                if getattr(command, "commands", None) is None:
                    break
                below = _below(command, word)
                assert below is not None or command is not commands[""], f"{one}: no ./dev {word}"
                if below is None:
                    break
                command = below
            assert command is not commands[""], one


def test_each_option_is_one(said: list[Remedy], commands: dict[str, Any]) -> None:
    """Of any verb: a remedy may name an option of the command that was run."""
    known = _options(commands[""]) | _OTHERS
    for one in said:
        unknown = set(_OPTION.findall(one.text)) - known
        assert not unknown, f"{one}: {unknown}"


def test_each_setting_is_one(said: list[Remedy]) -> None:
    """A setting of Pulumi.yaml, as a stack's file has it."""
    declared = set(yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"])
    for one in said:
        unknown = set(_SETTING.findall(one.text)) - declared - _NO_SETTINGS
        assert not unknown, f"{one}: {unknown}"


def test_each_variable_is_read_or_documented(said: list[Remedy]) -> None:
    """By something that ships."""
    documents = "".join(file.read_text() for file in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    pulumis = {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_DEBUG_PROVIDERS"}
    for one in said:
        unknown = {name for name in _VARIABLE.findall(one.text) if name not in documents} - pulumis
        assert not unknown, f"{one}: {unknown}"
