"""What the blob store confirmed survives `kill -9` of any process, its own included."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobServiceClient, ContentSettings

from localcloud.blobs.kept_writes import KeptWrite, KeptWrites
from tests.studio.running import Running, start_azurite

MD5 = hashlib.md5(b"one", usedforsecurity=False).digest()


@dataclass
class Store:
    """An Azurite of this test alone behind a local cloud of its own."""

    directory: Path
    key: bytes
    process: Popen[bytes]
    studio: Running

    def kill(self) -> None:
        """End Azurite at once, and start it again on what it kept."""
        self.process.kill()
        self.process.wait()
        self.process, _ = start_azurite(self.directory, self.key, self.studio.azurite.port)

    @property
    def kept(self) -> KeptWrites:
        """What the proxy keeps."""
        return KeptWrites(self.studio.directory / "data" / "blob-writes")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An Azurite and a local cloud, started."""
    key, directory = os.urandom(64), tmp_path / "azurite"
    process, azurite = start_azurite(directory, key)
    (tmp_path / "studio").mkdir()
    found = Store(directory, key, process, Running(tmp_path / "studio", azurite))
    found.studio.start()
    yield found
    found.studio.close()
    found.process.kill()
    found.process.wait()


def write(service: BlobServiceClient) -> None:
    """A bit of everything that this project does to blobs."""
    data = service.create_container("data", metadata={"a": "b"})
    settings = ContentSettings(content_type="text/csv", content_md5=bytearray(MD5))
    data.upload_blob("plain %20 +ä#?.csv", b"one", content_settings=settings, metadata={"Rows": "1"})
    record = data.get_blob_client("folder/record.json")
    first = record.upload_blob(b"planned")
    record.upload_blob(b"finished", overwrite=True, etag=first["etag"], match_condition=_unmodified())
    record.set_blob_metadata({"state": "finished"})
    blocks = data.get_blob_client("blocks")
    for block in ("AAAA", "BBBB"):
        blocks.stage_block(block, block.encode() * 300_000)
    blocks.commit_block_list([BlobBlock("AAAA"), BlobBlock("BBBB")])
    log = data.get_blob_client("log")
    log.create_append_blob()
    log.append_block(b"line 1\n")
    log.append_block(b"line 2\n")
    data.upload_blob("empty", b"")
    data.upload_blob("gone", b"gone")
    data.delete_blob("gone")
    again = service.create_container("again")
    again.upload_blob("of the first", b"1")
    service.delete_container("again")


def check(service: BlobServiceClient) -> None:
    """All of it is there, as it was confirmed."""
    data = service.get_container_client("data")
    assert data.get_container_properties().metadata == {"a": "b"}
    assert sorted(blob.name for blob in data.list_blobs()) == [
        "blocks", "empty", "folder/record.json", "log", "plain %20 +ä#?.csv",
    ]  # fmt: skip
    plain = data.get_blob_client("plain %20 +ä#?.csv").get_blob_properties()
    assert (plain.content_settings.content_type, plain.metadata) == ("text/csv", {"Rows": "1"})
    assert bytes(plain.content_settings.content_md5 or b"") == MD5
    assert data.download_blob("folder/record.json").readall() == b"finished"
    assert data.get_blob_client("folder/record.json").get_blob_properties().metadata == {"state": "finished"}
    assert data.download_blob("blocks").readall() == b"AAAA" * 300_000 + b"BBBB" * 300_000
    assert data.download_blob("log").readall() == b"line 1\nline 2\n"
    assert data.download_blob("empty").readall() == b""
    assert not service.get_container_client("again").exists()


def test_what_was_confirmed_survives_the_end_of_any_process(store: Store) -> None:
    """Azurite killed right after the writes, then killed again with the local cloud: all is there, conditions hold."""
    with store.studio.blobs() as service:
        write(service)
        check(service)
        store.kill()
        check(service)
        record = service.get_blob_client("data", "folder/record.json")
        etag = record.get_blob_properties().etag
        record.upload_blob(b"next", overwrite=True, etag=etag, match_condition=_unmodified())
        with pytest.raises(ResourceModifiedError):
            record.upload_blob(b"other", overwrite=True, etag=etag, match_condition=_unmodified())
        record.upload_blob(b"finished", overwrite=True, metadata={"state": "finished"})
    store.studio.stop(signal.SIGKILL)
    store.kill()
    store.studio.start()
    with store.studio.blobs() as service:
        check(service)


def test_what_is_there_is_left_alone(store: Store) -> None:
    """The local cloud killed alone, and started again: nothing that was done since, past its door, is undone."""
    with store.studio.blobs() as service:
        service.create_container("data").upload_blob("one", b"1")
        service.get_container_client("data").upload_blob("two", b"2")
    store.studio.stop(signal.SIGKILL)
    direct = store.studio.connection_string.replace(
        str(store.studio.blob_port), str(store.studio.azurite.port)
    )
    with BlobServiceClient.from_connection_string(direct) as service:
        service.get_container_client("data").delete_blob("one")
        service.get_container_client("data").upload_blob("two", b"another", overwrite=True)
    store.studio.start()
    with store.studio.blobs() as service:
        assert service.get_blob_client("data", "two").download_blob().readall() == b"another"
        with pytest.raises(ResourceNotFoundError):
            service.get_blob_client("data", "one").get_blob_properties()


def test_what_is_kept_is_forgotten_in_time(store: Store) -> None:
    """Reads and refused writes are not kept; what the blob store has had for long is forgotten, with its body."""
    with store.studio.blobs() as service:
        container = service.create_container("data")
        container.upload_blob("one", b"1")
        container.get_blob_client("one").download_blob().readall()
        with pytest.raises(ResourceNotFoundError):
            container.delete_blob("none")
    kept = store.kept
    assert [(one.method, one.resource.rpartition("/")[2]) for one in kept.all()] == [
        ("PUT", "data"),
        ("PUT", "one"),
    ]
    late = kept.all()[1]
    for suffix in (".json", ".body"):
        file = kept.body(late).with_suffix(suffix)
        os.utime(file, (late.at - 100, late.at - 100))
    kept.forget_before(late.at - 50)
    assert [one.number for one in kept.all()] == [kept.all()[0].number]
    assert sorted(file.suffix for file in kept.directory.glob("0*")) == [".body", ".json"]


def test_records_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    """Half a record, one without its body, a body without its record: each is nobody's write."""
    (tmp_path / "000000000001.json").write_text("{half")
    (tmp_path / "000000000002.body").write_bytes(b"nobody's")
    writes = KeptWrites(tmp_path)
    writes.keep(KeptWrite(3, "PUT", "/a/c/b", (), "", 1.0))
    assert writes.all() == []
    assert not (tmp_path / "000000000002.body").exists()


def _unmodified() -> object:
    from azure.core import MatchConditions

    return MatchConditions.IfNotModified
