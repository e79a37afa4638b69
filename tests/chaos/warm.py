"""The studio and its workers, forked from a process that has done their imports.

A studio that is killed comes back with its ports open after a tenth of a second, and with a worker that trains soon
after, instead of seconds of imports later. What runs is what always runs: ``python -m localcloud`` with its arguments, and
``python -m localcloud.works.batch.worker`` with its pipes.
"""

from __future__ import annotations

import array
import asyncio
import ctypes
import os
import runpy
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import onnx.helper
import onnxruntime
import sklearn.ensemble
import uvicorn

import graph.models.onnx_models
import localcloud.server.process
import localcloud.works.batch.execution

WARM = (
    onnx.helper,
    onnxruntime,
    sklearn.ensemble,
    uvicorn,
    localcloud.works.batch.execution,
    graph,
    localcloud.server.process,
)
_PR_SET_PDEATHSIG = 1
_WORKER = ("-m", "localcloud.works.batch.worker")
_ONE_PID = 16


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, where it can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def become_studio(arguments: list[str], door: socket.socket) -> None:
    """Become a studio; *door* is open for as long as it lives."""
    workers = _fork_the_forker(door)
    execute = asyncio.create_subprocess_exec

    async def create(program: str, *given: str, **named: Any) -> Any:
        if given != _WORKER:
            return await execute(program, *given, **named)
        return await _Worker.start(workers, named["limit"])

    asyncio.create_subprocess_exec = create  # type: ignore[assignment]
    sys.argv = ["localcloud", *arguments]
    runpy.run_module("localcloud", run_name="__main__", alter_sys=False)


def _fork_the_forker(door: socket.socket) -> socket.socket:
    """Fork the process that forks workers: it has opened nothing that a studio opens, and ends with the studio."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        _run(_fork_workers, theirs, (ours, door))
    theirs.close()
    return ours


def _fork_workers(orders: socket.socket, foreign: tuple[socket.socket, ...]) -> None:
    die_with_parent()
    for each in foreign:
        each.close()
    size = array.array("i").itemsize
    while True:
        content, ancillary, *_rest = orders.recvmsg(1, socket.CMSG_SPACE(2 * size))
        if not content:
            return
        pipes = array.array("i", ancillary[0][2][: 2 * size]).tolist()
        pid = os.fork()
        if pid == 0:
            orders.close()
            _run(_become_worker, pipes)
        for pipe in pipes:
            os.close(pipe)
        orders.sendall(str(pid).encode().ljust(_ONE_PID))


def _become_worker(pipes: list[int]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for target, pipe in enumerate(pipes):
        os.dup2(pipe, target)
        os.close(pipe)
    sys.stdin = os.fdopen(0, "r", closefd=False)
    sys.argv = ["localcloud.works.batch.worker"]
    sys.modules.pop("localcloud.works.batch.worker", None)
    runpy.run_module("localcloud.works.batch.worker", run_name="__main__", alter_sys=False)


def _run(main: Callable[..., None], *given: Any) -> NoReturn:
    try:
        main(*given)
    finally:
        os._exit(1)


class _Worker:
    """As much of an asyncio process as the studio's runner asks for."""

    def __init__(self, pid: int, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self.returncode: int | None = None

    @classmethod
    async def start(cls, forker: socket.socket, limit: int) -> _Worker:
        (its_input, our_output), (our_input, its_output) = os.pipe(), os.pipe()
        socket.send_fds(forker, [b"+"], [its_input, its_output])
        pid = int(await asyncio.to_thread(forker.recv, _ONE_PID))
        for pipe in (its_input, its_output):
            os.close(pipe)
        loop = asyncio.get_running_loop()
        stdout = asyncio.StreamReader(limit)
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(our_input, "rb", 0)
        )
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop), os.fdopen(our_output, "wb", 0)
        )
        return cls(pid, asyncio.StreamWriter(transport, protocol, None, loop), stdout)

    def kill(self) -> None:
        """``kill -9``, and nothing more is said to it or heard of it."""
        os.kill(self.pid, signal.SIGKILL)
        self.stdin.close()

    async def wait(self) -> int:
        """Wait until it has ended; what it said last can be read afterwards."""
        with suppress(ProcessLookupError):
            ended, handle = asyncio.Event(), os.pidfd_open(self.pid)
            loop = asyncio.get_running_loop()
            loop.add_reader(handle, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(handle)
                os.close(handle)
        self.stdin.close()
        self.returncode = -signal.SIGKILL
        return self.returncode
