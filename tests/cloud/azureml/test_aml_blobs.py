"""Blobs by the names that Azure's own clients make of an account: HTTPS, at `<account>.blob.localhost`."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from tests.studio.running import ACCOUNT, start_azurite
from tests.studio.shared import Shared


@pytest.fixture
def _localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that knows RFC 6761; not every one does."""
    resolve = socket.getaddrinfo

    def resolved(host: Any, *more: Any, **named: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


@pytest.mark.usefixtures("_localhost")
def test_the_https_port_serves_blobs_by_the_accounts_own_name(cloud: Shared) -> None:
    """With the account's key, whole and in parts, beside the APIs on the same port; they are the same blobs."""
    address = f"https://{ACCOUNT}.blob.localhost:{cloud.https_port}"
    content = b"x" * 9_000_000
    credential = {"account_name": ACCOUNT, "account_key": cloud.azurite.key}
    with BlobServiceClient(address, credential=credential, connection_verify=str(cloud.ca)) as service:
        service.create_container("by-name")
        service.get_blob_client("by-name", "a/b").upload_blob(content, max_concurrency=2)
        assert service.get_blob_client("by-name", "a/b").download_blob().readall() == content
    assert cloud.download("by-name", "a/b") == content
    entries = [one["path"] for one in cloud.journal("write", "blob")]
    assert any(path.startswith(f"/{ACCOUNT}/by-name?restype=container") for path in entries)


@pytest.mark.usefixtures("_localhost")
def test_a_write_by_that_name_comes_back_after_azurite_was_killed(tmp_path: Path) -> None:
    """As one by the address does: Azurite forgets what it confirmed a moment before, the local cloud does not."""
    directory, key = tmp_path / "azurite", os.urandom(64)
    process, azurite = start_azurite(directory, key)
    cloud = Shared(tmp_path / "cloud", azurite)
    cloud.directory.mkdir()
    try:
        cloud.start()
        address = f"https://{ACCOUNT}.blob.localhost:{cloud.https_port}"
        credential = {"account_name": ACCOUNT, "account_key": azurite.key}
        with BlobServiceClient(address, credential=credential, connection_verify=str(cloud.ca)) as service:
            service.create_container("kept")
            service.get_blob_client("kept", "a").upload_blob(b"kept")
        process.kill()
        process.wait()
        process, _ = start_azurite(directory, key, azurite.port)
        assert cloud.download("kept", "a") == b"kept"
    finally:
        process.kill()
        process.wait()
        cloud.close()
