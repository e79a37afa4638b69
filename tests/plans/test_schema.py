"""The plan as JSON is of its published schema, which takes nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from cli.reference import schemas
from plans.forecasts import forecast
from plans.plan import made_of
from tests.plans.documents import retraining

PLAN = jsonschema.Draft7Validator(json.loads((schemas.FOLDER / schemas.PLAN).read_text(encoding="utf-8")))
Change = Callable[[dict[str, Any]], object]


def _plan() -> dict[str, Any]:
    made = made_of("dev", retraining())
    runs = [{"auc": 0.7 + each / 100} for each in range(6)]
    told = forecast([1.0, 1.2, 1.1, 0.9, 1.3, 1.0], runs, ["auc >= 0.65"])
    plan = replace(made, forecasts={made.stages[1].urn: told}).json()
    return dict(json.loads(json.dumps(plan)))


def test_a_plan_is_valid() -> None:
    """With each kind of stage that there is words for, and one that nobody tells of."""
    plan = _plan()
    kinds = {stage["kind"] for stage in plan["stages"]}
    assert kinds == {"DataVersion", "TrainedModel", "Promotion", "ModelBinding", "azure-native"}
    PLAN.validate(plan)


PLACES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "the plan": lambda plan: plan,
    "a stage": lambda plan: plan["stages"][0],
    "facts of a model": lambda plan: plan["stages"][1]["facts"],
    "facts of a stage that nobody tells of": lambda plan: plan["stages"][4]["facts"],
    "a forecast": lambda plan: next(iter(plan["forecasts"].values())),
    "an interval": lambda plan: next(iter(plan["forecasts"].values()))["seconds"],
}


@pytest.mark.parametrize("place", PLACES)
def test_a_plan_with_an_unknown_field_is_invalid(place: str) -> None:
    """Wherever it is."""
    plan = _plan()
    PLACES[place](plan)["more"] = 1
    assert list(PLAN.iter_errors(plan))


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan.update(format=2),
        lambda plan: plan.pop("unchanged"),
        lambda plan: plan["stages"][1]["facts"].update(dataVersion=1),
        lambda plan: plan["stages"][2].update(kind="Verdict"),
        lambda plan: next(iter(plan["forecasts"].values())).update(chance=1.5),
    ],
    ids=["another form", "a field is missing", "a number for a text", "another kind", "no probability"],
)
def test_what_is_no_plan_of_this_form_is_invalid(change: Change) -> None:
    """Wrong forms, types and ranges."""
    plan = _plan()
    change(plan)
    assert list(PLAN.iter_errors(plan))
