"""A whole project: the program and its dynamic providers as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import engine
from engine import Diagnostic, Options, Workspace
from engine.events import Event
from tests.waiting import DEADLINE, eventually

PROVIDER = """
import os, pathlib, signal, sys
import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

class NoData(Exception):
    pass

class Provider(ResourceProvider):
    serialize_as_secret_always = False

    def configure(self, request):
        self.prefix = request.config.require("prefix")

    def check(self, olds, news):
        if news["mode"] == "invalid":
            return CheckResult(news, [CheckFailure("", "no such version\\nremedy: use 2013-01")])
        return CheckResult({**news, "key": f"{self.prefix}-{news['mode']}"}, [])

    def diff(self, id, olds, news):
        return DiffResult(changes=olds["mode"] != news["mode"])

    def create(self, props):
        print("provider says hello", flush=True)
        pathlib.Path("address").write_text(sys.argv[1])
        if props["mode"] == "raises":
            raise NoData("no data\\nremedy: bring some")
        if props["mode"] == "dies":
            os._exit(3)
        if props["mode"] == "waits":
            pathlib.Path("waiting").write_text(str(os.getpid()))
            signal.pause()
        return CreateResult("id", {**props, "out": f"out-{props['mode']}"})

    def update(self, id, olds, news):
        return UpdateResult({**news, "out": f"out-{news['mode']}"})

class Job(Resource, module="demo", name="Job"):
    out: pulumi.Output[str]
    key: pulumi.Output[str]

    def __init__(self, name, mode):
        super().__init__(Provider(), name, {"mode": mode, "out": None, "key": None})
"""
PROGRAM = """
import pulumi
from provider import Job
mode = pulumi.Config().require("mode")
first = Job("first", mode)
second = Job("second", first.key)
pulumi.export("out", first.out)
pulumi.export("key", second.key)
print("program says hello")
if mode == "explodes":
    raise ValueError("no more")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(
        "name: demo\nruntime: python\nconfig:\n  prefix: {default: p}\n  mode: {type: string}\n"
    )
    (tmp_path / "provider.py").write_text(PROVIDER)
    (tmp_path / "__main__.py").write_text(PROGRAM)
    return tmp_path


def run(verb: str, root: Path, mode: str) -> tuple[engine.Result, list[Event]]:
    events: list[Event] = []
    ws = Workspace.open(root, "dev", config={"mode": mode}, passphrase="")
    return getattr(engine, verb)(ws, Options(), events.append), events


def said(events: list[Event]) -> list[str]:
    return [e.message for e in events if isinstance(e, Diagnostic) and e.severity == "info"]


def children() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]


def test_a_dynamic_resource_lives_from_preview_to_destroy(root: Path) -> None:
    """What check adds is previewed old → new, what create adds is unknown; nothing runs on afterwards."""
    before = len(children())
    first, events = run("up", root, "one")
    assert first.ok, first.failures
    assert first.outputs == {"out": "out-one", "key": "p-p-one"}
    assert {"provider says hello", "program says hello"} <= set(said(events))
    assert (root / "address").read_text().startswith("127.0.0.1:")
    preview, _ = run("preview", root, "two")
    diffs = {s.name: {d.path: (d.old, d.new) for d in s.diff} for s in preview.steps if s.op == "update"}
    assert diffs["first"] == {"mode": ("one", "two"), "key": ("p-one", "p-two")}
    assert diffs["second"] == {"mode": ("p-one", "p-two"), "key": ("p-p-one", "p-p-two")}
    assert preview.outputs == {"out": "[unknown]", "key": "p-p-two"}
    assert run("destroy", root, "one")[0].changes == {"delete": 3}
    assert len(children()) == before


@pytest.mark.parametrize(
    ("mode", "failure"),
    [
        ("raises", "no data\nremedy: bring some"),
        (
            "invalid",
            "pulumi-python:dynamic/demo:Job resource 'first' has a problem: no such version\nremedy: use 2013-01",
        ),
        ("dies", "the provider pulumi-python ended with status 3 while create of first"),
        ("explodes", "ValueError: no more"),
    ],
)
def test_what_goes_wrong_is_one_message_without_a_traceback_of_ours(
    root: Path, mode: str, failure: str
) -> None:
    """Cause and remedy of a provider's exception; a dead provider; a program's own traceback only."""
    result, _ = run("up", root, mode)
    assert any(failure in f for f in result.failures), result.failures
    assert not any("grpc" in f or "runpy" in f for f in result.failures)
    assert not any("Traceback" in f for f in result.failures) or mode == "explodes"


def test_a_killed_engine_takes_its_processes_along(root: Path) -> None:
    """After `kill -9` neither program nor provider runs on; the create under way is on record."""
    opened = f"engine.Workspace.open(pathlib.Path({str(root)!r}), 'dev', config={{'mode': 'waits'}}, passphrase='')"
    code = f"import engine, pathlib; engine.up({opened}, engine.Options(), lambda e: None)"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(engine.__file__).parents[1])
    eventually(lambda: process.poll() is not None or (root / "waiting").exists(), "the create")
    assert process.poll() is None
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    gone, alive = psutil.wait_procs(started, timeout=DEADLINE)
    assert not alive
    assert len(gone) == 2
    text = (root / ".pulumi/stacks/demo/dev.json").read_text()
    assert '"type":"creating"' in text
    result, events = run("up", root, "one")
    assert result.ok, result.failures
    warnings = [e.message for e in events if isinstance(e, Diagnostic) and e.severity == "warning"]
    assert any("is dead" in w for w in warnings)
    assert any("interrupted while creating" in w for w in warnings)
