"""A warm process that forks provider processes and studios: ``python -u -m tests.chaos.zygote``.

A provider process is `pulumi.dynamic` with the engine's address as its first argument, as Pulumi starts it. Forked
from a process that has done the imports it costs milliseconds; what it does from then on is what it always does,
except that `tests.chaos.inside` watches its requests and owns its clock.

Reads one order a line (JSON) from standard input and answers the new process's id. When standard input
ends, because the campaign did, however it ended, it kills the processes that were entrusted to it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from typing import Any

import azure.storage.blob
import grpc
import pulumi.dynamic
import requests
import sklearn.metrics
import stamina

import retrain_hooks.providers
from tests.chaos import inside, warm

WARM = (azure.storage.blob, grpc, pulumi.dynamic, requests, sklearn.metrics, stamina, retrain_hooks.providers)


def main() -> None:
    """Fork until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # a child that looks through all that was imported would copy it, and take a tenth of a second
    entrusted: list[int] = []
    try:
        while line := sys.stdin.readline():
            order = json.loads(line)
            if "entrusted" in order:
                entrusted = order["entrusted"]
            else:
                sys.stdout.write(f"{_fork(order)}\n")
                sys.stdout.flush()
    finally:
        for pid in entrusted:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        warm.die_with_parent()
        try:
            _provide(order) if "engine" in order else _emulate(order)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


def _emulate(order: dict[str, Any]) -> None:
    """Become a studio; the harness is at the other end of the door."""
    door = _detach(order)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warm.become_studio(order["arguments"], door)


def _detach(order: dict[str, Any]) -> socket.socket:
    """Leave the campaign's process group; the door to the harness."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    door = socket.socket(socket.AF_UNIX)
    door.connect(order["door"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    return door


def _provide(order: dict[str, Any]) -> None:
    """Become a provider; the harness is at the other end of standard output."""
    door = _detach(order)
    os.dup2(door.fileno(), 1)
    os.chdir(order["cwd"])
    os.environ |= order["env"]
    inside.prepare(order, door)
    sys.argv = ["pulumi.dynamic", order["engine"]]
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    main()
