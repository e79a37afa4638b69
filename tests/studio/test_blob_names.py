"""A blob is the same one on every way to it, whatever characters its name has."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from clients.http.transport import fetch
from clients.storage import Container
from clients.studio_data_plane.references import written
from localcloud.blobs.locations import Location, locate_blob
from localcloud.facilities.cloud import Cloud
from tests.studio.running import ACCOUNT, Running

NAMES = [
    "a folder/größe.csv",
    "a%20b.csv",
    "a%2Bb.csv",
    "a+b.csv",
    "a#b.csv",
    "a?b=c&d.csv",
    "100%.csv",
    "%25/%2F.csv",
    "a;b,c:d@e$f!g*h'i(j).csv",
    "~a.csv",
    "日本語/ü ö.csv",
    'a"b<c>d|e^f`g{h}.csv',
]


@pytest.fixture(scope="module")
def container(studio: Running) -> Iterator[Container]:
    """Each blob holds its name."""
    name = f"names{threading.get_native_id()}"
    with studio.blobs() as service:
        client = service.get_container_client(name)
        client.create_container()
        for blob in NAMES:
            client.upload_blob(blob, blob.encode())
        yield Container(studio.connection_string, name, "start the cloud")


@pytest.fixture(scope="module")
def here(studio: Running) -> Cloud:
    """The local cloud's own view of its account."""
    return Cloud(
        blob=studio.blob,
        azurite=studio.blob,
        account=ACCOUNT,
        account_key=studio.azurite.key,
        arm_token="",
        subscription="",
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_quoted_once_on_every_way(container, here, name):
    """Listing, reading in each form, a signed address, and what the local cloud makes of a job's references."""
    wanted = name.encode()
    [listed] = [blob for blob in container.list() if blob.name == name]
    looked = container.stat(name)
    assert looked == listed
    assert container.read(name)[0] == wanted
    assert b"".join(container.chunks(name, listed.etag)) == wanted
    assert container.read_start(name, 4) == wanted[:4]
    signed = container.readable(name)
    assert fetch("it", signed.opened, "look") == wanted
    for reference in (signed, container.writable(name)):
        place = locate_blob(written(reference), here, "input1")
        assert place.name == name.rpartition("/")[2]
        with place.client() as client:
            assert client.download_blob().readall() == wanted
        assert fetch("it", place.read_url(), "look") == wanted
        again = Location(place.base, place.path, sas=place.read_sas())  # as a job's result is given out
        assert fetch("it", f"{again.base}{again.path}{again.sas}", "look") == wanted
        assert again.name == place.name


def test_blobs_with_like_names_are_not_taken_for_each_other(container, here):
    """`a b`, `a%20b` and `a+b`: three blobs."""
    read = {name: fetch("it", container.readable(name).opened, "look") for name in NAMES}
    assert read == {name: name.encode() for name in NAMES}
