"""What the bytes of blobs are, in a real blob store, whatever Content-MD5 they have or lack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos import program
from tests.chaos.engine import Changes
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
    resources = stack.program()
    assert player.run(stack, lambda run: run.up(resources, preview=True))
    assert reads(player)
    assert not writes(player.world.journal())

    assert player.update(stack), player.record.errors
    assert player.world.names(player.registry, "hashes/")
    player.world.clear_journal()
    assert player.update(stack), player.record.errors
    assert not reads(player)


def test_the_same_bytes_uploaded_without_content_md5_are_the_same_data(player):
    """As a block list is: nothing is trained, and nothing changes."""
    stack = player.stacks["a"]
    player.world.upload(player.data, BLOB, program.table("v1"))
    assert player.update(stack), player.record.errors
    player.world.upload(player.data, BLOB, program.table("v1"), md5=False)
    assert foreseen(player) == {}


def test_other_bytes_under_a_kept_content_md5_are_refused_by_the_preview(player):
    """Whoever stores a blob may keep the property: the bytes are read, nothing is trained, and what was bound serves."""
    stack, table = player.stacks["a"], program.table("v1")
    player.world.upload(player.data, BLOB, table)
    assert player.update(stack), player.record.errors
    before = player.bound(stack)
    other = table.replace(b",UA,", b",AA,")
    player.world.upload(player.data, BLOB, other, md5_of=table)
    resources = stack.program()
    assert not player.run(stack, lambda run: run.up(resources, preview=True))
    assert "the Content-MD5 of" in player.record.errors[-1]
    assert not player.update(stack)
    assert player.bound(stack) == before
    player.world.upload(player.data, BLOB, other)
    assert {"candidate-data", "candidate"} <= foreseen(player).keys()
    assert player.update(stack), player.record.errors
    assert f"/{program.expected_key('v1', other, player.trees, '')}/1.ilearner" in player.bound(stack)


def foreseen(player: Player) -> dict[str, str]:
    """What a preview says that an update would do."""
    stack = player.stacks["a"]
    resources = stack.program()
    found: list[Changes] = []
    assert player.run(stack, lambda run: found.append(run.up(resources, preview=True))), player.record.errors
    return found[0].operations
