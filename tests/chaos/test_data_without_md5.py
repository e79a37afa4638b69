"""Blobs without Content-MD5, in a real blob store: their bytes are hashed once, by an update."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos import program
from tests.chaos.play import Player
from tests.chaos.record import writes

pytestmark = pytest.mark.cloud

BLOB = "flights/v1.csv"


@pytest.fixture
def player(world):
    found = Player(world, "unhashed")
    found.open()
    world.upload(found.data, BLOB, program.table("v1"), md5=False)
    yield found
    found.close()


def reads(player: Player) -> list[Any]:
    """The provider's and the job's reads of the blob since the journal was emptied."""
    path = f"/{player.data}/{BLOB}"
    return [entry for entry in player.world.journal() if entry["method"] == "GET" and path in entry["path"]]


def test_a_blob_without_content_md5_is_hashed_by_one_update_and_by_no_later_one(player):
    """Its hash is kept in the registry by address and ETag; a preview hashes it too, and writes nothing."""
    stack = player.stacks["a"]
    resources = program.resources(stack.config, stack.workspace)
    assert player.run(stack, lambda run: run.up(resources, preview=True))
    assert reads(player)
    assert not writes(player.world.journal())

    assert player.update(stack), player.record.errors
    assert player.world.names(player.registry, "hashes/")
    player.world.clear_journal()
    assert player.update(stack), player.record.errors
    assert not reads(player)
