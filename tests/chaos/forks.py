"""Provider processes on demand, forked from one warm process (`tests.chaos.zygote`)."""

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

ROOT = Path(__file__).resolve().parents[2]
_DEADLINE = 60.0
# A provider's waits end so many times as fast.
RATE = 5.0

Json = dict[str, Any]


@dataclass
class Provider:
    """A provider process: its port, and who answers its triggers."""

    pid: int
    port: int
    door: socket.socket = field(repr=False)
    listener: threading.Thread = field(repr=False)
    gone: threading.Event = field(default_factory=threading.Event)

    def kill(self) -> None:
        """``kill -9``."""
        if not self.gone.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill it and wait for that."""
        self.kill()
        self.listener.join(10)
        self.door.close()


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
    ) -> Provider:
        """Fork a provider process for the engine at *engine*; *on_trigger* answers ``go``, ``die`` or ``late``,
        which is ``die`` and leaves the request to *on_late*.
        """
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        with self._lock:
            self._doors += 1
            path = str(self._directory / f"door{self._doors}")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            listening.listen(1)
            listening.settimeout(_DEADLINE)
            order = {
                "door": path,
                "engine": engine,
                "cwd": str(cwd),
                "env": {"RETRAIN_CLOUD_FILE": str(cloud_file)},
                "log": str(cwd / "provider.log"),
                "trace": str(cwd / "trace.jsonl"),
                "triggers": list(triggers),
                "sabotage": sabotage,
                "epoch": self._epoch,
                "offset": offset,
                "rate": RATE,
            }
            with self._lock:
                self._zygote.stdin.write(json.dumps(order) + "\n")
                self._zygote.stdin.flush()
                pid = int(self._zygote.stdout.readline())
            door, _address = listening.accept()
        Path(path).unlink()
        port: list[int] = []
        ready, gone = threading.Event(), threading.Event()

        def listen() -> None:
            with door.makefile("rb") as lines, contextlib.suppress(OSError):
                for line in lines:
                    text = line.decode().strip()
                    if text.startswith("@"):
                        door.sendall(f"{on_trigger(int(text[1:]))}\n".encode())
                    elif text.startswith("="):
                        on_late(text[1:])
                    elif text.isdecimal():
                        port.append(int(text))
                        ready.set()
            gone.set()
            ready.set()

        listener = threading.Thread(target=listen, name="provider", daemon=True)
        listener.start()
        ready.wait(_DEADLINE)
        if not port:
            raise AssertionError(f"a provider process ended before it served; see {cwd / 'provider.log'}")
        return Provider(pid, port[0], door, listener, gone)
