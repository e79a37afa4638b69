"""Data versions of several blobs, as all read them who do."""

from __future__ import annotations

import pytest

from retrain_hooks.data.inputs import DataReference
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.gate.measuring.holdout import Holdout
from retrain_hooks.gate.measuring.labels import Label
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.serving.probe import read_rows
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard


@pytest.mark.parametrize(
    ("names", "day"), [(["f/v1/_rows.csv", "f/v1/part-0.csv"], "2"), (["f/v1/_rows.csv"], "1")]
)
def test_a_set_is_read_without_its_markers_or_with_them_where_it_has_nothing_else(monkeypatch, names, day):
    """By all that read it: what joins it for a job, the holdout, and the probe."""
    container, context = MemoryContainer("data"), Context(Listener(), OpenGuard())
    monkeypatch.setattr(context, "data", lambda _target, _name=None: container)
    monkeypatch.setattr(context, "registry", lambda _target: MemoryContainer())
    container.put("f/v1/_rows.csv", b"late,day\r\n1,1\r\n")
    container.put("f/v1/part-0.csv", b"late,day\r\n1,2\r\n")
    assert [row["day"] for row in read_rows(container, names, 5)] == [day]
    etags = {name: container.stat(name).etag for name in names}
    assert [row["day"] for row in Holdout.read(container, etags, Label.parse("late == 1")).rows] == [day]
    reference = DataReference("data", "v1", "digest", tuple(names))
    joined = TrainingData(context, "local", reference)._joined()
    assert joined == b"late,day\r\n1,%s\r\n" % day.encode()
