"""A holdout that overlaps the training data is refused: a model is not judged on what it has seen."""

from __future__ import annotations

import random

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.data.contents import Contents
from retrain_hooks.gate.inputs import PASSED
from tests.unit.promotion_world import HOLDOUT, World, address

LABEL = {"label": "arr_delay >= 15"}
HEAD, *ROWS = HOLDOUT.splitlines()
OTHERS = [f"0.{number}7,{number % 30}" for number in range(100, 160)]


@pytest.fixture
def world() -> World:
    world = World()
    world.trained("new", 0.9)
    return world


def props(world: World, blobs: dict[str, bytes], **gate):
    """A promotion whose candidate was trained from *blobs*."""
    found = world.props(**LABEL, **gate)
    for name, content in blobs.items():
        world.data.put(name, content)
    stored = [blob for blob in world.data.list() if blob.name in blobs]
    digest = Contents(world.context, "local", "data").look(stored).digest
    data = {"container": "data", "version": "2013-01", "digest": digest, "blobs": sorted(blobs)}
    return found | {"candidate": found["candidate"] | {"data": data}}


def table(rows, *, head=HEAD, sep=",", end="\n") -> bytes:
    return end.join(line.replace(",", sep) for line in [head, *rows, ""]).encode()


def test_the_training_data_itself_is_refused_by_the_preview(world):
    """By its name; nothing is scored."""
    with pytest.raises(ConfigurationError, match=r"(?s)overlaps the training data: .*allowHoldoutOverlap"):
        world.preview(props(world, {"holdout.csv": HOLDOUT.encode()}))
    assert world.services.scored == []


def test_one_blob_of_a_set_is_refused_by_the_preview(world):
    """Whichever it is."""
    with pytest.raises(ConfigurationError, match=r"training data: holdout\.csv"):
        world.preview(props(world, {"a.csv": table(OTHERS), "holdout.csv": HOLDOUT.encode()}))


def test_the_same_bytes_under_another_name_are_refused_by_the_preview(world):
    """Contents count, not names."""
    with pytest.raises(ConfigurationError, match=r"holdout\.csv, under another name"):
        world.preview(props(world, {"a.csv": table(OTHERS), "copy.csv": HOLDOUT.encode()}))


def test_training_data_that_is_gone_is_told_of_by_the_preview(world):
    """Moved or deleted since: whether it overlaps cannot be said, and the model still may be served."""
    found = props(world, {"a.csv": table(OTHERS), "b.csv": table(OTHERS[1:])})
    del world.data.blobs["b.csv"]
    world.preview(found)
    assert [line for line in world.context.progress.lines if "of what is gone: b.csv" in line]


SHUFFLED = random.Random(1).sample(ROWS, len(ROWS))
SAME_ROWS = {
    "more rows": {"a.csv": table([*OTHERS, *ROWS])},
    "half of them": {"a.csv": table([*OTHERS, *ROWS[::2]])},
    "another order": {"a.csv": table(SHUFFLED)},
    "another part": {"a.csv": table(OTHERS), "b.csv": table(ROWS[:5])},
    "a set with its markers": {
        "s/_committed_7": b"done\n7\n",
        "s/part-0.csv": table(SHUFFLED),
    },
    "tabs": {"a.tsv": table(SHUFFLED, sep="\t", head=HEAD)},
    "line ends": {"a.csv": table(SHUFFLED, end="\r\n")},
    "a byte order mark": {"a.csv": b"\xef\xbb\xbf" + table(SHUFFLED)},
    "other columns": {"a.csv": table([f"x,{row}" for row in ROWS], head=f"more,{HEAD}")},
    "columns in another order": {
        "a.csv": table([",".join(reversed(row.split(","))) for row in ROWS], head="arr_delay,p")
    },
    "other writing of numbers": {"a.csv": table([f"{row}.0" for row in ROWS])},
}


@pytest.mark.parametrize("name", SAME_ROWS)
def test_the_same_rows_are_refused_before_they_are_scored(world, name):
    """However they are written, in whatever order, among others."""
    with pytest.raises(ConfigurationError, match="rows are among it"):
        world.up(props(world, SAME_ROWS[name]))
    assert (world.services.patches, world.verdicts) == ([], [])


def test_other_rows_are_judged_on(world):
    """What the candidate has not seen; data that are gone by now are not compared."""
    wanted = props(world, {"a.csv": table(OTHERS)})
    assert world.up(wanted)["verdict"] == PASSED
    gone = World()
    gone.trained("new", 0.9)
    wanted = props(gone, {"a.csv": table(OTHERS)})
    del gone.data.blobs["a.csv"]
    assert gone.up(wanted)["verdict"] == PASSED


def test_an_overlap_can_be_allowed_and_the_plan_says_so(world):
    """And what was judged so counts as that only: without the permission it is refused again."""
    allowed = props(world, {"holdout.csv": HOLDOUT.encode()}, allowHoldoutOverlap=True)
    world.preview(allowed)
    assert "the holdout overlaps the training data, which is allowed" in world.told.lines[-1]
    assert world.up(allowed)["verdict"] == PASSED
    assert world.live == address("new")
    rows = World()
    rows.trained("new", 0.9)
    allowed = props(rows, SAME_ROWS["tabs"], allowHoldoutOverlap=True)
    assert rows.up(allowed)["verdict"] == PASSED
    rows.bind(address("base"))
    with pytest.raises(ConfigurationError, match="rows are among it"):
        rows.up(allowed | {"gate": allowed["gate"] | {"allowHoldoutOverlap": False}})
