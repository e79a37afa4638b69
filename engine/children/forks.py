"""Processes made beforehand: forked from one that has done the imports, they become the program or its providers.

A new interpreter spends up to half a second on importing pulumi and grpc; a fork has them at once, and imports what else
it is told to while the engine gets ready. From then on it is what it would have been as a new process: the same
script, arguments, environment, folder, session and pipes.

A fork is safe only in a process with one thread, and only before gRPC has been used there: its core starts threads
with the first channel or server, not when it is imported. Where that doesn't hold nothing is forked, and processes are
started as usual.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import json
import os
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn


class Forked:
    """A process that waits for its order, as `subprocess.Popen` has one that was started."""

    def __init__(self, imports: Sequence[str]) -> None:
        order, self._order = os.pipe()
        out, stdout = os.pipe()
        err, stderr = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _child(order, stdout, stderr, imports)
        for end in (order, stdout, stderr):
            os.close(end)
        self.stdout: IO[str] = os.fdopen(out, encoding="utf-8", errors="replace")
        self.stderr: IO[str] = os.fdopen(err, encoding="utf-8", errors="replace")

    def become(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        """Go on as `command` would. Raises OSError where the process is gone."""
        with os.fdopen(self._order, "w", encoding="utf-8") as pipe:
            json.dump({"command": list(command), "cwd": str(cwd), "env": dict(env)}, pipe)

    def wait(self) -> int:
        """The exit status, negative for a signal, when it has ended."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def drop(self) -> None:
        """End it without an order."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()
        os.close(self._order)
        self.stdout.close()
        self.stderr.close()


class Forks:
    """Processes in waiting, by what each is to become; use it as a context, which ends what is left."""

    def __init__(
        self, imports: Mapping[str, Sequence[str]], *, shared: Sequence[str] = (), runs: int = 1
    ) -> None:
        """Fork a process for each (`program`, `providers`) and run, which imports these modules while it waits.

        The `shared` modules are imported before, here. Only libraries: a module of the project would be run before the
        program's configuration is there.
        """
        self._waiting: dict[str, list[Forked]] = {}
        self._folder = sys.path[0]
        if not _safe():
            return
        _import("pulumi", "pulumi.runtime", "pulumi.dynamic", *shared)
        gc.freeze()  # else a collection in a child looks through all that was imported, and copies it
        if _safe():
            self._waiting = {
                what: [Forked(modules) for _ in range(runs)] for what, modules in imports.items()
            }

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *_: object) -> None:
        while self._waiting:
            for forked in self._waiting.popitem()[1]:
                forked.drop()

    def take(self, what: str, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Forked | None:
        """The process that has become `python -u <script> …`; None where there is none, or where a new interpreter
        would be another one: other settings of Python, or other modules first on its path.
        """
        same = _settings(env) == _settings(os.environ)
        if not self._waiting.get(what) or not same or Path(self._folder) != cwd:
            return None
        forked = self._waiting[what].pop()
        try:
            forked.become(command, cwd, env)
        except OSError:
            forked.drop()
            return None
        return forked


def _safe() -> bool:
    """Whether this process has its standard streams, and one thread (Linux tells), those of libraries counted."""
    streams = sys.__stdin__ and sys.__stdout__ and sys.__stderr__
    return sys.platform == "linux" and bool(streams) and len([*Path("/proc/self/task").iterdir()]) == 1


def _import(*modules: str) -> None:
    for module in modules:
        with suppress(Exception):  # who needs it will say what is wrong
            importlib.import_module(module)


def _settings(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(("PYTHON", "LD_", "GRPC_"))}


def _child(order: int, stdout: int, stderr: int, imports: Sequence[str]) -> NoReturn:
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _move_in(order, stdout, stderr)
        _import(*imports)
        with open(order, encoding="utf-8") as pipe:
            text = pipe.read()
        if text:
            status = _run(**json.loads(text))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _move_in(order: int, stdout: int, stderr: int) -> None:
    """Have standard streams of its own, unbuffered as with `python -u`, the order, and nothing else open."""
    for target, source in enumerate((os.open(os.devnull, os.O_RDONLY), stdout, stderr)):
        os.dup2(source, target)
    os.closerange(3, order)
    os.closerange(order + 1, os.sysconf("SC_OPEN_MAX"))
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    for name, number in (("stdout", 1), ("stderr", 2)):
        before = getattr(sys, f"__{name}__")
        raw = io.FileIO(number, "w", closefd=False)
        stream = io.TextIOWrapper(raw, before.encoding, before.errors, write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _run(command: list[str], cwd: str, env: dict[str, str]) -> int:
    """What `python -u <script> …` does; the exit status."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    script = command[2]
    for module in [m for m in sys.modules if m.partition(".")[0] in ("engine", "backend", "cli")]:
        del sys.modules[module]  # the program may have some of the same name
    sys.orig_argv, sys.argv, sys.path[0] = command, command[2:], str(Path(script).parent)
    status: Any = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as error:
        status = 0 if error.code is None else error.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if not isinstance(status, int):
        print(status, file=sys.stderr)
        status = 1
    # As at an interpreter's end; taking it to pieces would cost a tenth of a second.
    vars(threading)["_shutdown"]()
    vars(atexit)["_run_exitfuncs"]()
    return int(status) & 0xFF
