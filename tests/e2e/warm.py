"""``./dev`` as it is, but for the libraries' imports, which are done before: most of what a short command's time is.

A process that has imported what `./dev` uses from site-packages, and nothing of the project's own, forks for each command.
The fork is what `./dev` starts: the checkout's Python and rooms, the same arguments, environment, folder and streams.
How a command is started from a shell, killed or interrupted is tested with `./dev` itself (`Checkout.start`).
"""

from __future__ import annotations

import atexit
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
    """Import, then fork for each order until there are no more."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # else a collection in a fork looks through all that was imported, and copies it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, ends, _flags, _address = socket.recv_fds(orders, _LONGEST_ORDER, 3)
        if not order:
            return
        if os.fork() == 0:
            orders.close()
            _watch(json.loads(order), *ends)
        for end in ends:
            os.close(end)


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
    os.chdir(order["root"])
    os.environ.clear()
    os.environ.update(order["environment"])
    ours, theirs = sys.prefix, f"{order['root']}/.venv"
    sys.path = [order["root"], *(entry.replace(ours, theirs) for entry in sys.path[1:])]
    sys.prefix = sys.exec_prefix = theirs
    sys.executable = f"{theirs}/bin/python"
    sys.orig_argv = [".venv/bin/python", "-m", "cli", *order["arguments"]]
    sys.argv = ["cli", *order["arguments"]]
    runpy.run_module("cli", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main()
