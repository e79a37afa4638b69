"""What finding the members of a fleet asks of a storage account that is one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from azure.storage.blob import ContainerClient
from requests import Session

from clients.storage import Container
from retrain_hooks.fleet.members.inputs import MembersInputs
from retrain_hooks.fleet.members.sources import find_members, verify, write_slices
from retrain_hooks.host.lifecycle import Context
from tests.fleet.members import PATTERN, TABLE
from tests.studio.running import ACCOUNT, Azurite
from tests.unit.fakes import Listener, OpenGuard

MANY = 1_000


@pytest.fixture(scope="module")
def connection(azurite: Azurite) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={azurite.key};"
        f"BlobEndpoint=http://127.0.0.1:{azurite.port}/{ACCOUNT}"
    )


@pytest.fixture(scope="module")
def containers(connection: str) -> dict[str, Container]:
    """A data container with a blob for each of a thousand members and one table of all, and a registry."""
    made = {}
    for role in ("data", "registry"):
        client = ContainerClient.from_connection_string(connection, f"{role}-{uuid4().hex}")
        client.create_container()
        client.close()
        made[role] = Container(connection, client.container_name, "")
    with ThreadPoolExecutor(16) as writers:
        list(
            writers.map(
                lambda at: made["data"].write(
                    f"flights/m{at}/2013-01.csv", f"a,b\n{at},1\n".encode(), etag=None
                ),
                range(MANY),
            )
        )
    table = "dest,b\n" + "".join(f"m{at % MANY},{at}\n" for at in range(3 * MANY))
    made["data"].write("all/2013-01.csv", table.encode(), etag=None)
    return made


@pytest.fixture
def context(containers: dict[str, Container]) -> Context:
    found = Context(Listener(), OpenGuard())
    by_name = {container.name: container for container in containers.values()}
    found.data = lambda _target, name=None: by_name[name] if name else containers["data"]  # type: ignore[method-assign,assignment]
    found.registry = lambda _target: containers["registry"]  # type: ignore[method-assign,assignment]
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that were sent."""
    sent: list[str] = []
    send = Session.request

    def request(self, method, url, **more):  # type: ignore[no-untyped-def]
        sent.append(f"{method} {url}")
        return send(self, method, url, **more)

    monkeypatch.setattr(Session, "request", request)
    return sent


def test_a_thousand_members_by_pattern(context: Context, asked: list[str]) -> None:
    """One listing, and a look at what is remembered of their bytes."""
    found = find_members(context, "local", MembersInputs(path=PATTERN), "", "2013-01")
    assert len([one for one in found.members if one.data]) == MANY
    assert 1 <= len(asked) <= 5, asked


def test_a_thousand_members_by_column(
    context: Context, asked: list[str], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unchanged table is looked at, not read; slices are as they were told, whoever asks."""
    monkeypatch.chdir(tmp_path)
    members = MembersInputs(column="dest")
    found = find_members(context, "local", members, TABLE, "2013-01")
    assert [one.rows for one in found.members] == [3] * MANY
    asked.clear()
    assert find_members(context, "local", members, TABLE, "2013-01") == found
    assert len(asked) <= 2, asked
    some = found.members[:3]
    etags = write_slices(context, "local", some)
    assert verify(context, "local", some) == {}
    registry = context.registry("local")
    for one in some:
        assert one.data is not None
        [blob] = one.data.blobs
        content, etag = registry.read(blob)
        assert content.startswith(f"dest,b\n{one.name},".encode())
        assert etags[one.name] == {blob: etag}
    asked.clear()
    assert write_slices(context, "local", some) == etags
    assert not [one for one in asked if one.startswith("PUT")]
