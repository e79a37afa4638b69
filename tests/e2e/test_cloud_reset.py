"""What a stack has in the cloud is gone between two updates: it is made again, and the update after that does nothing."""

from __future__ import annotations

import pytest
import requests

from tests.e2e.checkout import jobs
from tests.e2e.registry import blobs

pytestmark = [pytest.mark.cloud, pytest.mark.own_cloud]


def test_a_reset_is_healed_by_the_next_update(checkout):
    """Nothing is believed that only the state says: the model is trained once more, under another address, and served."""
    checkout.up()
    before = checkout.succeed("output", "--json").json
    checkout.succeed("cloud", "reset", "--yes")
    told = checkout.up().text
    assert "the local cloud was reset since the last update" in told
    assert "seen on 50 probed rows" in told
    after = checkout.succeed("output", "--json").json
    assert after["modelAddress"] == before["modelAddress"].replace("/1.ilearner", "/2.ilearner")
    assert after["endpointUrl"] != before["endpointUrl"]
    assert after["metrics"] == before["metrics"]
    assert jobs(checkout.journal()) == 1
    assert "was reset" not in checkout.up("--expect-no-changes").text
    checkout.succeed("cloud", "reset", "--yes")
    checkout.succeed("destroy", "--yes", "--engine", "embedded")
    assert "endpointUrl" not in checkout.succeed("output", "--json").json


def test_a_resource_group_that_somebody_deleted_is_healed_as_the_message_says(checkout):
    """Only a refresh tells a state that a workspace is gone; what was trained is there still."""
    checkout.up()
    trained = blobs(checkout, "models/")
    cloud = checkout.cloud
    groups = f"{cloud['studio']}/subscriptions/{cloud['subscription']}/resourceGroups"
    requests.delete(
        f"{groups}/rg-retraining-dev-workspace",
        params={"api-version": "2021-04-01"},
        headers={"Authorization": f"Bearer {cloud['armToken']}"},
        timeout=60,
    ).raise_for_status()
    red = checkout.dev("up", "--yes", "--engine", "embedded")
    assert red.status == 1
    assert "./dev refresh, then ./dev up" in red.text
    checkout.succeed("refresh", "--yes", "--engine", "embedded")
    assert "seen on 50 probed rows" in checkout.up().text
    assert blobs(checkout, "models/") == trained
    checkout.up("--expect-no-changes")
