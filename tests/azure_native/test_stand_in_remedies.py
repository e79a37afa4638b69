"""What the stand-in advises, done over the wire."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from localcloud.azure_native import shape
from localcloud.azure_native.arm import ArmClient
from localcloud.azure_native.catalog import resource_type
from localcloud.azure_native.cloud import read_cloud
from localcloud.azure_native.errors import ArmFailure
from localcloud.azure_native.server import Server
from localcloud.azure_native.wire import UNKNOWN
from tests.azure_native.conftest import Engine, LocalCloud, write_cloud_file
from tests.healing import Told
from tests.waiting import own_port

GROUP, ACCOUNT, WORKSPACE = "resources:ResourceGroup", "storage:StorageAccount", "machinelearning:Workspace"
IN_ANOTHER = {"resourceGroupName": "rg", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
heals = pytest.mark.heals
Urn = Callable[..., str]


def details(act: Callable[[], object]) -> str:
    """What the engine is told."""
    with pytest.raises(Exception) as failed:
        act()
    return str(failed.value.details())  # type: ignore[attr-defined]


@heals('choose another {}, or adopt it: ResourceOptions(import_="{}")')
def test_what_is_there_already(remedy: Told, engine: Engine, urn: Urn) -> None:
    """Another name, or as it is."""
    id_, _inputs, _outputs = engine.make(urn(GROUP, "one"), resourceGroupName="rg")
    remedy(details(lambda: engine.make(urn(GROUP, "two"), resourceGroupName="rg")))
    assert engine.make(urn(GROUP, "two"), resourceGroupName="rg2")
    assert engine.read(urn(GROUP, "two"), id_)[0] == id_


@heals("an id looks like {}", at="localcloud/azure_native/provider.py")
@heals("an id looks like {}", at="localcloud/azure_native/shape.py")
def test_an_id_that_is_none(remedy: Told, engine: Engine, urn: Urn) -> None:
    """One as it looks like."""
    id_, _inputs, _outputs = engine.make(urn(GROUP), resourceGroupName="rg")
    remedy(details(lambda: engine.read(urn(GROUP), "rg")))
    kind = resource_type("azure-native:resources:ResourceGroup")
    remedy.fails(lambda: shape.inputs_of(kind, "rg", {}))
    assert shape.inputs_of(kind, id_, {})["resourceGroupName"] == "rg"
    assert engine.read(urn(GROUP), id_)[0] == id_


@heals("set {} in the program")
@heals("run again; if it stays, look at what it comes from")
def test_an_input_that_is_missing_or_unknown(remedy: Told, engine: Engine, urn: Urn) -> None:
    """Set, and known."""
    engine.make(urn(GROUP), resourceGroupName="rg")
    remedy(details(lambda: engine.create(urn(ACCOUNT), {"accountName": "a"})))
    known = {"accountName": "abc", "location": "westeurope", **IN_ANOTHER}
    remedy(details(lambda: engine.create(urn(ACCOUNT), {**known, "tags": {"a": UNKNOWN}})))
    assert engine.create(urn(ACCOUNT), known)[0]


@heals("it has {}; leave others out of a local stack")
def test_a_type_that_is_not_there(remedy: Told) -> None:
    """One of those that it names."""
    error = remedy.fails(lambda: resource_type("azure-native:network:VirtualNetwork"))
    assert resource_type(error.remedy.removeprefix("it has ").split(", ")[0].partition(";")[0])


@heals(
    "stop that program, or let the local cloud choose another port: ./dev cloud stop, then ./dev cloud start"
)
def test_a_port_that_is_taken(remedy: Told, cloud: LocalCloud) -> None:
    """Free, or another one."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        remedy.fails(lambda: Server(cloud.cloud_file, port))
        Server(cloud.cloud_file).stop()
    Server(cloud.cloud_file, port).stop()


@heals("./dev cloud start")
@heals("the local cloud was started with another token: ./dev cloud stop, then ./dev cloud start")
def test_a_cloud_that_is_not_there(remedy: Told, cloud: LocalCloud, tmp_path: Any) -> None:
    """The file that a start writes says where it is, with its token."""
    arm, place = ArmClient(), "/subscriptions/x/resourceGroups"
    gone = read_cloud(write_cloud_file(tmp_path / "gone.json", f"http://127.0.0.1:{own_port()}"))
    other = read_cloud(write_cloud_file(tmp_path / "other.json", cloud.studio, "another"))
    ours = read_cloud(cloud.cloud_file)
    place = f"/subscriptions/{ours.subscription}/resourceGroups"
    try:
        for wrong in (gone, other):
            remedy.fails(lambda wrong=wrong: arm.call(wrong, "GET", place, "2024-03-01"))
        assert arm.call(ours, "GET", place, "2024-03-01") == {"value": []}
    finally:
        arm.close()


@heals("./dev refresh brings the state in line with the local cloud, then ./dev up")
@heals("choose another accountName, or leave it out to have one made up")
@heals("correct the named property in the program or its configuration, and run again")
def test_what_resource_manager_refuses(remedy: Told, engine: Engine, urn: Urn, cloud: LocalCloud) -> None:
    """A group that is gone is made again; a name that is another's, and a value that is none, are others."""
    group, _inputs, _outputs = engine.make(urn(GROUP), resourceGroupName="rg")
    engine.make(urn(GROUP, "other"), resourceGroupName="rg2")
    engine.make(urn(ACCOUNT), accountName="taken", **IN_ANOTHER)
    cloud.arm("DELETE", "/resourceGroups/rg2")
    there = {**IN_ANOTHER, "resourceGroupName": "rg2"}
    remedy(details(lambda: engine.make(urn(ACCOUNT, "two"), accountName="mine", **there)))
    assert engine.read(urn(GROUP, "other"), group.replace("/rg", "/rg2"))[0] == ""  # what a refresh sees
    engine.make(urn(GROUP, "other"), resourceGroupName="rg2")
    remedy(details(lambda: engine.make(urn(ACCOUNT, "two"), accountName="taken", **there)))
    remedy(details(lambda: engine.make(urn(ACCOUNT, "two"), accountName="mine", **{**there, "kind": "Odd"})))
    assert engine.make(urn(ACCOUNT, "two"), accountName="mine", **there)
    assert engine.make(urn(ACCOUNT, "three"), **there)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(429, marks=heals("run the update again in some minutes", at="localcloud/azure_native/errors.py")),
        pytest.param(500, marks=heals("./dev cloud logs shows the local cloud's side of it", at="localcloud/azure_native/errors.py")),
    ],
)  # fmt: skip
def test_what_is_chosen_by_status(remedy: Told, engine: Engine, urn: Urn, status: int) -> None:
    """Neither is a property's fault: the same call is made again."""
    remedy(ArmFailure(status, "Odd", "no"))
    assert engine.make(urn(GROUP), resourceGroupName="rg")


@heals("./dev cloud logs shows the local cloud's side of it", at="localcloud/azure_native/arm.py")
@heals("./dev cloud logs has the details")
def test_what_the_logs_tell(
    remedy: Told, engine: Engine, urn: Urn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer that was cut off, and a fault of our own, which is in the log: the next call is made."""
    real = httpx.Client.request

    def cut(*_arguments: object, **_options: object) -> httpx.Response:
        raise httpx.RemoteProtocolError("cut off")

    monkeypatch.setattr(httpx.Client, "request", cut)
    remedy(details(lambda: engine.make(urn(GROUP), resourceGroupName="rg")))
    monkeypatch.setattr(httpx.Client, "request", lambda *_arguments, **_options: None)
    remedy(details(lambda: engine.make(urn(GROUP), resourceGroupName="rg")))
    assert "unexpected error in Create" in caplog.text
    monkeypatch.setattr(httpx.Client, "request", real)
    assert engine.make(urn(GROUP), resourceGroupName="rg")
