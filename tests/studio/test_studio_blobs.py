"""The blob proxy: what passes it is what Azurite would have got, and each operation is journalled."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, ContainerClient, generate_blob_sas

from tests.studio.running import ACCOUNT, Running
from tests.waiting import eventually, own_port


@pytest.fixture
def container(studio: Running, request: pytest.FixtureRequest) -> Iterator[ContainerClient]:
    with studio.blobs() as service:
        client = service.get_container_client(f"c{abs(hash(request.node.nodeid)) % 10**12}")
        client.create_container()
        yield client


def test_a_large_blob_passes_in_blocks_and_comes_back_in_ranges(container: ContainerClient) -> None:
    """Twenty megabytes, staged in blocks, read whole and in part."""
    content = bytes(range(256)) * 80_000
    with container.get_blob_client("a folder/größe #1.bin") as blob:
        blob.upload_blob(content, max_concurrency=2)
        assert blob.download_blob(max_concurrency=2).readall() == content
        assert blob.download_blob(offset=1_000_003, length=77).readall() == content[1_000_003:1_000_080]
        assert blob.get_blob_properties().size == len(content)


def test_conditions_are_answered_by_azurite(container: ContainerClient) -> None:
    """If-Match and If-None-Match: 412, 409 and 304 come through, with their codes."""
    with container.get_blob_client("record.json") as blob:
        etag = blob.upload_blob(b"1", overwrite=False)["etag"]
        with pytest.raises(ResourceExistsError):
            blob.upload_blob(b"2", overwrite=False)
        blob.upload_blob(b"2", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
        with pytest.raises(ResourceModifiedError) as refused:
            blob.upload_blob(b"3", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
        assert refused.value.status_code == 412
        now = blob.get_blob_properties().etag
        key = {"account_name": ACCOUNT, "account_key": container.credential.account_key}
        assert key
    url = signed(container, "record.json")
    answer = httpx.get(url, headers={"If-None-Match": now})
    assert (answer.status_code, answer.content) == (304, b"")


def signed(container: ContainerClient, name: str, **permissions: bool) -> str:
    token = generate_blob_sas(
        ACCOUNT,
        container.container_name,
        name,
        account_key=container.credential.account_key,
        permission=BlobSasPermissions(**(permissions or {"read": True})),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return f"{container.url}/{name}?{token}"


def test_a_sas_works_and_a_tampered_one_does_not(container: ContainerClient) -> None:
    """Signatures are checked by Azurite against the path and query as the client sent them."""
    container.upload_blob("x.txt", b"text")
    url = signed(container, "x.txt")
    assert httpx.get(url).content == b"text"
    assert httpx.get(url.replace("x.txt", "y.txt")).status_code in (403, 404)
    assert httpx.get(url.replace("sp=r", "sp=rw")).status_code == 403
    assert httpx.head(url).headers["content-length"] == "4"


def test_metadata_keeps_the_case_of_its_names(container: ContainerClient) -> None:
    """Header names pass as they were written."""
    with container.upload_blob("m.txt", b"", metadata={"RunKey": "A", "dataDigest": "b"}) as blob:
        assert blob.get_blob_properties().metadata == {"RunKey": "A", "dataDigest": "b"}


def test_a_chunked_upload_passes(container: ContainerClient) -> None:
    """A body without Content-Length keeps its framing."""
    url = signed(container, "chunks.txt", write=True, create=True)
    answer = httpx.put(url, content=iter([b"one ", b"two"]), headers={"x-ms-blob-type": "BlockBlob"})
    # Azurite decides; what counts is that it got the request whole.
    assert answer.status_code in (201, 400, 411)
    assert answer.headers["server"].startswith("Azurite")


def test_missing_blobs_are_missing(container: ContainerClient) -> None:
    """404 with the service's own error code, for GET and HEAD."""
    with container.get_blob_client("none") as blob, pytest.raises(ResourceNotFoundError) as missing:
        blob.download_blob()
    assert missing.value.error_code == "BlobNotFound"
    with container.get_blob_client("none") as blob:
        assert not blob.exists()


def test_listing_passes_with_prefix_and_pages(container: ContainerClient) -> None:
    """Queries pass as they are."""
    for n in range(5):
        container.upload_blob(f"flights/2013-0{n}.csv", b"")
    container.upload_blob("other.csv", b"")
    pages = [list(page) for page in container.list_blobs("flights/", results_per_page=2).by_page()]
    assert [len(page) for page in pages] == [2, 2, 1]


def test_blob_operations_are_journalled_without_signatures(
    studio: Running, container: ContainerClient
) -> None:
    """PUT is a write, GET and HEAD are reads; sig is replaced, the rest of the query kept."""
    container.upload_blob("j.txt", b"text")
    assert httpx.get(signed(container, "j.txt")).status_code == 200
    mine = [one for one in studio.journal(service="blob") if f"/{container.container_name}" in one["path"]]
    assert [(one["method"], one["effect"], one["status"]) for one in mine] == [
        ("PUT", "write", 201),
        ("PUT", "write", 201),
        ("GET", "read", 200),
    ]
    assert mine[2]["path"].startswith(f"/{ACCOUNT}/{container.container_name}/j.txt?")
    assert "sig=***" in mine[2]["path"]
    assert [one["at"] for one in mine] == sorted(one["at"] for one in mine)


def test_several_requests_on_one_connection_each_get_their_answer(studio: Running) -> None:
    """Pipelined requests are answered in order."""
    with socket.create_connection(("127.0.0.1", studio.blob_port)) as connection:
        one = f"GET /{ACCOUNT}/none/%d HTTP/1.1\r\nHost: 127.0.0.1:{studio.blob_port}\r\n\r\n"
        last = one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
        connection.sendall(((one % 1) + (last % 2)).encode())
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.count(b"HTTP/1.1 4") == 2


def test_a_client_that_goes_away_leaves_nothing_behind(studio: Running) -> None:
    """Half an upload ends with its connection; the proxy goes on."""
    with socket.create_connection(("127.0.0.1", studio.blob_port)) as connection:
        head = f"PUT /{ACCOUNT}/c/b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\nhalf"
        connection.sendall(head.encode())
    with studio.blobs() as service:
        assert isinstance(service, BlobServiceClient)
        assert service.get_account_information()


def test_without_azurite_the_proxy_answers_502(own_studio: Running) -> None:
    """The studio starts without Azurite, says what is missing, and journals the attempt."""
    own_studio.azurite.port, kept = own_port(), own_studio.azurite.port
    try:
        own_studio.start()
    finally:
        own_studio.azurite.port = kept
    answer = own_studio.http.get(f"{own_studio.blob}/data/x")
    assert answer.status_code == 502
    assert "Azurite does not answer" in answer.text
    assert own_studio.http.head(f"{own_studio.blob}/data/x").status_code == 502
    attempts = eventually(lambda: own_studio.journal(service="blob"), "the journal")
    assert [(one["method"], one["status"]) for one in attempts] == [("GET", 502), ("HEAD", 502)]
