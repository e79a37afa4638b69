"""Provider processes and studios on demand, forked from one warm process (`tests.chaos.zygote`)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retrain_hooks.ownership.claims import TAKE_OVER

ROOT = Path(__file__).resolve().parents[2]
_DEADLINE = 60.0
# A provider's waits end so many times as fast.
RATE = 5.0

Json = dict[str, Any]


@dataclass
class Forked:
    """A forked process; *listener* hears what it says at its *door*, until it is *gone*."""

    pid: int
    door: socket.socket = field(repr=False)
    listener: threading.Thread = field(repr=False)
    gone: threading.Event = field(repr=False)

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if not self.gone.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """``kill -9``."""
        self.send_signal(signal.SIGKILL)

    def end(self) -> None:
        """Kill it and wait for that."""
        self.kill()
        self.listener.join(10)
        self.door.close()


@dataclass
class Provider(Forked):
    """A provider process, and its port."""

    port: int


class Forks:
    """The warm process, from its start to ``close``; *directory* is for the doors to its children."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._epoch = time.time()
        self._lock = threading.Lock()
        self._doors = 0
        self._zygote = subprocess.Popen(
            [sys.executable, "-u", "-m", "tests.chaos.zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**environment, "GRPC_ENABLE_FORK_SUPPORT": "0"},
        )

    def entrust(self, *pids: int) -> None:
        """Have these processes, in place of all entrusted before, end with this one, however it ends."""
        assert self._zygote.stdin is not None
        with self._lock:
            self._zygote.stdin.write(json.dumps({"entrusted": pids}) + "\n")
            self._zygote.stdin.flush()

    def close(self) -> None:
        """End it, with all that was entrusted to it."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.close()
        self._zygote.wait(_DEADLINE)
        self._zygote.stdout.close()

    def provider(
        self,
        engine: str,
        cwd: Path,
        cloud_file: Path,
        *,
        offset: float = 0.0,
        triggers: Sequence[Json] = (),
        on_trigger: Callable[[int], str] = lambda _index: "go",
        on_late: Callable[[str], None] = lambda _request: None,
        sabotage: str = "",
        take_over: bool = False,
        rate: float = RATE,
    ) -> Provider:
        """Fork a provider process for the engine at *engine*; *on_trigger* answers ``go``, ``die`` or ``late``,
        which is ``die`` and leaves the request to *on_late*; empty where it only reads. Its waits end *rate* times as fast.
        """
        port: list[int] = []
        ready = threading.Event()

        def heard(door: socket.socket, line: str) -> None:
            if line.startswith("@"):
                door.sendall(f"{on_trigger(int(line[1:]))}\n".encode())
            elif line.startswith("="):
                on_late(line[1:])
                door.sendall(b"die\n")
            elif line.isdecimal():
                port.append(int(line))
                ready.set()

        order = {
            "engine": engine,
            "cwd": str(cwd),
            "env": {"RETRAIN_CLOUD_FILE": str(cloud_file)} | ({TAKE_OVER: "1"} if take_over else {}),
            "log": str(cwd / "provider.log"),
            "trace": str(cwd / "trace.jsonl"),
            "triggers": list(triggers),
            "sabotage": sabotage,
            "epoch": self._epoch,
            "offset": offset,
            "rate": rate,
        }
        forked = self._fork(order, heard, ready.set)
        ready.wait(_DEADLINE)
        if not port:
            raise AssertionError(f"a provider process ended before it served; see {order['log']}")
        return Provider(**vars(forked), port=port[0])

    def studio(self, arguments: Sequence[str], log: Path) -> Forked:
        """Fork a studio with the *arguments* of ``python -m localcloud``."""
        return self._fork({"arguments": list(arguments), "log": str(log)}, lambda _door, _line: None)

    def _fork(
        self,
        order: Json,
        heard: Callable[[socket.socket, str], None],
        over: Callable[[], None] = lambda: None,
    ) -> Forked:
        """Fork a process; each line that it says at its door is *heard*, and then it is *over*."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        with self._lock:
            self._doors += 1
            path = str(self._directory / f"door{self._doors}")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            listening.listen(1)
            listening.settimeout(_DEADLINE)
            with self._lock:
                self._zygote.stdin.write(json.dumps(order | {"door": path}) + "\n")
                self._zygote.stdin.flush()
                pid = int(self._zygote.stdout.readline())
            door, _address = listening.accept()
        Path(path).unlink()
        gone = threading.Event()

        def listen() -> None:
            with door.makefile("rb") as lines, contextlib.suppress(OSError):
                for line in lines:
                    heard(door, line.decode().strip())
            gone.set()
            over()

        listener = threading.Thread(target=listen, name="forked", daemon=True)
        listener.start()
        return Forked(pid, door, listener, gone)
