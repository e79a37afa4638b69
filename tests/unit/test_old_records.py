"""The registry that 91e2b28 left is read whole, and what goes back into it is written as that release wrote it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from retrain_hooks.gate.verdicts import Verdicts
from retrain_hooks.registry.history import History
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.markers import Markers
from tests.unit.fakes import MemoryContainer

OLD = json.loads((Path(__file__).parents[1] / "e2e/states_91e2b28/registry.json").read_bytes())
KINDS = Counter(name.partition("/")[0] for name in OLD)


@pytest.fixture
def registry() -> MemoryContainer:
    registry = MemoryContainer()
    for name, content in OLD.items():
        if isinstance(content, str) and not name.startswith("models/"):
            registry.put(name, content.encode())
    return registry


def rewritten(registry: MemoryContainer, records: Any) -> list[bytes]:
    """All records of a store, each written over itself; the blobs before and after must be the same bytes."""
    before = dict(registry.blobs)
    for found in records.all():
        records.write(found.name, found.value, found.etag)
    changed = [name for name, (content, _etag) in registry.blobs.items() if before[name][0] != content]
    assert changed == []
    return [name for name in registry.blobs if before[name] != registry.blobs[name]]


@pytest.mark.parametrize(("folder", "store"), [("runs", Ledger), ("bound", Markers), ("verdicts", Verdicts)])
def test_old_records_are_read_and_written_back_byte_for_byte(registry, folder, store):
    """Run, marker and verdict: the release that wrote them reads ours."""
    assert len(rewritten(registry, store(registry)._records)) == KINDS[folder] > 0


def test_old_durations_are_read(registry):
    """A list without a version."""
    known = json.loads(OLD["history/flights.json"])
    assert History(registry, "flights").expected() == median(known)
