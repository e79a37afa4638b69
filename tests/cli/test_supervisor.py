"""The supervisor's parts that need no running cloud."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from cli.cloud import azurite, ports, processes, settings, supervisor
from cli.cloud.processes import Service
from tests.healing import Told
from tests.waiting import own_port

# Fails as often as the file `fails` says, then installs.
FAKE_NPM = """
import os, pathlib, sys
assert sys.argv[1:3] == ["ci", "--omit=dev"], sys.argv
left = int(pathlib.Path("fails").read_text())
if left:
    pathlib.Path("fails").write_text(str(left - 1))
    print("npm error code E500")
    print("npm error 500 Internal Server Error")
    print("npm error A complete log of this run can be found in: x")
    sys.exit(1)
main = pathlib.Path("node_modules/azurite/dist/src/blob/main.js")
main.parent.mkdir(parents=True, exist_ok=True)
main.touch()
"""


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to install Azurite into, with a stand-in for npm that first fails twice."""
    wheel = tmp_path / "wheel"
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script.parent.mkdir(parents=True)
    script.write_text(FAKE_NPM)
    monkeypatch.setattr(azurite, "node_home", lambda: wheel)
    monkeypatch.setattr(azurite, "node", lambda: sys.executable)
    home = tmp_path / "azurite"
    home.mkdir()
    (home / "fails").write_text("2")
    return home


def test_a_failing_npm_is_asked_again(npm: Path) -> None:
    """A download that fails is tried again, with npm's reason; a finished installation is left alone."""
    said: list[str] = []
    azurite.install(said.append, npm)
    assert said[1:] == ["npm failed (500 Internal Server Error); trying again"] * 2
    assert azurite.installed(npm)
    azurite.install(said.append, npm)
    assert len(said) == 3


@pytest.mark.heals("check the network and npm's registry setting (.npmrc), then run the command again")
def test_an_npm_that_goes_on_failing_is_an_error_with_its_reason(remedy: Told, npm: Path) -> None:
    """After the last attempt the error has npm's reason, and nothing counts as installed; the next command goes on."""
    (npm / "fails").write_text("9")
    failed = remedy.fails(lambda: azurite.install(lambda _: None, npm, attempts=2))
    assert failed.cause == "Azurite can't be installed from npm: 500 Internal Server Error"
    assert not azurite.installed(npm)
    (npm / "fails").write_text("0")
    azurite.install(lambda _: None, npm)
    assert azurite.installed(npm)


@pytest.mark.heals("delete .venv and run the command again", at="cli/cloud/azurite.py")
def test_a_venv_without_node(remedy: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is made anew has it."""
    with monkeypatch.context() as without:
        without.setattr("importlib.util.find_spec", lambda _name: None)
        remedy.fails(azurite.node_home)
    assert Path(azurite.node()).exists()


def test_an_interrupted_installation_starts_anew(npm: Path) -> None:
    """Files without the stamp that is written last don't count."""
    (npm / "fails").write_text("0")
    azurite.install(lambda _: None, npm)
    (npm / "installed").unlink()
    assert not azurite.installed(npm)
    azurite.install(lambda _: None, npm)
    assert azurite.installed(npm)


def test_the_lock_of_azurite_names_no_address() -> None:
    """Packages come from the registry that the machine is set to: the lock has versions and hashes only."""
    lock = (azurite.PACKAGE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 300


def test_new_clouds_differ_in_ports_and_secrets() -> None:
    """Two checkouts draw their ports and keys each for itself, and no key is in what is printed of a cloud."""
    one, two = settings.new_cloud(Path("one")), settings.new_cloud(Path("two"))
    assert set(one.ports.values()) != set(two.ports.values())
    assert len(set(one.ports.values())) == 5
    assert one.accountKey != two.accountKey
    assert one.armToken != two.armToken
    assert one.accountKey not in repr(one)
    assert one.armToken not in repr(one)


def test_a_file_of_an_older_version_keeps_all_it_has(tmp_path: Path) -> None:
    """What it lacks is added once; what it says, known or not, stays; a moved checkout gets its own paths."""
    new = settings.new_cloud(tmp_path)
    added = ("studioHttps", "caFile", "tenant", "owner", "reader", "identityHeader", "tokenSeconds")
    old = {name: value for name, value in asdict(new).items() if name not in added}
    file = tmp_path / "cloud.json"
    file.write_text(json.dumps(old | {"version": 1, "note": "mine"}))
    loaded = settings.load(file)
    assert loaded
    completed = loaded.completed(tmp_path)
    settings.save(completed, file)
    content = json.loads(file.read_text())
    assert {name: content[name] for name in old} == old
    assert content["note"] == "mine"
    assert all(content[name] for name in added)
    assert settings.load(file) == completed.completed(tmp_path) == completed
    moved = completed.completed(tmp_path / "elsewhere")
    assert moved.caFile == str(tmp_path / "elsewhere" / "tls" / "ca.pem")
    assert moved.owner["clientSecret"] == completed.owner["clientSecret"]


def test_a_port_that_is_listened_on_is_not_free() -> None:
    """A listener makes its port taken, and is found."""
    port = own_port()
    with socket.create_server(("127.0.0.1", port)):
        assert not ports.is_free(port)
        assert f"process {os.getpid()}" in ports.holder(port)
    assert ports.is_free(port)


def test_a_reused_process_id_is_not_taken_for_a_service(tmp_path: Path) -> None:
    """A remembered id counts only while its command line carries this checkout's mark."""
    service = Service("studio", [], ("--cloud-file", str(tmp_path / "cloud.json")), ())
    processes.remember(tmp_path, {"studio": os.getpid()})
    assert processes.living(service, tmp_path) is None
    wait = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen([*wait, *service.marks], stdin=subprocess.PIPE) as ours:
        processes.remember(tmp_path, {"studio": ours.pid})
        assert processes.living(service, tmp_path) == ours.pid
        assert processes.stop([service]) == ["studio"]
    assert processes.living(service, tmp_path) is None


@pytest.mark.heals("./dev cloud logs {} shows more; the data is kept, and ./dev cloud start tries again")
def test_a_service_that_starts_again(remedy: Told, tmp_path: Path) -> None:
    """Its log says why, and the next start is another try."""
    there = tmp_path / "there"
    script = 'test -e "$0" || { echo why; exit 1; }; exec tail -f "$0"'
    service = Service("studio", ["sh", "-c", script, str(there)], (str(there),), (own_port(),))
    cloud = supervisor.Supervisor(tmp_path / "cloud.json")
    processes.spawn(service, cloud.directory)
    remedy.fails(lambda: cloud._wait_for(service, time.monotonic() + 20))
    assert processes.last_lines(processes.log_file(cloud.directory, "studio"), 1) == ["why"]
    there.touch()
    with socket.create_server(("127.0.0.1", 0)) as listener:  # an open port will do
        up = replace(service, ports=(listener.getsockname()[1],))
        processes.spawn(up, cloud.directory)
        try:
            cloud._wait_for(up, time.monotonic() + 20)
        finally:
            processes.stop([up])


def test_a_service_that_ends_at_its_start_is_quoted() -> None:
    """Its own cause and remedy are shown; without them, its last line and where to look."""
    lines = ["error: old", "remedy: old", "noise", "error: port 1 is taken", "remedy: free it", ""]
    assert supervisor._diagnosis("studio", lines, ended=True) == (
        "studio ended at its start: port 1 is taken",
        "free it",
    )
    cause, remedy = supervisor._diagnosis("azurite", ["boom", " "], ended=False)
    assert cause == "azurite didn't answer within 90 s: boom"
    assert "./dev cloud logs azurite" in remedy
