"""What the local cloud advises where it cannot start, done: it starts."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cryptography.hazmat.backends.openssl  # noqa: F401  # loaded late, and nobody may not read it where it is installed
import pytest

from cli.cloud import settings
from cli.cloud.supervisor import Supervisor
from cli.errors import CliError
from clients.credentials import resolve_target
from localcloud.azure_native.cloud import read_cloud as read_for_stand_in
from localcloud.facilities.cloud import read_cloud
from localcloud.facilities.errors import StartError
from localcloud.facilities.store import SCHEMA_VERSION, Store
from localcloud.server.process import _listen, _open_tls, _write_federated_tokens, serve
from localcloud.works.context import open_works
from tests.aad.conftest import cloud_of
from tests.healing import Told
from tests.remedies.test_backend import nobody

heals = pytest.mark.heals
FILE = {
    "studio": "http://127.0.0.1:1",
    "blob": "http://127.0.0.1:2/a",
    "azurite": "http://127.0.0.1:3/a",
    "account": "a",
    "accountKey": "a2V5",
    "armToken": "t",
    "subscription": "s",
}


@pytest.mark.parametrize("content", [None, "{", "{}"])
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(
            read_cloud, marks=heals("start the local cloud with ./dev cloud start, which writes that file")
        ),
        pytest.param(
            read_for_stand_in, marks=heals("start the local cloud, which writes that file: ./dev cloud start")
        ),
    ],
)
def test_a_cloud_file_that_a_start_writes(
    remedy: Told, tmp_path: Path, act: Callable[[Path], Any], content: str | None
) -> None:
    """With all that it says it is read, as each start writes it."""
    file = tmp_path / "cloud.json"
    if content is not None:
        file.write_text(content)
    remedy.fails(lambda: act(file))
    file.write_text(json.dumps(FILE))
    assert act(file)


@heals("start it with ./dev cloud start")
@heals("./dev cloud reset, which deletes all local data, then ./dev cloud start")
def test_the_file_that_clients_read(remedy: Told, tmp_path: Path) -> None:
    """A start writes what is missing; a damaged one it refuses as well, until a reset."""
    file = tmp_path / "cloud.json"

    def read() -> Any:
        return resolve_target("local", {"RETRAIN_CLOUD_FILE": str(file)})

    def start() -> None:
        """The file, as a start writes it; nothing is started."""
        settings.save(settings.load(file) or settings.new_cloud(tmp_path), file)

    remedy.fails(read)
    start()
    assert read()
    file.write_text(file.read_text()[:99])
    remedy.fails(read)
    with pytest.raises(CliError):
        start()
    Supervisor(file).reset()
    start()
    assert read()


@pytest.mark.parametrize("way", ["stop", "data-dir"])
@heals(
    "stop the other local cloud that uses this data directory, or choose another: python -m localcloud --data-dir"
)
def test_a_data_directory_that_is_in_use(remedy: Told, tmp_path: Path, way: str) -> None:
    """Free, or another one."""
    other = Store(tmp_path / "one")
    other.arm_list("/")
    remedy.fails(lambda: Store(tmp_path / "one"))
    other.close()
    Store(tmp_path / ("one" if way == "stop" else "two")).close()


@heals("./dev cloud reset, which deletes all local data, then ./dev up", at="localcloud/facilities/store.py")
@heals("use the version that wrote it, or ./dev cloud reset, which deletes all local data")
def test_a_database_that_is_none_of_ours(remedy: Told, tmp_path: Path) -> None:
    """Damaged, or of a later version; a reset deletes it."""
    file = tmp_path / "studio.db"
    file.write_bytes(b"no database" * 999)
    remedy.fails(lambda: Store(tmp_path))
    for left in tmp_path.iterdir():
        left.unlink()
    Store(tmp_path).close()
    with sqlite3.connect(file) as database:
        database.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    database.close()
    remedy.fails(lambda: Store(tmp_path))
    for left in tmp_path.iterdir():
        left.unlink()
    Store(tmp_path).close()


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Path]:
    """A folder in which another user may look, and not write."""
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    yield tmp_path
    tmp_path.chmod(0o755)


@heals("let this user write there, or choose another: python -m localcloud --data-dir")
def test_a_data_directory_that_cannot_be_written(remedy: Told, ours: Path) -> None:
    """Another one can, and this one by its owner."""
    with nobody():
        if os.access(ours, os.W_OK, effective_ids=True):
            pytest.skip("the owner of the folder may write there")
        remedy.fails(lambda: serve(cloud_of(ours), 0, 0, ours / "data"))
    open_works(cloud_of(ours), ours / "mine").store.close()


@heals(
    "stop that program, or choose other ports: ./dev cloud start --new-ports, or python -m localcloud --port, --https-port, --blob-port"
)
def test_a_port_that_is_taken(remedy: Told) -> None:
    """Free, or another one."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        remedy.fails(lambda: _listen(port))
        _listen(0).close()
    _listen(port).close()


@heals("choose another port from 1024 to 65535")
def test_a_port_that_only_root_may_have(remedy: Told) -> None:
    """One that everybody may have."""
    with nobody():
        try:
            _listen(1).close()
        except StartError as refused:
            remedy(refused)
        else:
            pytest.skip("every port is for everybody here")
        _listen(0).close()


@heals("start the local cloud again: ./dev cloud start")
@heals("let this user write there")
@heals("delete that folder, then {}")
def test_certificates(remedy: Told, ours: Path) -> None:
    """Named by the file that a start writes, in a folder that can be written, and made anew where they can't be read."""
    cloud = cloud_of(ours)
    remedy.fails(lambda: _open_tls(replace(cloud, ca_file=None)))
    with nobody():
        remedy.fails(lambda: _open_tls(cloud))
    _open_tls(cloud)
    assert cloud.ca_file
    folder = cloud.ca_file.parent
    for file in folder.iterdir():
        file.write_text("no certificate")
    remedy.fails(lambda: _open_tls(cloud))
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    _open_tls(cloud)


@heals("delete what is in the way, then {}")
def test_a_token_that_cannot_be_written(remedy: Told, tmp_path: Path) -> None:
    """What is in its way is deleted."""
    works = open_works(cloud_of(tmp_path), tmp_path / "data")
    try:
        way = tmp_path / "federated"
        way.write_text("in the way")
        remedy.fails(lambda: _write_federated_tokens(works))
        way.unlink()
        _write_federated_tokens(works)
    finally:
        works.store.close()
        works.scoring.shutdown()
