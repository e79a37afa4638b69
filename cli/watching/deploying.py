"""Previews and updates as `watch` runs them: the verbs themselves, each in a process of its own.

A process that runs for months shares nothing with the engines: not their memory, their threads or their signals. Nobody can
be asked anything in there, so that an update which deletes something is refused (`cli/runners/deletions.py`).
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cli.errors import INTERRUPTED, one_line
from cli.options import Engine
from cli.project import ROOT

_OURS = "pulumi-python:dynamic/retrain:"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
TOKEN = "watch-"  # noqa: S105  # what the force tokens of `watch` begin with


class Failed(Exception):
    """A preview or an update failed; the text says why, in a line."""


@dataclass(frozen=True)
class Foreseen:
    """What a preview tells: the run keys of models that change, by resource; the one that can be expected (empty: none).

    *present* is the key of the model that is declared now, *forced* the force token that an update of `watch` left in the
    state, where nothing but that would be trained otherwise, *others* the resources that change besides.
    """

    keys: Mapping[str, str]
    expect: str = ""
    present: str = ""
    forced: str = ""
    others: tuple[str, ...] = ()


class Deployer(Protocol):
    """What runs a stack; *config* is for that run only. Each raises Failed."""

    def preview(self, config: Mapping[str, str]) -> Foreseen:
        """What an update would do. Writes nothing."""

    def up(self, config: Mapping[str, str], expect: str) -> None:
        """Update the stack, if it would train or bind the run key *expect* (empty: whichever)."""


class Verbs:
    """`./dev preview` and `./dev up` of one *stack*."""

    def __init__(self, stack: str, engine: Engine) -> None:
        self._options = ["--stack", stack, "--engine", engine.value]

    def preview(self, config: Mapping[str, str]) -> Foreseen:
        """See Deployer."""
        text = self._run("preview", ["--json", *_overrides(config)], captured=True)
        try:
            return foreseen(json.loads(text).get("steps") or [])
        except ValueError:
            raise Failed("the preview ended well, and told nothing that can be read") from None

    def up(self, config: Mapping[str, str], expect: str) -> None:
        """See Deployer. What it shows is shown here."""
        self._run("up", [*_overrides(config), *(["--expect", expect] if expect else [])], captured=False)

    def _run(self, verb: str, arguments: list[str], *, captured: bool) -> str:
        with subprocess.Popen(
            [sys.executable, "-m", "cli", verb, *self._options, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if captured else None,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # it hears of Ctrl-C once, from here
        ) as process:
            try:
                out, err = process.communicate() if captured else ("", _passed_on(process))
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)
                process.communicate()
                raise
        if process.returncode == INTERRUPTED:
            raise KeyboardInterrupt
        if process.returncode:
            raise Failed(_reason(verb, out, err))
        return out


def _passed_on(process: subprocess.Popen[str]) -> str:
    """What a process writes to stderr, which is written to ours as it comes, until it has ended."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        print(line, end="", file=sys.stderr, flush=True)
    process.wait()
    return "".join(said[-20:])


def foreseen(steps: Iterable[Mapping[str, Any]]) -> Foreseen:
    """What the steps of a preview's JSON tell; both engines have op, oldState and newState."""
    keys: dict[str, str] = {}
    others: list[str] = []
    expect = present = forced = ""
    for step in steps:
        new, old = step.get("newState") or {}, step.get("oldState") or {}
        urn = str(step.get("urn", ""))
        kind, name = str((new or old).get("type", "")), urn.rpartition("::")[2]
        inputs, before = new.get("inputs") or {}, old.get("inputs") or {}
        key = str(inputs.get("runKey") or "")
        if kind == f"{_OURS}TrainedModel":
            if "expectRunKey" in inputs:  # the one that can be told which key is expected
                expect, present = key, str(before.get("runKey") or "")
                token = str(before.get("force") or "")
                forced = (
                    token
                    if token.startswith(TOKEN) and _trained_from(before) == _trained_from(inputs)
                    else ""
                )
            if key and key != before.get("runKey"):
                keys[name] = key
                continue
        if kind.startswith(_OURS) and kind.endswith("Fleet") and step.get("op") != "same":
            keys[name] = ""
            continue
        if step.get("op") not in ("same", "read"):
            others.append(name)
    return Foreseen(keys, expect if expect in keys.values() else "", present, forced, tuple(others))


def _trained_from(inputs: Mapping[str, Any]) -> tuple[object, ...]:
    """What determines a model besides the force token."""
    covers = inputs.get("covers") or {}
    return covers.get("experiment"), covers.get("data"), inputs.get("parameters"), inputs.get("seed")


def _overrides(config: Mapping[str, str]) -> list[str]:
    return [word for key, value in config.items() for word in ("--config", f"{key}={value}")]


def _reason(verb: str, out: str, err: str) -> str:
    """Why a verb failed, in a line, with what to do: what it said of it last."""
    said = [line for line in _COLOURS.sub("", err).splitlines() if line.startswith(("error: ", "remedy: "))]
    if not said and out.strip():
        try:
            said = list(json.loads(out).get("failures") or [])
        except (ValueError, AttributeError):
            said = []
    return one_line(" ".join(said[-2:]).removeprefix("error: ")) or f"./dev {verb} failed"
