"""What each kind reads before it decides: containers, the ledger and an endpoint in memory."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.registry.ledger import Learnt, Ledger, Run
from retrain_hooks.registry.run_key import digest
from retrain_hooks.triggers import age, drift, feedback, new_data
from retrain_hooks.triggers.trigger import Scene
from tests.triggers.simulated import context
from tests.unit.fakes import MemoryContainer

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
TRAINED_FROM = "flights/2026-10.csv"
SERVICE = {"id": "s", "kind": "classic", "workspace": {"id": "w", "resource": "/w"}}


def table(mean: float, rows: int = 400) -> bytes:
    chance = random.Random(14)
    lines = [f"{chance.gauss(mean, 1):.4f},{at},{at % 2}" for at in range(rows)]
    return "\n".join(["distance,id,late", *lines]).encode()


class Place:
    """A data container, a registry with one finished run, and an endpoint that knows the outcome as well as *told* says."""

    def __init__(self) -> None:
        self.data, self.registry = MemoryContainer("data"), MemoryContainer()
        self.data.put(TRAINED_FROM, table(0))
        self.right = True
        inputs = {
            "experiment": "e" * 64,
            "data": "d" * 64,
            "parameters": {},
            "seed": 0,
            "force": "",
            "format": 2,
        }
        run = Run(digest(inputs), "flights", inputs, state="planned")
        self.run = Run(
            **vars(run)
            | {
                "state": "finished",
                "sha256": "5" * 64,
                "ended_at": (NOON - timedelta(days=31)).isoformat(),
                "data": {"container": "data", "version": "2026-10", "etags": self.etags(TRAINED_FROM)},
                "learnt": Learnt("late", ("0", "1"), {"distance": "number"}),
            }
        )
        Ledger(self.registry).plan(self.run)

    def etags(self, *names: str) -> dict[str, str]:
        return {name: self.data.read(name)[1] for name in names}

    def scene(self, **outputs: Any) -> Scene:
        made = context(self.data)
        made.registry = lambda target: self.registry  # type: ignore[method-assign]
        scoring = SimpleNamespace(score=self.score)
        made.services = lambda target, service: SimpleNamespace(scoring=lambda _id, _endpoint: scoring)  # type: ignore[method-assign]
        told = {"modelAddress": self.run.address, "service": SERVICE, "endpointName": "live"} | outputs
        config = {"dataPath": "flights/{version}.csv", "gateLabel": "late == 1"}
        return Scene(made, "t", config, {}, NOON, lambda: told)

    def score(self, rows: Any) -> list[dict[str, str]]:
        assert "late" not in rows[0]
        late = [int(row["id"]) % 2 if self.right else 1 - int(row["id"]) % 2 for row in rows]
        return [{"Scored Labels": str(one), "Scored Probabilities": str(0.1 + 0.8 * one)} for one in late]


@pytest.fixture
def place() -> Place:
    return Place()


def test_new_data_lists_the_data_path(place: Place) -> None:
    """Blobs elsewhere, and in folders below, are none of it; a path of its own may have more than one placeholder,
    or be a folder with all below it."""
    for name in ("flights/2026-11.csv", "flights/old/2025.csv", "flights/readme.txt", "hotels/a/2026.csv"):
        place.data.put(name, b"x")
    found = new_data.look(new_data.Settings(), place.scene())
    assert set(found.there) == {TRAINED_FROM, "flights/2026-11.csv"}
    assert found.before is None
    own = new_data.look(new_data.Settings(path="hotels/{member}/{version}.csv"), place.scene())
    assert set(own.there) == {"hotels/a/2026.csv"}
    below = new_data.look(new_data.Settings(path="hotels/"), place.scene())
    assert set(below.there) == {"hotels/a/2026.csv"}


def test_the_age_is_that_of_the_model_that_is_served(place: Place) -> None:
    """By its run's record; a model that no record tells of has none."""
    settings = age.Settings.parse({"age": "30d"})
    found = age.decide(settings, age.look(settings, place.scene()), NOON)
    assert "31 days old" in found.reason
    assert found.fire
    assert age.look(settings, place.scene(modelAddress="models/other")).trained_at is None


@pytest.mark.parametrize("limit", [{"psi": 0.2}, {"ks": 0.2}])
def test_drift_is_measured_between_the_training_data_and_the_latest(
    place: Place, limit: dict[str, float]
) -> None:
    """By the columns that the model asks for, not by an id that always grows; equal data can't drift."""
    settings = drift.Settings.parse(limit)
    assert "is what the model was trained from" in drift.look(settings, place.scene()).problem
    place.data.put("flights/2026-11.csv", table(0.02))
    still = drift.look(settings, place.scene())
    assert list(still.shifts) == ["distance"]
    assert not drift.decide(settings, still, NOON).fire
    place.data.put("flights/2026-12.csv", table(2))
    moved = drift.look(settings, place.scene())
    assert drift.decide(settings, moved, NOON).fire
    assert moved.cause == drift.look(settings, place.scene()).cause != still.cause


def test_drift_is_not_told_from_training_data_that_was_changed(place: Place) -> None:
    """What was trained from is known by its ETags."""
    place.data.put(TRAINED_FROM, table(3))
    assert "is not what it was" in drift.look(drift.Settings(psi=0.2), place.scene()).problem


def test_drift_in_what_is_no_table_is_an_error_in_a_line(place: Place) -> None:
    """It names the file, and is said with the trigger."""
    place.data.put("flights/2026-11.csv", b'a,b\n"1,2\n')
    with pytest.raises(ConfigurationError, match=r"2026-11\.csv"):
        drift.look(drift.Settings(psi=0.2), place.scene())


def test_feedback_of_a_regression_is_held_against_its_errors(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a metric of its own task, and by a function of the team's; the column of the numbers is the label."""
    monkeypatch.chdir(tmp_path)
    text = "def bias(actual, scored):\n    return sum(s - a for a, s in zip(actual, scored)) / len(actual)\n"
    (tmp_path / "metrics.py").write_text(text, encoding="utf-8")
    place.data.put("feedback/1.csv", b"id,price\n" + b"".join(b"%d,%d\n" % (at, 2 * at) for at in range(120)))
    monkeypatch.setattr(
        place, "score", lambda rows: [{"Scored Labels": str(2 * int(row["id"]) + 3)} for row in rows]
    )
    scene = replace(place.scene(), config={"gateLabel": "price", "task": "regression"})
    for rule, fires in (("rmse <= 4", False), ("rmse <= 2", True), ("metrics.py: bias <= 2", True)):
        settings = feedback.Settings("feedback/*.csv", rule)
        decision = feedback.decide(settings, feedback.look(settings, scene), NOON)
        assert decision.fire is fires, decision
    with pytest.raises(ConfigurationError, match="a regression has none"):
        feedback.look(feedback.Settings("feedback/*.csv", "auc >= 0.6"), scene)


def test_feedback_is_scored_by_the_endpoint(place: Place) -> None:
    """A model that is right passes; one that is wrong everywhere fires; without rows, or an endpoint, nothing is told."""
    settings = feedback.Settings("feedback/*.csv", "auc >= 0.6")
    assert "nothing at feedback" in feedback.look(settings, place.scene()).evidence.problem
    place.data.put("feedback/1.csv", table(0))
    good = feedback.look(settings, place.scene())
    assert json.loads(json.dumps(good.evidence.metrics))["auc"] == 1.0
    assert not feedback.decide(settings, good, NOON).fire
    place.right = False
    assert feedback.decide(settings, feedback.look(settings, place.scene()), NOON).fire
    assert "name no endpoint" in feedback.look(settings, place.scene(endpointName="")).evidence.problem
