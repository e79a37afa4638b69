"""A fleet on Azure ML v2 through ``./dev``: one endpoint that answers for all, and retraining that is watched."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
import requests

from clients.azureml.services import AzureMlServices
from clients.clock import SystemClock
from clients.credentials import resolve_target
from tests.e2e.checkout import Checkout, writes
from tests.e2e.registry import blobs, container
from tests.e2e.test_fleet import SAMPLE, Fleet

pytestmark = pytest.mark.cloud

SHOPS = ("ann", "bob")


class SharedFleet(Fleet):
    """The stack `fleet`, whose members have a folder each below *folder*."""

    def __init__(self, checkout: Checkout, folder: str) -> None:
        self.folder = folder
        super().__init__(checkout, "azureml", "embedded")

    def declare(self, members: object, **more: str) -> None:
        """Write the stack's file: the latest data of each, watched."""
        super().declare(
            {"path": f"{self.folder}/{{member}}/{{version}}.csv"},
            dataPath=f"{self.folder}/ann/{{version}}.csv",
            dataVersion="latest",
            baselineDataVersion='"1"',
            watchPolicy="auto",
            triggers=json.dumps([{"newData": {"every": "15m", "path": f"{self.folder}/*/*.csv"}}]),
            gateRules='["rows >= 1"]',
            **more,
        )

    def upload(self, name: str, version: int, *, first: int) -> None:
        """Somebody uploads some of a month's flights, each eighth from the *first* on."""
        with container(self.checkout, self.checkout.cloud["dataContainer"]) as data:
            table = data.download_blob("flights/2013-01.csv").readall().decode().splitlines()
            rows = "\n".join([table[0], *table[first::8]])
            data.upload_blob(f"{self.folder}/{name}/{version}.csv", rows)

    def answer(self, member: str | None) -> requests.Response:
        """What the endpoint says of the sample, as any client would ask it."""
        service = self.checkout.succeed("output", "--json", "-s", "fleet").json["service"]
        services = AzureMlServices(resolve_target("local"), service["workspace"]["resource"], SystemClock())
        row = self.status()["ann"]
        sample = next(iter(json.loads(SAMPLE.read_text()).values()))
        asked = {"input_data": {"columns": [*sample], "data": [[*sample.values()]]}}
        return requests.post(
            row["url"],
            json=asked if member is None else {"member": member, **asked},
            headers={"Authorization": f"Bearer {services.key(service['id'], row['endpoint'])}"},
            timeout=30,
        )


@pytest.fixture
def fleet(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedFleet]:
    """A stack of its own, which is destroyed after the test."""
    monkeypatch.chdir(checkout.root)
    found = SharedFleet(checkout, f"shops-{os.urandom(4).hex()}")
    for number, name in enumerate(SHOPS, start=1):
        found.upload(name, 1, first=number)
    yield found
    found.dev("destroy", "--yes")
    for folder in ("fleets/", "bound/", "models/members-"):
        assert blobs(checkout, folder) == set()


def test_members_share_an_endpoint_and_new_data_of_one_is_watched(fleet: SharedFleet) -> None:
    """Each is answered by its own model; a look without news does nothing, and one with news changes one member's answers."""
    fleet.up()
    before = {name: fleet.answer(name) for name in SHOPS}
    assert [one.status_code for one in before.values()] == [200, 200]
    assert before["ann"].text != before["bob"].text
    assert {fleet.answer(name).status_code for name in (None, "nobody")} == {424}
    assert writes(fleet.up()) == []
    watch = ("watch", "--once", "-s", "fleet", "--engine", "embedded")
    assert "unchanged: " in fleet.checkout.succeed(*watch).err
    fleet.upload("bob", 2, first=5)
    fleet.checkout.reset_journal()
    assert "1 retrain (data): bob" in fleet.checkout.succeed(*watch).err
    submitted = [
        line for line in writes(fleet.checkout.journal()) if line.startswith("PUT ") and "/jobs/" in line
    ]
    assert len(submitted) == 1
    after = {name: fleet.answer(name) for name in SHOPS}
    assert after["ann"].text == before["ann"].text
    assert after["bob"].text != before["bob"].text
