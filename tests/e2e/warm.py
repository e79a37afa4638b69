"""``./dev`` as it is, but for the imports, which are done before: most of what a short command's time is.

A process that has imported what `./dev` uses from site-packages forks one for a checkout, which imports its rooms, and
that one forks for each command. The fork is what `./dev` starts: the checkout's Python and rooms, the same arguments,
environment, folder and streams. Where a source of a room has changed since, the rooms are imported anew. How a command
is started from a shell, killed or interrupted is tested with `./dev` itself (`Checkout.start`).
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

LIBRARIES = (
    "typer",
    "rich.console",
    "rich.table",
    "yaml",
    "psutil",
    "requests",
    "stamina",
    "cryptography.hazmat.primitives.ciphers.aead",
    "azure.storage.blob",
    "pulumi",
    "pulumi.runtime",
    "pulumi.dynamic",
    "pulumi_azure_native",
    "parver",
)
# What a run of a stack imports of the project, in the command, its program and its providers.
ROOMS = ("cli.app", "cli.runners.embedded", "cli.views.display", "components", "retrain_hooks.providers")
_LONGEST_ORDER = 200_000
_orders: socket.socket | None = None


def environment_of(root: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The environment in which `./dev` runs Python."""
    found = {**given, "PYTHONUTF8": "1", "PWD": str(root)}
    found.pop("PYTHONSAFEPATH", None)
    if found.pop("PYTHONDONTWRITEBYTECODE", ""):
        found.setdefault("PYTHONPYCACHEPREFIX", str(root / ".venv/bytecode"))
    return found


def run(
    root: Path, arguments: Sequence[str], environment: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    """The exit status and both outputs of `./dev` with these arguments. Raises subprocess.TimeoutExpired."""
    environment = environment_of(root, environment)
    order = {"root": str(root), "arguments": list(arguments), "environment": environment}
    (out, out_end), (err, err_end), (told, teller) = os.pipe(), os.pipe(), _messages()
    with told, os.fdopen(out, encoding="utf-8") as outs, os.fdopen(err, encoding="utf-8") as errs:
        ends = [out_end, err_end, teller.detach()]
        socket.send_fds(_warm(environment), [json.dumps(order).encode()], ends)
        for end in ends:
            os.close(end)
        pid = int(told.recv(100))
        with ThreadPoolExecutor(2) as pool:
            texts = [pool.submit(each.read) for each in (outs, errs)]
            try:
                out_text, err_text = (text.result(seconds) for text in texts)
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(["./dev", *arguments], seconds) from None
        return int(told.recv(100)), out_text, err_text


def _warm(environment: Mapping[str, str]) -> socket.socket:
    """Where this worker's warm process takes orders; it ends with the worker."""
    global _orders
    if _orders is None:
        _orders, theirs = _messages()
        atexit.register(_orders.close)
        with theirs:
            subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ).returncode = 0  # nobody waits for it
    return _orders


def _messages() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def main() -> None:
    """Import libraries, and hand each order to a fork that has its checkout's rooms, until there are no more."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # else a collection in a fork looks through all that was imported, and copies it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    latest: tuple[object, socket.socket] | None = None
    while (found := _next(orders)) is not None:
        order, ends = found
        sources = (order["root"], _sources(Path(order["root"])))
        if latest is None or latest[0] != sources:
            if latest is not None:
                latest[1].close()
            latest = (sources, _with_rooms(order["root"], orders))
        socket.send_fds(latest[1], [json.dumps(order).encode()], ends)
        for end in ends:
            os.close(end)


def _next(orders: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    text, ends, _flags, _address = socket.recv_fds(orders, _LONGEST_ORDER, 3)
    return (json.loads(text), ends) if text else None


def _sources(root: Path) -> list[tuple[str, int, int]]:
    """The modules of a checkout's rooms, each with what tells whether it was written since, as bytecode goes by."""
    paths = [path for room in root.glob("*/__init__.py") for path in room.parent.rglob("*.py")]
    return [(str(path), (stat := path.stat()).st_mtime_ns, stat.st_size) for path in sorted(paths)]


def _with_rooms(root: str, parents: socket.socket) -> socket.socket:
    """Where a process takes orders that has imported what there is of a checkout's rooms."""
    ours, theirs = _messages()
    if os.fork() == 0:
        for end in (ours, parents):
            end.detach()
        os.closerange(3, theirs.fileno())  # what the order at hand came with, too
        os.closerange(theirs.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        os.chdir(root)
        prefix, at = sys.prefix, f"{root}/.venv"
        sys.path = [root, *(entry.replace(prefix, at) for entry in sys.path[1:])]
        sys.prefix = sys.exec_prefix = at
        sys.executable = f"{at}/bin/python"
        importlib.invalidate_caches()
        for room in ROOMS:
            with contextlib.suppress(Exception):  # the command says what is wrong
                importlib.import_module(room)
        gc.freeze()
        while (found := _next(theirs)) is not None:
            order, ends = found
            if os.fork() == 0:
                theirs.close()
                _watch(order, *ends)
            for end in ends:
                os.close(end)
        os._exit(0)
    theirs.close()
    return ours


def _watch(order: dict[str, Any], out: int, err: int, teller: int) -> None:
    """Fork what is ordered, tell its number and then how it ended; returns in the fork only."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        _become(order, out, err)
    os.close(out)
    os.close(err)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the command
    with socket.socket(fileno=teller) as told:
        told.send(str(pid).encode())
        told.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
    os._exit(0)


def _become(order: dict[str, Any], out: int, err: int) -> NoReturn:
    """Be `.venv/bin/python -m cli …` in the checkout."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.orig_argv = [".venv/bin/python", "-m", "cli", *order["arguments"]]
    sys.argv = ["cli", *order["arguments"]]
    runpy.run_module("cli", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main()
