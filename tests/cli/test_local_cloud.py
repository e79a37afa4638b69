"""The local cloud, with its real processes, in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import psutil
import pytest
import requests
from azure.storage.blob import BlobServiceClient

from cli.cloud.supervisor import Supervisor
from cli.errors import CliError
from tests.e2e import warm
from tests.healing import Told

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {"azurite", "studio", "azure-native"}

pytestmark = pytest.mark.cloud


class LocalCloud:
    """`./dev cloud …` for a cloud in a temporary folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / "cloud.json"

    def start_command(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", "cloud", *arguments], cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"RETRAIN_CLOUD_FILE": str(self.file)},
        )  # fmt: skip

    def run(self, *arguments: str) -> tuple[int, str, str]:
        if sys.platform == "linux":
            environment = {**os.environ, "RETRAIN_CLOUD_FILE": str(self.file)}
            return warm.run(ROOT, ["cloud", *arguments], environment, 150)
        with self.start_command(*arguments) as process:
            out, err = process.communicate(timeout=150)
        return process.returncode, out, err

    def status(self, *, show_secrets: bool = False) -> dict[str, Any]:
        return Supervisor(self.file).status(show_secrets=show_secrets)

    def pids(self) -> dict[str, int]:
        return {name: each["pid"] for name, each in self.status()["processes"].items()}

    def processes(self) -> list[psutil.Process]:
        """Every process of this cloud, whoever started it."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if any(str(self.directory) in part for part in process.cmdline()):
                    found.append(process)
        return found

    @contextlib.contextmanager
    def blobs(self) -> Iterator[BlobServiceClient]:
        with BlobServiceClient.from_connection_string(
            self.status(show_secrets=True)["connectionString"]
        ) as client:
            yield client

    def journal(self, method: str = "GET") -> list[dict[str, Any]]:
        request = Request(f"{self.status()['studio']}/_local/journal", method=method)
        with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
            text = answer.read()
        return list(json.loads(text)) if method == "GET" else []

    def allows_faults(self) -> bool:
        """Whether the studio can be told to misbehave."""
        try:
            with build_opener(ProxyHandler({})).open(f"{self.status()['studio']}/_local/faults", timeout=10):
                return True
        except HTTPError as error:
            error.close()
            if error.code != 403:
                raise
            return False


@pytest.fixture(scope="module")
def started(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[LocalCloud, list[tuple[int, str, str]]]]:
    """A cloud that two commands at once were asked to start."""
    cloud = LocalCloud(tmp_path_factory.mktemp("checkout") / "cloud")
    ended = []
    try:
        with cloud.start_command("start") as one, cloud.start_command("start") as two:
            for process in (one, two):
                out, err = process.communicate(timeout=150)
                ended.append((process.returncode, out, err))
        yield cloud, ended
    finally:
        cloud.run("stop")
        for process in cloud.processes():
            process.kill()


@pytest.fixture
def cloud(started: tuple[LocalCloud, list[tuple[int, str, str]]]) -> LocalCloud:
    """The cloud, running."""
    if not started[0].status()["running"]:
        started[0].run("start")
    return started[0]


def test_two_starts_at_once_give_one_cloud(started: tuple[LocalCloud, list[tuple[int, str, str]]]) -> None:
    """Both commands end well and name the same addresses; every process is there once."""
    cloud, ended = started
    assert [status for status, _, _ in ended] == [0, 0], ended
    assert ended[0][1] == ended[1][1]
    leaders = [process for process in cloud.processes() if os.getsid(process.pid) == process.pid]
    assert sorted(process.pid for process in leaders) == sorted(cloud.pids().values())


def test_status_gives_addresses_and_no_secret(cloud: LocalCloud) -> None:
    """`status --json` has the addresses and the processes; keys only on demand."""
    answer = json.loads(cloud.run("status", "--json")[1])
    assert answer["running"] is True
    addresses = {"studio", "studioHttps", "caFile", "blob", "azureNative"}
    assert set(answer) == addresses | {"running", "processes", "executor"}
    assert set(answer["processes"]) == SERVICES
    content = json.loads(cloud.file.read_text())
    assert {name: answer[name] for name in addresses} == {name: content[name] for name in addresses}
    shown = json.loads(cloud.run("status", "--json", "--show-secrets")[1])
    assert content["accountKey"] in shown["connectionString"]
    assert shown["armToken"] == content["armToken"]
    for name in ("owner", "reader"):
        assert shown["signIn"][name]["AZURE_CLIENT_SECRET"] == content[name]["clientSecret"]


def secrets_of(content: dict[str, Any]) -> list[str]:
    """All that a cloud's file keeps to itself."""
    own = [content[name] for name in ("accountKey", "armToken", "identityHeader")]
    return [
        *own,
        *(content[name]["clientSecret"] for name in ("owner", "reader")),
        content["reader"]["token"],
    ]


def subscriptions_seen(cloud: LocalCloud, name: str = "owner") -> list[str]:
    """The subscriptions that a principal lists after it signed in, all over HTTPS."""
    answer = cloud.status(show_secrets=True)
    sign_in = answer["signIn"][name]
    with requests.Session() as session:
        session.trust_env, session.verify = False, answer["caFile"]
        form = {
            "grant_type": "client_credentials",
            "client_id": sign_in["AZURE_CLIENT_ID"],
            "client_secret": sign_in["AZURE_CLIENT_SECRET"],
            "scope": "https://management.azure.com/.default",
        }
        url = f"{sign_in['AZURE_AUTHORITY_HOST']}/{sign_in['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        token = session.post(url, data=form, timeout=30).json()["access_token"]
        found = session.get(
            f"{sign_in['RETRAIN_ARM_URL']}/subscriptions?api-version=2021-01-01",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        ).json()
    return [each["subscriptionId"] for each in found["value"]]


def test_both_principals_sign_in_over_https(cloud: LocalCloud) -> None:
    """The certificate is trusted by the file that the status names."""
    subscription = json.loads(cloud.file.read_text())["subscription"]
    assert subscriptions_seen(cloud) == subscriptions_seen(cloud, "reader") == [subscription]


def test_a_cloud_of_an_older_version_is_brought_up_to_date(cloud: LocalCloud) -> None:
    """The file gets what it lacks and keeps the rest; only the studio starts anew; tokens of before stay good."""
    new = ("studioHttps", "caFile", "tenant", "owner", "reader", "identityHeader", "tokenSeconds")
    content = json.loads(cloud.file.read_text())
    old = {name: value for name, value in content.items() if name not in new} | {"version": 1, "note": "mine"}
    cloud.file.write_text(json.dumps(old))
    before = cloud.pids()
    status, _, err = cloud.run("start")
    assert status == 0, err
    assert "up to date" in err
    after = json.loads(cloud.file.read_text())
    assert after | old == after | {"version": 1}
    assert after["version"] == 2
    assert stat.S_IMODE(cloud.file.stat().st_mode) == 0o600
    assert {name for name in SERVICES if cloud.pids()[name] != before[name]} == {"studio"}
    assert subscriptions_seen(cloud) == [old["subscription"]]
    assert "up to date" not in cloud.run("start")[2]


def test_secrets_stay_in_the_file_that_only_the_user_can_read(cloud: LocalCloud) -> None:
    """The file has mode 0600 in a folder of mode 0700; no command line, no log and no output has its secrets."""
    assert stat.S_IMODE(cloud.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(cloud.directory.stat().st_mode) == 0o700
    content = json.loads(cloud.file.read_text())
    seen = [" ".join(process.cmdline()) for process in cloud.processes()]
    seen += [path.read_text() for path in (cloud.directory / "logs").iterdir()]
    seen += [part for verb in (["start"], ["status"], ["logs"]) for part in cloud.run(*verb)[1:]]
    assert not [text for text in seen for secret in secrets_of(content) if secret in text]


def test_the_examples_data_is_there_with_digest_and_rows(cloud: LocalCloud) -> None:
    """One blob a month with its Content-MD5 and its number of rows, 336,776 in all, and those of the other example; the
    registry is empty.
    """
    with cloud.blobs() as client:
        blobs = list(client.get_container_client("data").list_blobs(include=["metadata"]))
        assert not list(client.get_container_client("registry").list_blobs())
    rows = {blob.name: int(blob.metadata["rows"]) for blob in blobs}
    flights = [f"flights/2013-{month:02d}.csv" for month in range(1, 13)]
    assert sorted(rows) == [*flights, *(f"tumours/{version}.csv" for version in ("holdout", "v1", "v2"))]
    assert all(blob.content_settings.content_md5 for blob in blobs)
    assert sum(rows[name] for name in flights) == 336_776


def test_a_start_when_all_is_up_looks_for_the_containers_and_writes_nothing(cloud: LocalCloud) -> None:
    """A second start leaves the processes alone, and asks once whether the containers are there still."""
    before = cloud.pids()
    cloud.journal("DELETE")
    assert cloud.run("start")[0] == 0
    assert [(one["method"], one["effect"]) for one in cloud.journal()] == [("GET", "read")]
    assert cloud.pids() == before


def test_data_that_is_there_is_not_uploaded_again(cloud: LocalCloud) -> None:
    """Where it isn't known whether the data is there, it is only listed; a missing blob comes back."""
    cloud.journal("DELETE")
    (cloud.directory / "seeded").unlink()
    assert cloud.run("start")[0] == 0
    entries = cloud.journal()
    assert {entry["effect"] for entry in entries} == {"read"}
    with cloud.blobs() as client:
        client.get_container_client("data").delete_blob("flights/2013-05.csv")
    (cloud.directory / "seeded").unlink()
    cloud.journal("DELETE")
    assert cloud.run("start")[0] == 0
    assert [
        entry["path"].split("?")[0].rsplit("/", 1)[-1]
        for entry in cloud.journal()
        if entry["effect"] == "write"
    ] == ["2013-05.csv"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_killed_process_is_started_again(cloud: LocalCloud, name: str) -> None:
    """What died comes back at the same address; what lives is left alone."""
    before = cloud.pids()
    psutil.Process(before[name]).kill()
    status, _, err = cloud.run("start")
    assert status == 0, err
    assert f"starting the local cloud: {name}\n" in err
    after = cloud.pids()
    assert after[name] != before[name]
    assert {key: after[key] for key in SERVICES - {name}} == {key: before[key] for key in SERVICES - {name}}


def test_processes_that_were_forgotten_are_found(cloud: LocalCloud) -> None:
    """Without its notes the supervisor finds the running processes by their command lines."""
    before = cloud.pids()
    (cloud.directory / "processes.json").unlink()
    assert cloud.run("start")[0] == 0
    assert cloud.pids() == before


def test_stop_ends_all_and_a_start_has_the_same_addresses(cloud: LocalCloud) -> None:
    """After `stop` no process is left; the next start has the old addresses."""
    before = cloud.status()
    assert cloud.run("stop")[:2] == (0, "stopped: azurite, studio, azure-native\n")
    assert cloud.processes() == []
    stopped = cloud.status()
    assert (stopped["running"], stopped["studio"]) == (False, before["studio"])
    assert cloud.run("stop")[1] == "the local cloud wasn't running\n"
    cloud.run("start")
    assert cloud.status()["blob"] == before["blob"]


def test_a_port_taken_by_another_program_is_an_error_with_a_way_out(cloud: LocalCloud) -> None:
    """The port and its holder are named, nothing is left half started, and --new-ports moves the cloud."""
    before = cloud.status()
    port = int(before["studio"].rpartition(":")[2])
    cloud.run("stop")
    with socket.socket() as foreign:
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        foreign.bind(("127.0.0.1", port))
        foreign.listen()
        status, out, err = cloud.run("start")
        assert (status, out) == (1, "")
        cause, remedy = err.splitlines()
        assert cause.startswith(f"error: port {port}, which this checkout's studio uses, is taken: ")
        assert f"process {os.getpid()}" in cause
        assert "--new-ports" in remedy
        assert cloud.processes() == []
        assert cloud.run("start", "--new-ports")[0] == 0
    after = cloud.status()
    assert after["running"] is True
    assert after["studio"] != before["studio"]


def test_faults_are_allowed_on_request_and_that_is_remembered(cloud: LocalCloud) -> None:
    """The studio alone starts anew with them allowed, also after it was killed, until they are forbidden again."""
    before = cloud.pids()
    assert cloud.allows_faults() is False
    assert cloud.run("start", "--allow-faults")[0] == 0
    assert cloud.allows_faults() is True
    after = cloud.pids()
    assert {name for name in SERVICES if after[name] != before[name]} == {"studio"}
    assert cloud.run("start", "--allow-faults")[0] == 0
    assert cloud.pids() == after
    psutil.Process(after["studio"]).kill()
    assert cloud.run("start")[0] == 0
    assert cloud.allows_faults() is True
    assert cloud.run("start", "--no-allow-faults")[0] == 0
    assert cloud.allows_faults() is False


def test_that_names_stay_taken_is_remembered(cloud: LocalCloud) -> None:
    """The file says it, later starts keep it, and the studio alone starts anew."""
    before = cloud.pids()
    assert cloud.run("start", "--soft-delete")[0] == 0
    after = cloud.pids()
    assert {name for name in SERVICES if after[name] != before[name]} == {"studio"}
    assert cloud.run("start")[0] == 0
    assert json.loads(cloud.file.read_text())["softDelete"] is True
    assert cloud.run("start", "--no-soft-delete")[0] == 0
    assert json.loads(cloud.file.read_text())["softDelete"] is False


@pytest.mark.heals(
    "./dev cloud start --executor processes, or --executor with an address like tcp://scheduler:8786"
)
def test_an_executor_is_remembered(cloud: LocalCloud, remedy: Told) -> None:
    """The studio alone starts anew with it, now and later; one that is none is refused, until another one is given."""
    status, _, err = cloud.run("start", "--executor", "carrot")
    assert (status, len(err.splitlines()[-2:])) == (1, 2)
    assert "studio ended at its start: the executor carrot is neither processes nor" in err
    remedy(err)
    assert "the executor carrot" in cloud.run("start")[2]
    assert cloud.run("start", "--executor", "processes")[0] == 0
    assert cloud.status()["executor"] == "processes"
    before = cloud.pids()
    assert cloud.run("start", "--executor", "processes")[0] == 0
    assert cloud.pids() == before


def test_logs_of_one_process_and_of_all(cloud: LocalCloud) -> None:
    """`logs NAME` shows one log, `logs` all with their names; an unknown name is a usage error."""
    assert "successfully listens" in cloud.run("logs", "azurite")[1]
    assert "azurite      | " in cloud.run("logs")[1]
    status, _, err = cloud.run("logs", "mysql")
    assert status == 2
    assert "azurite, studio, azure-native" in err


def test_reset_deletes_what_the_cloud_kept(tmp_path: Path) -> None:
    """`reset` deletes files and secrets of the local cloud and nothing else, even if its file can't be read."""
    cloud = LocalCloud(tmp_path / "cloud")
    for name in ("azurite/blob", "studio/db", "logs/studio.log", "mine/note"):
        (cloud.directory / name).parent.mkdir(parents=True)
        (cloud.directory / name).touch()
    cloud.file.write_text("{half")
    with pytest.raises(CliError, match="can't be read"):
        cloud.status()
    status, _, err = cloud.run("reset")
    assert (status, "give --yes" in err) == (2, True)
    assert (cloud.directory / "azurite" / "blob").exists()
    assert cloud.run("reset", "--yes")[0] == 0
    assert sorted(path.name for path in cloud.directory.iterdir()) == ["lock", "mine"]
    assert cloud.run("status")[1] == "the local cloud is not running (./dev cloud start)\n"
