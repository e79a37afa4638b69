"""A plan in words: whole, narrow enough, and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from plans.forecasts import forecast
from plans.markdown import LIMIT, as_markdown, as_summary
from plans.plan import Plan, made_of
from plans.words import as_text
from tests.plans.documents import KEY, NEXT, UNKNOWN, binding, gate, model, retraining, step

WHOLE = """\
Plan for dev: retrain candidate, judge for retrained, bind retrained, delete 1

~ data candidate-data
    version    2013-01 (aaaaaaa) → 2013-02 (bbbbbbb)
    size       2.5 MB in 1 blob of flights/2013-02.csv

~ model candidate
    why        data 2013-01 (aaaaaaa) → 2013-02 (bbbbbbb)
    data       flights/2013-02.csv (version 2013-02, bbbbbbb)
    run        60f0729 → 0769984
    model      1.ilearner of run 0769984
    does       train run 0769984, about 12 s

~ gate retrained
    candidate  run 0769984 (data version 2013-02)
    champion   run 60f0729: auc 0.778465
    rules      auc >= 0.65; measured on 100 rows at least
    else       the update fails
    verdict    known when the model is trained

~ binding retrained
    serves     run 60f0729 → run 0769984
    by         retrained
    probe      50 rows, until it answers as the new model

  delete: 1 (old-storage)
  unchanged: 1 resource"""


def test_a_retraining_in_words() -> None:
    """Why, from what, judged by what against whom, where it is bound, what is deleted."""
    assert as_text(made_of("dev", retraining())) == WHOLE


@pytest.mark.parametrize("width", [60, 80, 100, 120, 1])
def test_no_line_is_wider_than_asked(width: int) -> None:
    """60 columns at least, 100 at most; long names and many rules are folded."""
    rules = [f"auc >= 0.{number}" for number in range(10, 60)]
    long = gate(NEXT, "2013-02", "pending", gate={"rules": rules, "onRejected": "hold"})
    steps = [
        *retraining()["steps"],
        step("create", "Promotion", "a" * 300, None, long),
        *(step("create", "azure-native:web:Site", f"site-{number}", None, {}) for number in range(40)),
    ]
    text = as_text(made_of("dev", {"steps": steps}), width)
    assert max(map(len, text.splitlines())) <= max(60, min(width, 100))
    assert "create: 40 (site-0" in text
    assert "and 32 more" in text.replace("\n   ", "")


def test_nothing_to_do_is_one_line() -> None:
    """And what there is beside it."""
    steps = [step("same", "StudioEndpoint", "endpoint", {}, {})]
    assert (
        as_text(made_of("dev", {"steps": steps}))
        == "Plan for dev: nothing changes\n\n  unchanged: 1 resource"
    )


def test_a_replacement_is_told_once() -> None:
    """Whatever the engine does in turn; what was replaced in vain is deleted; what is held back is not told of."""
    moved = [
        step(op, "ModelBinding", "binding", old, new)
        for op, old, new in (
            ("create-replacement", binding(KEY), binding(NEXT)),
            ("replace", binding(KEY), binding(NEXT)),
            ("delete-replaced", binding(KEY), None),
        )
    ]
    store = "azure-native:storage:StorageAccount"
    others = [step(op, store, "store", {}, {}) for op in ("create-replacement", "replace", "delete-replaced")]
    gone = [step(op, store, "old", {}, None) for op in ("remove-pending-replace", "delete-replaced")]
    withheld = step("withhold", "StudioEndpoint", "later", None, {})
    text = as_text(made_of("dev", {"steps": [*moved, *others, *gone, withheld]}))
    assert text.startswith("Plan for dev: bind retrained, replace 1, delete 1\n")
    assert text.count("binding retrained") == 1
    assert text.endswith("  replace: 1 (store)\n  delete: 1 (old)")


def test_what_others_changed_is_told() -> None:
    """An endpoint that serves another model, and what a refresh found."""
    found = {"retrained": f"models/flights/{KEY}/1.ilearner", "europe": "it is not there any more"}
    steps = [
        step("update", "ModelBinding", "endpoint-binding", binding(NEXT), binding(NEXT, found=found)),
        step("refresh", "azure-native:storage:StorageAccount", "store", {"tier": "hot"}, {"tier": "cool"}),
        step("refresh", "azure-native:storage:StorageAccount", "other", {"tier": "hot"}, {"tier": "hot"}),
    ]
    text = as_text(made_of("dev", {"steps": steps}))
    assert "europe serves it is not there any more, retrained serves run 60f0729" in " ".join(text.split())
    assert "changed by others since the last update: store\n" in text


def test_what_was_carried_out_says_what_was_measured() -> None:
    """The same plan, with duration, job, metrics and verdict."""
    trained = model(NEXT, "2013-02", "b", metrics={"auc": 0.8137962}, seconds=1.23, job="j1", reused=False)
    judged = gate(
        NEXT,
        "2013-02",
        "held",
        rules=[{"reason": "auc is 0.6, must be >= 0.65", "passed": False, "text": "x"}],
    )
    steps = [
        step("update", "TrainedModel", "candidate", model(KEY, "2013-01", "a"), trained),
        step("update", "Promotion", "endpoint-promotion", gate(KEY, "2013-01", "passed"), judged),
    ]
    text = as_text(made_of("dev", {"steps": steps}, done=True))
    assert text.startswith("Done for dev: retrained candidate, judged for retrained")
    assert "took       1.2 s (job j1)" in text
    assert "metrics    auc 0.813796" in text
    assert "verdict    held: auc is 0.6, must be >= 0.65" in text


def test_json_is_the_same_plan() -> None:
    """Read back it is equal, forecasts included."""
    plan = made_of("dev", retraining())
    told = forecast(
        [1.0, 1.2, 1.1, 0.9, 1.3], [{"auc": 0.7 + each / 100} for each in range(5)], ["auc >= 0.65"]
    )
    plan = replace(plan, forecasts={plan.stages[1].urn: told})
    assert Plan.read(json.loads(json.dumps(plan.json()))) == plan
    assert "takes      about 1.1 s; " in as_text(plan)


@pytest.mark.parametrize("rate", [3.6, "3.6"])
def test_a_price_is_told_where_an_hour_has_one(rate: float | str) -> None:
    """With its range, whether configuration has it as a number or as text."""
    document = {"steps": [step("create", "TrainedModel", "m", None, model(KEY, "1", "a", ratePerHour=rate))]}
    plan = made_of("dev", document)
    told = forecast([1000.0] * 6, [])
    text = as_text(replace(plan, forecasts={plan.stages[0].urn: told}))
    assert "1.00 to 1.00 at 3.6 an hour" in " ".join(text.split())


def test_markdown_is_one_comment_that_mentions_nobody() -> None:
    """Tables, details folded, names as they are, under the hosts' limit."""
    steps = [
        *retraining()["steps"],
        step("create", "azure-native:web:Site", "a|b <script> @team `x`", None, {}),
        *(
            step("create", "azure-native:web:Site", f"site-{number:05}" * 5, None, {})
            for number in range(3_000)
        ),
    ]
    text = as_markdown(made_of("dev", {"steps": steps}))
    assert len(text) <= LIMIT
    assert text.startswith("<!-- retraining plan: dev -->\n### Plan for `dev`: ")
    assert "| why | data 2013-01 (aaaaaaa) → 2013-02 (bbbbbbb) |" in text
    assert "<script>" not in text
    assert "@team" not in text
    assert text.count("<details>") == text.count("</details>") == 1
    assert "The rest is left out" in text
    short = as_markdown(made_of("dev", retraining()))
    assert "> Deleted or replaced: old-storage" in short
    assert "The rest" not in short


def test_the_summary_is_one_line() -> None:
    """For a chat."""
    assert as_summary(made_of("dev", retraining())) == (
        "dev: retrain candidate, judge for retrained, bind retrained, delete 1"
    )


def test_models_of_one_run_are_one_section() -> None:
    """Two models that one run trains are told of once, in words and as Markdown; afterwards, which of them was trained."""
    new = model(NEXT, "2013-02", "b")
    plan = made_of(
        "dev",
        {"steps": [step("create", "TrainedModel", name, None, new) for name in ("candidate", "baseline")]},
    )
    assert "Plan for dev: retrain candidate and baseline\n\n+ model candidate, baseline\n" in as_text(plan)
    assert as_text(plan).count("train run 0769984") == 1
    assert as_markdown(plan).count("train run 0769984") == 1
    took = [{"seconds": 12.0, "reused": reused} for reused in (False, True)]
    steps = [
        step("create", "TrainedModel", name, None, new | told)
        for name, told in zip(("candidate", "baseline"), took, strict=True)
    ]
    told = as_text(made_of("dev", {"steps": steps}, done=True))
    assert told.startswith("Done for dev: retrained candidate, took a finished run for baseline\n")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("reuse run 076998486e18 of 2026-11-28T12:00", "take a finished run for candidate"),
        ("attach to job j1", "wait for the job of candidate"),
        ("adopt the model that old serves", "adopt the model of candidate"),
        (UNKNOWN, "retrain candidate"),
    ],
)
def test_a_model_that_is_not_trained_is_not_said_to_be(what: str, said: str) -> None:
    """Going back to a version, or on with a job that runs, is no retraining."""
    new = model(NEXT, "2013-02", "b", plan=what)
    plan = made_of("dev", {"steps": [step("update", "TrainedModel", "candidate", model(KEY, "1", "a"), new)]})
    assert as_summary(plan) == f"dev: {said}"
