"""Start, stop and look after the local cloud. `Supervisor` is what the verbs use.

`start` costs a few milliseconds when all is up; it starts what died, and two at once wait for each other.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.bootstrap import only_one
from cli.cloud import azurite, ports, processes, settings
from cli.cloud.processes import Service
from cli.cloud.settings import Cloud
from cli.errors import CliError
from cli.project import cloud_file

START_DEADLINE = 90.0  # seconds until all services answer


def services(cloud: Cloud, file: Path) -> list[Service]:
    """The processes of a cloud, in the order in which they are named to people."""
    directory = file.parent
    port = cloud.ports
    https = port["studio-https"]  # none yet in a file of an older version
    python = [sys.executable, "-m"]
    return [
        Service(
            "azurite",
            [
                azurite.node(), str(azurite.HOME / azurite.MAIN),
                "--blobHost", "127.0.0.1", "--blobPort", str(port["azurite"]), "--location", str(directory / "azurite"),
                "--disableTelemetry", "--skipApiVersionCheck", "--silent",
            ],
            ("--blobPort", "--location", str(directory / "azurite")),
            (port["azurite"],),
            health=cloud.azurite,
            any_status=True,  # it answers 400 to a request without a signature
            env={"AZURITE_ACCOUNTS": f"{cloud.account}:{cloud.accountKey}"},
        ),
        Service(
            "studio",
            [
                *python, "localcloud", "--cloud-file", str(file), "--port", str(port["studio"]),
                "--blob-port", str(port["blob"]), "--data-dir", str(directory / "studio"),
                "--log-dir", str(directory / "logs"),
                *(["--https-port", str(https)] if https else []),
                *(["--allow-faults"] if cloud.allowFaults else []),
                *(["--allow-scripts"] if cloud.allowScripts else []),
                "--executor", cloud.executor,
            ],
            ("localcloud", "--cloud-file", str(file)),
            (port["studio"], port["blob"], *([https] if https else [])),
            health=f"{cloud.studio}/_local/health",
        ),
        Service(
            "azure-native",
            [*python, "localcloud.azure_native", "--cloud-file", str(file), "--port", str(port["azure-native"])],
            ("localcloud.azure_native", "--cloud-file", str(file)),
            (port["azure-native"],),
        ),
    ]  # fmt: skip


class Supervisor:
    """The local cloud of one file (`.local/cloud/cloud.json`); `say` gets a line for each thing that takes time."""

    def __init__(self, file: Path | None = None, say: Callable[[str], None] = lambda _: None) -> None:
        self.file = file or cloud_file()
        self.directory = self.file.parent
        self.say = say

    def _known(self) -> tuple[Cloud | None, list[Service]]:
        cloud = settings.load(self.file)
        return cloud, services(cloud, self.file) if cloud else []

    def _only_one(self) -> AbstractContextManager[None]:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        waiting = "another command is starting or stopping the local cloud; waiting for it"
        return only_one(self.directory / "lock", lambda: self.say(waiting))

    def is_up(self, cloud: Cloud, known: list[Service]) -> bool:
        """Whether every process lives and listens."""
        from cli.cloud import seed

        alive = all(processes.living(service, self.directory) for service in known)
        return (
            alive and all(ports.answers(port) for port in cloud.ports.values()) and seed.done(self.directory)
        )

    def start(
        self,
        *,
        new_ports: bool = False,
        allow_faults: bool | None = None,
        executor: str | None = None,
        soft_delete: bool | None = None,
        allow_scripts: bool | None = None,
        look: bool = False,
    ) -> Cloud:
        """Bring the cloud up, with the example's data in it; does nothing where all is up.

        `allow_faults` says whether the studio may be told to misbehave, `executor` where its jobs run, `soft_delete`
        whether deleted vaults and workspaces keep their names, `allow_scripts` whether graphs may run scripts; None leaves that as it was. With `look` the containers are looked for, and made and filled again where one is gone.
        """
        cloud, known = self._known()
        options: dict[str, Any] = {
            name: value
            for name, value in (
                ("allowFaults", allow_faults),
                ("executor", executor),
                ("softDelete", soft_delete),
                ("allowScripts", allow_scripts),
            )
            if value is not None
        }
        asked = new_ports or (cloud and cloud != replace(cloud, **options))
        if cloud and not asked and not look and self._is_complete(cloud) and self.is_up(cloud, known):
            return cloud
        with self._only_one():
            cloud, known = self._known()
            azurite.install(self.say)
            if cloud is None:
                cloud = settings.new_cloud(self.directory.absolute())
                settings.save(cloud, self.file)
            elif not self._is_complete(cloud):
                self.say("bringing the local cloud's file up to date; its data and addresses stay")
                processes.stop(service for service in known if service.name == "studio")
                cloud = cloud.completed(self.directory.absolute())
                settings.save(cloud, self.file)
            if new_ports and known:
                processes.stop(known)
                cloud = cloud.with_ports(ports.free_ports(list(cloud.ports)))
                settings.save(cloud, self.file)
            if cloud != replace(cloud, **options):
                # Stopped before the options are kept: a studio that runs always has the options that are kept.
                processes.stop(service for service in known if service.name == "studio")
                cloud = replace(cloud, **options)
                settings.save(cloud, self.file)
            self._start_missing(cloud)
            self._seed(cloud, look=look)
            return cloud

    def _is_complete(self, cloud: Cloud) -> bool:
        """Whether the file is of this version, and was not moved with its checkout."""
        return cloud == cloud.completed(self.directory.absolute())

    def _start_missing(self, cloud: Cloud) -> None:
        known = services(cloud, self.file)
        missing = [service for service in known if not self._adopt(service)]
        for service in missing:
            self._require_ports(service)
        if missing:
            self.say(f"starting the local cloud: {', '.join(service.name for service in missing)}")
        for service in missing:
            processes.spawn(service, self.directory)
        deadline = time.monotonic() + START_DEADLINE
        for service in known:
            self._wait_for(service, deadline)

    def _adopt(self, service: Service) -> bool:
        """Whether the service runs; one that was forgotten is remembered, one of several or mute is ended."""
        if processes.living(service, self.directory) and processes.healthy(service):
            return True
        found = processes.find(service)
        if len(found) == 1 and processes.healthy(service):
            processes.remember(self.directory, {service.name: found[0].pid})
            return True
        if found:
            processes.stop([service])
        return False

    def _require_ports(self, service: Service) -> None:
        for port in service.ports:
            if not ports.is_free(port):
                raise CliError(
                    f"port {port}, which this checkout's {service.name} uses, is taken: {ports.holder(port)}",
                    "stop that program, or ./dev cloud start --new-ports (the next ./dev up then shows new addresses)",
                )

    def _wait_for(self, service: Service, deadline: float) -> None:
        gone = False
        while not processes.healthy(service):
            # Twice: a process that only begins has no command line for a moment.
            was_gone, gone = gone, processes.living(service, self.directory) is None
            ended = gone and was_gone
            if ended or time.monotonic() > deadline:
                lines = processes.last_lines(processes.log_file(self.directory, service.name), 50)
                raise CliError(*_diagnosis(service.name, lines, ended=ended))
            time.sleep(0.03)

    def _seed(self, cloud: Cloud, *, look: bool) -> None:
        from cli.cloud import seed

        if not seed.done(self.directory) or (look and seed.lost(cloud)):
            seed.upload(cloud, self.directory, self.say)

    def stop(self) -> list[str]:
        """End all processes; answers the names of those that ran."""
        with self._only_one():
            _, known = self._known()
            names = processes.stop(known)
            (self.directory / "processes.json").unlink(missing_ok=True)
            return names

    def reset(self) -> None:
        """End all processes and delete all that the local cloud keeps."""
        with self._only_one():
            with contextlib.suppress(CliError):  # an unreadable file is a reason to reset, not an obstacle
                processes.stop(self._known()[1])
            for name in ("azurite", "studio", "logs", "tls", "federated"):
                shutil.rmtree(self.directory / name, ignore_errors=True)
            for path in [self.directory / "seeded", *self.directory.glob("*.json*")]:
                path.unlink(missing_ok=True)

    def status(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """How the cloud is: addresses, and each process's id, ports and state (`running`, `mute`, `stopped`)."""
        cloud, known = self._known()
        states: dict[str, dict[str, Any]] = {}
        for service in known:
            pid = processes.living(service, self.directory)
            state = "stopped" if pid is None else "running" if processes.healthy(service) else "mute"
            states[service.name] = {"pid": pid, "ports": list(service.ports), "state": state}
        answer: dict[str, Any] = {
            "running": bool(states) and all(each["state"] == "running" for each in states.values()),
            "studio": cloud and cloud.studio,
            "studioHttps": cloud and cloud.studioHttps,
            "caFile": cloud and cloud.caFile,
            "blob": cloud and cloud.blob,
            "azureNative": cloud and cloud.azureNative,
            "executor": cloud and cloud.executor,
            "processes": states,
        }
        if show_secrets and cloud:
            answer |= {
                "connectionString": cloud.connection_string,
                "armToken": cloud.armToken,
                "subscription": cloud.subscription,
                "signIn": {name: cloud.sign_in(name) for name in ("owner", "reader")},
            }
        return answer


def _diagnosis(name: str, lines: list[str], *, ended: bool) -> tuple[str, str]:
    """Cause and remedy for a service that doesn't come up: its own words where it left some."""
    causes = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    remedies = [line.removeprefix("remedy: ") for line in lines if line.startswith("remedy: ")]
    what = f"{name} ended at its start" if ended else f"{name} didn't answer within {START_DEADLINE:.0f} s"
    said = (
        causes[-1]
        if causes
        else next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")
    )
    default = f"./dev cloud logs {name} shows more; the data is kept, and ./dev cloud start tries again"
    return f"{what}: {said}", remedies[-1] if causes and remedies else default
