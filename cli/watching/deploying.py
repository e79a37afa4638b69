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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cli.errors import INTERRUPTED, one_line
from cli.options import Engine
from cli.project import ROOT
from cli.stacks.resources import OURS

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
TOKEN = "watch-"  # noqa: S105  # what the force tokens of `watch` begin with


class Failed(Exception):
    """A preview or an update failed; the text says why, in a line."""


@dataclass(frozen=True)
class Foreseen:
    """What a preview tells: the run keys of models, and the plan keys of fleets, that change, by resource; the *plan* in words.

    *expect* are the options of `./dev up` that let nothing else through, *present* the key of the model that is declared now,
    *forced* the force token that an update of `watch` left in the state and that is to stay, *others* the resources that
    change besides.
    """

    keys: Mapping[str, str]
    plan: tuple[str, ...] = ()
    expect: tuple[str, ...] = ()
    present: str = ""
    forced: str = ""
    others: tuple[str, ...] = ()


class Deployer(Protocol):
    """What runs a stack; *config* is for that run only. Each raises Failed."""

    def preview(self, config: Mapping[str, str]) -> Foreseen:
        """What an update would do. Writes nothing."""

    def up(self, config: Mapping[str, str], expect: Sequence[str]) -> None:
        """Update the stack, if it would do what the options *expect* say."""


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

    def up(self, config: Mapping[str, str], expect: Sequence[str]) -> None:
        """See Deployer. What it shows is shown here."""
        self._run("up", [*_overrides(config), *expect], captured=False)

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
    plan: list[str] = []
    others: list[str] = []
    expect: tuple[str, ...] = ()
    present = forced = ""
    for step in steps:
        new, old = step.get("newState") or {}, step.get("oldState") or {}
        kind, name = str((new or old).get("type", "")), str(step.get("urn", "")).rpartition("::")[2]
        inputs, before = new.get("inputs") or {}, old.get("inputs") or {}
        token = str(before.get("force") or "")
        if kind == f"{OURS}Fleet":
            forced = token if token.startswith(TOKEN) else forced
            if key := str(inputs.get("planKey") or ""):
                keys[name] = key
                plan += inputs.get("plan") or []
                expect += ("--config", f"expectPlan={key}")
                continue
        key = str(inputs.get("runKey") or "")
        trained = kind == f"{OURS}TrainedModel"
        changed = trained and bool(key) and key != before.get("runKey")
        if trained and "expectRunKey" in inputs:  # the one that can be told which key is expected
            present = str(before.get("runKey") or "")
            if token.startswith(TOKEN) and _trained_from(before) == _trained_from(inputs):
                forced = token
            expect += ("--expect", key) if changed else ()
        if changed:
            keys[name] = key
            plan += [str(inputs.get("plan") or "")]
        elif step.get("op") not in ("same", "read"):
            others.append(name)
    return Foreseen(keys, tuple(plan), expect, present, forced, tuple(others))


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
