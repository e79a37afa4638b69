"""One instance of a deployment: a process of the deployment's own Python that runs `container.py`.

It has none of the server's environment, a group of its own, and a log. It dies with the server: the socket between them
has no name, so nobody else can call it either.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.azureml.serving.plan import Plan

_LENGTHS = struct.Struct(">II")
_PROGRAM = Path(__file__).with_name("container.py")
_PASSED_ON = (
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "LD_LIBRARY_PATH",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
)


@dataclass(frozen=True)
class Reply:
    """What the model's code answered: 200, or what else it says of the call."""

    status: int
    content_type: str
    body: bytes


class InstanceDied(Exception):
    """The process ended before it answered."""


class Instance:
    """A running process. Used from the event loop only."""

    def __init__(self, process: asyncio.subprocess.Process, connection: Connection) -> None:
        self._process = process
        self._connection = connection
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._pongs: list[asyncio.Future[None]] = []
        self._listening = asyncio.create_task(self._listen())
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()

    @classmethod
    async def start(cls, plan: Plan, log: Path) -> Instance:
        """Start the process; it is not ready yet. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs, log.open("ab") as output:
            descriptor = theirs.fileno()
            arguments = (descriptor, plan.runs, plan.path, plan.settings.concurrent)
            process = await asyncio.create_subprocess_exec(
                *(plan.python, "-u", str(_PROGRAM), *map(str, arguments)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=plan.folder,
                env=_environment(plan),
                pass_fds=(descriptor,),
                start_new_session=True,
            )
        return cls(process, Connection(*await asyncio.open_connection(sock=ours)))

    async def call(self, body: bytes) -> Reply:
        """Have a call answered. Raises `InstanceDied`."""
        number = next(self._numbers)
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        try:
            await self._send({"kind": "call", "id": number}, body)
            return await answered
        finally:
            self._waiting.pop(number, None)

    async def alive(self, seconds: float) -> bool:
        """Whether it says so within this time."""
        pong = asyncio.get_running_loop().create_future()
        self._pongs.append(pong)
        try:
            async with asyncio.timeout(seconds):
                await self._send({"kind": "ping"}, b"")
                await pong
        except (TimeoutError, InstanceDied):
            return False
        return True

    async def idle(self, seconds: float) -> None:
        """Wait until the calls in progress are answered, but not for longer than this."""
        if self._waiting:
            await asyncio.wait(list(self._waiting.values()), timeout=seconds)

    @property
    def status(self) -> int | None:
        """What it ended with; a signal is negative."""
        return self._process.returncode

    async def end(self) -> None:
        """End it and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._listening

    async def _send(self, head: Mapping[str, object], body: bytes) -> None:
        if self.ended.is_set():
            raise InstanceDied
        try:
            await self._connection.send(head, body)
        except ConnectionError:
            raise InstanceDied from None

    async def _listen(self) -> None:
        """Hear what it says until it ends."""
        try:
            while (frame := await self._connection.receive()) is not None:
                head, body = frame
                match head["kind"]:
                    case "answer":
                        self._answered(head, body)
                    case "ready":
                        self.ready.set()
                    case _ if self._pongs:
                        _settle(self._pongs.pop(0))
        except (ConnectionError, ValueError, KeyError):
            pass  # what it says is no frame of ours: it can't be understood again
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._connection.close()
        self.ended.set()
        waiting: list[asyncio.Future[Any]] = [*self._waiting.values(), *self._pongs]
        for one in waiting:
            if not one.done():
                one.set_exception(InstanceDied())

    def _answered(self, head: Mapping[str, object], body: bytes) -> None:
        waiting = self._waiting.get(int(str(head["id"])))
        if waiting is not None and not waiting.done():
            waiting.set_result(Reply(int(str(head["status"])), str(head["type"]), body))


class Connection:
    """Frames to and from a process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, head: Mapping[str, object], body: bytes) -> None:
        """Send a frame. Raises ConnectionError."""
        said = json.dumps(head).encode()
        self._writer.write(_LENGTHS.pack(len(said), len(body)) + said + body)
        await self._writer.drain()

    async def receive(self) -> tuple[dict[str, object], bytes] | None:
        """The next frame; None at the end."""
        try:
            head, body = _LENGTHS.unpack(await self._reader.readexactly(_LENGTHS.size))
            return json.loads(await self._reader.readexactly(head)), await self._reader.readexactly(body)
        except asyncio.IncompleteReadError:
            return None

    def close(self) -> None:
        """Close it."""
        self._writer.close()


def _settle(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _environment(plan: Plan) -> dict[str, str]:
    """What the user's code finds in its environment: what Azure's images set, and what the deployment says."""
    binaries = Path(plan.python).parent
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin",
        "VIRTUAL_ENV": str(binaries.parent),
        "HOME": str(plan.folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "AZUREML_MODEL_DIR": str(plan.model_folder),
        "AML_APP_ROOT": str(plan.folder),
        **plan.variables,
    }
