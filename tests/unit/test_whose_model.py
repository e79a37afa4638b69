"""Whose model an endpoint serves: one of the registry's, or one that merely lies under the same path."""

from __future__ import annotations

import pytest

from clients.errors import ConfigurationError
from clients.storage.account import StorageAccount
from clients.studio_classic.bindings import bindings_of
from retrain_hooks.binding.inputs import ModelBindingInputs
from tests.unit.rollout_world import World

OURS = StorageAccount("team", "a2V5")
PATH = "registry/models/flights/k/1.ilearner"


def location(base, relative=PATH, account=OURS):
    resources = [{"Name": "m", "Location": {"BaseLocation": base, "RelativeLocation": relative}}]
    return bindings_of({"Resources": resources}, account)[0].location


@pytest.mark.parametrize(
    ("base", "ours"),
    [
        ("https://team.blob.core.windows.net/", True),
        ("https://TEAM.blob.core.windows.net", True),
        ("https://team.blob.core.usgovcloudapi.net/", True),
        ("http://127.0.0.1:10000/team/", True),
        ("http://127.0.0.1:10000/team", True),
        ("", True),
        ("https://other.blob.core.windows.net/", False),
        ("https://team2.blob.core.windows.net/", False),
        ("https://other.blob.core.windows.net/team/", False),
        ("http://127.0.0.1:10000/other/", False),
        ("https://myteam.blob.core.windows.net/", False),
    ],
)
def test_a_model_of_a_classic_endpoint_is_ours_where_its_account_is(base, ours):
    """The same path in another storage account is another model, known by its whole address."""
    whole = f"{base.rstrip('/')}/{PATH}"
    assert location(base) == (PATH if ours else whole)
    for signature in ("", "?sv=1&sig=x"):
        assert location(base, PATH + signature) == (PATH + signature if ours else whole)


def test_without_an_account_of_a_name_the_path_is_all_there_is():
    """A connection string that names none leaves nothing to compare."""
    assert location("https://other.blob.core.windows.net/", account=None) == PATH


@pytest.mark.parametrize("name", ["live", "LIVE", " live", "pilot ", "Pilot"])
def test_a_staging_endpoint_is_never_one_that_is_probed(name):
    """Else it would be compared with itself, and answer as itself; services don't tell such names apart."""
    world = World()
    rings = [{"name": each, "endpoints": [each]} for each in ("pilot", "live")]
    with pytest.raises(ConfigurationError, match="is the staging endpoint"):
        ModelBindingInputs.parse(world.props() | {"stagingEndpoint": name, "rings": rings})
    if "live" in name.lower():
        with pytest.raises(ConfigurationError, match="is the staging endpoint"):
            ModelBindingInputs.parse(world.props() | {"stagingEndpoint": name})
