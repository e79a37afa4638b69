"""Forked processes: they are what new ones would be, and there are none where a fork wouldn't be safe."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")

# What a program or a provider can see of the process that it runs in.
SEEN = """
import json, os, pathlib, signal, sys

def tell(name):
    seen = {
        "argv": sys.argv, "orig_argv": sys.orig_argv[:3],
        "path": sys.path, "cwd": os.getcwd(), "env": dict(os.environ), "leads": os.getsid(0) == os.getpid(),
        "files": sorted(int(f) for f in os.listdir("/proc/self/fd") if int(f) < 3), "stdin": sys.stdin.read(),
        "signals": [str(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD)],
        "main": sys.modules["__main__"].__name__, "unbuffered": sys.stdout.write_through,
        "errors": [sys.stdout.errors, sys.stderr.errors, sys.stdout.encoding.lower()],
        "strangers": sorted(m for m in sys.modules if m.split(".")[0] in ("engine", "driver")),
    }
    pathlib.Path(f"{name}.json").write_text(json.dumps(seen))
"""
PROVIDER = """
from seen import tell
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Provider(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props):
        tell("provider")
        return CreateResult("id", props)

class Thing(Resource):
    def __init__(self, name):
        super().__init__(Provider(), name, {})
"""
PROGRAM = """
import atexit, pathlib, sys, threading
from seen import tell
from provider import Thing

tell("program")
print("no newline at the end of what is printed", end="")
print("to stderr", file=sys.stderr)
atexit.register(lambda: pathlib.Path("at-exit").write_text("done"))
threading.Timer(0.05, lambda: pathlib.Path("in-thread").write_text("done")).start()
Thing("one")
"""
DRIVER = """
import pathlib, sys
root = pathlib.Path(sys.argv[1])
sys.path[0] = str(root)
{before}
from engine.children.forks import Forks
forks = Forks({{"program": ["no.such.module", "wave"], "providers": []}}) if {forked} else None
count = len(forks._waiting) if forks else 0
import engine
said = []
with forks or open(__file__):
    result = engine.up(engine.Workspace.open(root, "dev"), engine.Options(forks=forks), said.append)
left = len(forks._waiting) if forks else 0
lines = sorted(e.message for e in said if isinstance(e, engine.Diagnostic))
import json
print(json.dumps({{"count": count, "left": left, "ok": result.ok, "failures": result.failures, "lines": lines}}))
"""


def up(root: Path, *, forked: bool, before: str = "") -> dict[str, Any]:
    """One update in a process of its own; what its program and its provider saw."""
    (root / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    for name, text in (("seen", SEEN), ("provider", PROVIDER), ("__main__", PROGRAM)):
        (root / f"{name}.py").write_text(text)
    driver = root / "driver.py"
    driver.write_text(DRIVER.format(before=before, forked=forked))
    done = subprocess.run(
        [sys.executable, str(driver), str(root)],
        env={"PYTHONPATH": str(REPOSITORY), "PULUMI_CONFIG_PASSPHRASE": "", "HOME": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["ok"], found["failures"]
    for name in ("program", "provider"):
        found[name] = json.loads((root / f"{name}.json").read_text())
    assert (root / "at-exit").exists()
    assert (root / "in-thread").exists()
    return found


def comparable(seen: dict[str, Any], root: Path) -> dict[str, Any]:
    """Without process ids, ports and the folder's name."""
    text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", json.dumps(seen).replace(str(root), "ROOT"))
    plain: dict[str, Any] = json.loads(text)
    return plain


def test_a_forked_process_is_what_a_new_one_would_be(tmp_path: Path) -> None:
    """Arguments, path, folder, environment, session, streams, signals, what happens at exit: all the same."""
    roots = tmp_path / "new", tmp_path / "forked"
    for root in roots:
        root.mkdir()
    new, forked = up(roots[0], forked=False), up(roots[1], forked=True)
    assert (new["count"], forked["count"], forked["left"]) == (0, 2, 0)
    assert forked["lines"] == new["lines"]
    for name in ("program", "provider"):
        assert comparable(forked[name], roots[1]) == comparable(new[name], roots[0])


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(
            "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
            id="thread",
        ),
        pytest.param(
            "import grpc; channel = grpc.insecure_channel('127.0.0.1:1'); grpc.channel_ready_future(channel)",
            id="grpc",
        ),
    ],
)
def test_nothing_is_forked_from_a_process_with_threads(tmp_path: Path, before: str) -> None:
    """A thread of Python's or of gRPC's core: the processes are started anew, and the update goes on as ever."""
    assert up(tmp_path, forked=True, before=before)["count"] == 0


def test_importing_pulumi_and_grpc_starts_no_thread() -> None:
    """What makes the fork safe: gRPC's core begins with the first channel or server."""
    code = "import os, pulumi, pulumi.runtime, pulumi.dynamic, grpc; print(os.listdir('/proc/self/task'), os.getpid())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    tasks, _, pid = done.stdout.strip().rpartition(" ")
    assert tasks == f"['{pid}']"
