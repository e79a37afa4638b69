"""Listings of a container: what each part of a page means, page after page, and what comes instead of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from clients.errors import CredentialError, NotFound, ServiceError, Unreachable
from clients.storage import Container
from tests.healing import Told
from tests.unit.test_transport import Service, in_their_place, play

ADDRESS = "http://127.0.0.1:9/a"
CONNECTION = f"AccountName=a;AccountKey=a2V5;BlobEndpoint={ADDRESS};"
SIGNED = f"BlobEndpoint={ADDRESS};SharedAccessSignature=sv=2024-01-01&sig=s"
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<EnumerationResults ServiceEndpoint="x" ContainerName="data"><Prefix>p</Prefix><Blobs>{blobs}</Blobs>
<NextMarker>{marker}</NextMarker></EnumerationResults>"""
BLOB = """<Blob><Name{encoded}>{name}</Name><Properties><Last-Modified>Fri, 27 Nov 2026 18:41:46 GMT</Last-Modified>
<Etag>0x1</Etag><Content-Length>7</Content-Length>{md5}</Properties>{more}</Blob>"""


@pytest.fixture(autouse=True)
def in_this_test_only() -> Iterator[None]:
    """What answers in the account's place; nobody waits between two tries."""
    with in_their_place(3):
        yield


def blob(name: str, encoded: str = "", md5: str = "", more: str = "") -> str:
    return BLOB.format(name=name, encoded=encoded, md5=md5, more=more)


def page(*blobs: str, marker: str = "") -> tuple[int, bytes]:
    return 200, PAGE.format(blobs="".join(blobs), marker=marker).encode()


def container(*answers: object, connection: str = CONNECTION) -> Container:
    play(Service(*answers), ADDRESS)
    return Container(connection, "data", "start it")


def test_each_part_of_a_page() -> None:
    """A blob without a Content-MD5, one with metadata, and a name that XML can't have."""
    first, second, third = container(
        page(
            blob("p/a &amp; b"),
            blob(
                "p/c",
                md5="<Content-MD5>Y2hlY2s=</Content-MD5>",
                more="<Metadata><key>v</key><empty/></Metadata>",
            ),
            blob("p%2Fd%01", encoded=' Encoded="true"', md5="<Content-MD5/>"),
        )
    ).list("p/", metadata=True)
    assert (first.name, first.size, first.md5, first.etag) == ("p/a & b", 7, None, '"0x1"')
    assert first.modified == datetime(2026, 11, 27, 18, 41, 46, tzinfo=UTC)
    assert (second.md5, second.metadata) == ("Y2hlY2s=", {"key": "v", "empty": ""})
    assert (third.name, third.md5) == ("p/d\x01", None)


@pytest.mark.parametrize("connection", [CONNECTION, SIGNED])
def test_page_after_page(connection: str) -> None:
    """In their order, whoever signs."""
    listed = container(page(blob("1"), blob("2"), marker="m"), page(blob("3")), connection=connection)
    assert [one.name for one in listed.list()] == ["1", "2", "3"]


def test_a_page_is_asked_for_again() -> None:
    """What fails for a moment ends no listing."""
    listed = container((503, b""), requests.ConnectionError("reset"), page(blob("1")))
    assert [one.name for one in listed.list()] == ["1"]


def failed(status: int, code: str) -> tuple[int, bytes, dict[str, str]]:
    return status, b"", {"x-ms-error-code": code}


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (failed(404, "ContainerNotFound"), NotFound, "there is no container 'data'"),
        (failed(403, "AuthenticationFailed"), CredentialError, "refused the credential for data"),
        (failed(500, "InternalError"), ServiceError, "storage answered 500 InternalError for data"),
        (requests.ConnectionError("reset"), Unreachable, "the storage account of 'data' does not answer"),
    ],
)
def test_what_comes_instead_of_a_listing(answer: object, kind: type[Exception], says: str) -> None:
    """The same words as of any other call."""
    with pytest.raises(kind, match=says):
        container(*[answer] * 3).list()


@pytest.mark.heals("check that the address is the service's own", at="clients/storage/listing.py")
@pytest.mark.parametrize(
    "said", [b"<html>", b"<a><Blobs><Blob/></Blobs></a>", page(blob("1"))[1].replace(b">7<", b">x<")]
)
def test_a_page_that_is_none(remedy: Told, said: bytes) -> None:
    """Another service answers at the address; the account itself is listed."""
    listed = container((200, said), page(blob("1")))
    remedy.fails(listed.list)
    assert [one.name for one in listed.list()] == ["1"]
