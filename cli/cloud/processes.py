"""The local cloud's processes: what each is started with, whether it lives, how it ends.

A process is known by the mark on its command line, a path inside this checkout, so that no reused process id and no
process of another checkout is ever taken for ours. `processes.json` remembers the ids, for speed; where it is lost, the
system's list of processes is searched for the marks.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cli.project import ROOT

if TYPE_CHECKING:
    import psutil

LOG_LIMIT = 5_000_000  # bytes; a longer log is set aside at the next start


@dataclass(frozen=True)
class Service:
    """One process of the local cloud. `marks` are on its command line and on no other process's."""

    name: str
    command: list[str]
    marks: tuple[str, ...]
    ports: tuple[int, ...]
    health: str | None = None  # URL that answers when it is up; without one, an open port will do
    any_status: bool = False  # whether any HTTP status means that it is up
    env: dict[str, str] = field(default_factory=dict, repr=False)


def log_file(directory: Path, name: str) -> Path:
    """A service's log."""
    return directory / "logs" / f"{name}.log"


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log."""
    try:
        return path.read_text(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


def spawn(service: Service, directory: Path) -> int:
    """Start a process in a session of its own, its output going to its log; answers the process id."""
    log = log_file(directory, service.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".old.log"))
    # The deployment engine's and Azure's credentials are none of the local cloud's business.
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "AZURE_", "ARM_", "IDENTITY_"))
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            service.command, cwd=ROOT, env=inherited | service.env, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    process.returncode = 0  # it outlives us on purpose: nobody waits for it
    remember(directory, {service.name: process.pid})
    return process.pid


def remembered(directory: Path) -> dict[str, int]:
    """The process ids as last written."""
    try:
        content = json.loads((directory / "processes.json").read_text())
        return {str(name): int(pid) for name, pid in content.items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}


def remember(directory: Path, pids: dict[str, int]) -> None:
    """Write down process ids, keeping the others'."""
    part = directory / f"processes.json.{os.getpid()}"
    part.write_text(json.dumps(remembered(directory) | pids, indent=2))
    part.replace(directory / "processes.json")


def _is(process: psutil.Process, service: Service) -> bool:
    import psutil

    try:
        command = process.cmdline()  # empty or refused for a process that has ended
    except (psutil.Error, OSError):
        return False
    return all(mark in command for mark in service.marks)


def living(service: Service, directory: Path) -> int | None:
    """The process id of a service, by what is remembered; None where it isn't running."""
    import psutil

    pid = remembered(directory).get(service.name)
    try:
        return pid if pid and _is(psutil.Process(pid), service) else None
    except psutil.Error:
        return None


def find(service: Service) -> list[psutil.Process]:
    """Every process of this service on the system, remembered or not."""
    import psutil

    return [
        process for process in psutil.process_iter() if process.pid != os.getpid() and _is(process, service)
    ]


def stop(services: Iterable[Service]) -> list[str]:
    """End services and what they started: asked first (SIGTERM), then killed; answers the names of those that ran."""
    import psutil

    names: list[str] = []
    family: list[psutil.Process] = []
    for service in services:
        found = find(service)
        names += [service.name] if found else []
        for process in found:
            with contextlib.suppress(psutil.Error):
                family += [process, *process.children(recursive=True)]
                process.terminate()
    _, alive = psutil.wait_procs(family, timeout=6)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=2)
    return names


def healthy(service: Service) -> bool:
    """Whether a service answers."""
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, build_opener

    from cli.cloud.ports import answers

    if not all(answers(port) for port in service.ports):
        return False
    if service.health is None:
        return True
    try:
        # No proxy: it is on loopback, whatever the environment says.
        with build_opener(ProxyHandler({})).open(service.health, timeout=2):
            return True
    except HTTPError as error:
        error.close()
        return service.any_status
    except (URLError, OSError):
        return False
