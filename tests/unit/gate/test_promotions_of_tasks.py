"""A promotion of each task, through the lifecycle: judged by evaluation and on a holdout, against the champion, kept and foreseen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from clients.errors import ConfigurationError, GateRefused
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.gate.inputs import HELD, PASSED, PENDING
from retrain_hooks.registry.ledger import Learnt, Ledger, Run
from tasks import TASKS
from tests.unit.promotion_world import HOLDOUT, World, address, key

GOOD = {
    "two-class": {"auc": 0.9},
    "multiclass": {"macro_recall": 0.8, "overall_accuracy": 0.8},
    "regression": {"r2": 0.5, "rmse": 40.0},
    "clustering": {"simplified_silhouette": 0.5},
    "anomaly": {"auc": 0.9},
}
BAD = {
    "two-class": {"auc": 0.5},
    "multiclass": {"macro_recall": 0.1, "overall_accuracy": 0.8},
    "regression": {"r2": -0.5, "rmse": 400.0},
    "clustering": {"simplified_silhouette": 0.0},
    "anomaly": {"auc": 0.5},
}
PRICES = "p,price\n" + "".join(f"{number},{10 * number}\n" for number in range(30))


def trained(world: World, name: str, **metrics: Any) -> None:
    """A run whose metrics are only these."""
    world.registry.blobs.pop(f"runs/{key(name)}.json", None)
    run = Run(
        key(name),
        "flights",
        {},
        "finished",
        sha256=f"hash of {name}",
        metrics=metrics | {"number_of_examples": 100},
    )
    Ledger(world.registry).plan(run)
    world.registry.put_model(run.address, run.sha256)


class Pricing:
    """The world's services, where a model says ten times `p`, and as much too much as its *error* says."""

    def __init__(self, world: World, **errors: float) -> None:
        self.errors = {address(name): error for name, error in errors.items()}
        self.serving = world.services.serving
        world.services.scoring = self.scoring  # type: ignore[method-assign]
        world.data.put("holdout.csv", PRICES.encode())

    def scoring(self, _service: str, endpoint: str) -> Any:
        def score(rows: Any) -> list[dict[str, str]]:
            error = self.errors[self.serving[endpoint].removeprefix("registry/")]
            return [{"Scored Labels": str(10 * float(row["p"]) + error)} for row in rows]

        return SimpleNamespace(score=score)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("task", TASKS)
def test_the_default_gate_of_a_task_lets_the_good_through_and_keeps_the_bad(world, task):
    """By what the run measured; the verdict is kept and foreseen."""
    trained(world, "base", **GOOD[task])
    trained(world, "new", **GOOD[task])
    trained(world, "bad", **BAD[task])
    props = world.props(rules=(), task=task)
    assert world.preview(props)["verdict"] == PASSED
    promoted = world.up(props)
    assert promoted["verdict"] == PASSED
    assert promoted["gate"]["rules"] == list(TASKS[task].default_rules)
    with pytest.raises(GateRefused, match=next(iter(BAD[task]))):
        world.preview(world.props("bad", rules=(), task=task))
    held = world.up(world.props("bad", rules=(), task=task, onRejected="hold"))
    assert held["verdict"] == HELD
    assert world.live == address("new")


def test_a_regression_is_compared_by_its_errors_on_the_holdout(world):
    """The smaller one is the better; both are measured on the same rows."""
    Pricing(world, base=5.0, new=3.0, worse=9.0)
    trained(world, "new", rmse=1.0)
    trained(world, "worse", rmse=0.1)
    gate = {"label": "price", "task": "regression", "minimumRows": 30}
    rules = ("rmse <= champion - 1", "r2 >= 0.9", "mae < 4")
    preview = world.preview(world.props(rules=rules, **gate))
    assert preview["verdict"] == PENDING
    promoted = world.up(world.props(rules=rules, **gate))
    assert promoted["verdict"] == PASSED
    told = {rule["text"]: (rule["value"], rule["bound"]) for rule in promoted["rules"]}
    assert told["rmse <= champion - 1"] == (pytest.approx(3), pytest.approx(4))
    assert told["rows >= 30"] == (30, 30)
    with pytest.raises(GateRefused, match=r"rmse is 9, must be <= 3 .*mae is 9, must be < 4"):
        world.up(world.props("worse", rules=("rmse <= champion", "mae < 4"), **gate))


def test_a_foreign_metric_is_refused_by_the_preview_of_a_model_that_is_not_trained(world):
    """Nothing is trained for a gate that is none."""
    with pytest.raises(
        ConfigurationError, match="asks for auc, and a regression has none; it has: mae, rmse"
    ):
        world.preview(world.props("untrained", rules=("auc >= 0.6",), task="regression"))


def test_the_graph_of_the_candidate_tells_its_task(world):
    """Nothing has to be declared."""
    props = world.props("untrained", rules=("rmse <= 80",))
    with pytest.raises(ConfigurationError, match="a two-class classification has none"):
        world.preview(props | {"candidate": props["candidate"] | {"source": "flights"}})


def test_a_two_class_gate_asks_for_what_it_asked_for_before(world):
    """Verdicts that are on record are found: the digest of the default gate is the same as of the rule itself."""
    world.trained("new", 0.9)
    written = world.preview(world.props(rules=("auc >= 0.65",)))
    default = world.preview(world.props(rules=()))
    assert written["gate"] == default["gate"]
    assert set(written["gate"]) == {
        *("rules", "minimumRows", "label", "onRejected", "allowHoldoutOverlap", "allowChangedClasses"),
        *("positiveClass", "approval", "approve"),
    }


def test_a_function_of_ones_own_judges_and_its_file_is_part_of_the_gate(world, tmp_path, monkeypatch):
    """Another content is another gate: judged anew."""
    monkeypatch.chdir(tmp_path)
    world.trained("new", 0.9)
    world.data.put("holdout.csv", HOLDOUT.encode())
    gate = {"label": "arr_delay >= 15"}

    def profit(each: int) -> None:
        text = f"def profit(actual, scored):\n    return sum({each} if a else -1 for a, s in zip(actual, scored) if s)\n"
        (tmp_path / "metrics.py").write_text(text, encoding="utf-8")

    profit(5)
    rules = ("metrics.py: profit >= 40", "metrics.py: profit >= champion + 5")
    assert world.preview(world.props(rules=rules, **gate))["verdict"] == PENDING
    promoted = world.up(world.props(rules=rules, **gate))
    assert promoted["verdict"] == PASSED
    assert promoted["rules"][1]["value"] == 40  # eight of the ten late rows are found, and none of the others
    assert len(world.verdicts) == 1
    profit(3)
    with pytest.raises(GateRefused, match=r"metrics.py: profit is \d+, must be >= 40"):
        world.up(world.props(rules=rules, **gate))
    assert len(world.verdicts) == 2


def test_a_function_that_throws_binds_nothing_and_leaves_no_verdict(world, tmp_path, monkeypatch):
    """It says nothing of the model."""
    monkeypatch.chdir(tmp_path)
    world.trained("new", 0.9)
    (tmp_path / "metrics.py").write_text("def profit(actual, scored):\n    return 1 / 0\n", encoding="utf-8")
    props = world.props(rules=("metrics.py: profit >= 0",), label="arr_delay >= 15")
    with pytest.raises(ConfigurationError, match=r"metrics\.py, line 2: profit raises ZeroDivisionError"):
        world.up(props)
    assert (world.verdicts, world.live) == ([], address("base"))


def test_a_regressions_new_numbers_are_no_new_classes(world):
    """However few they are; of several classes they would be."""
    few = Learnt("stars", (), {"p": "numbers"}, {}, ("1", "2", "3"))
    more = Learnt("stars", (), {"p": "numbers"}, {}, ("1", "2", "3", "4"))
    for name, learnt in (("base", few), ("new", more)):
        world.registry.blobs.pop(f"runs/{key(name)}.json", None)
        run = Run(
            *(key(name), "flights", {}, "finished"),
            sha256="h",
            metrics={"rmse": 1.0, "macro_recall": 0.9, "rows": 10},
            learnt=learnt,
        )
        Ledger(world.registry).plan(run)
        world.registry.put_model(run.address, "h")
    assert world.preview(world.props(rules=("rmse <= 2",), task="regression"))["verdict"] == PASSED
    with pytest.raises(GateRefused, match="its classes are"):
        world.preview(world.props(rules=("macro_recall >= 0.5",), task="multiclass"))


def _species(world: World, held: bytes) -> dict[str, Any]:
    """The properties of a candidate that is trained from three species, judged on what is *held* out."""
    world.data.put("holdout.csv", held)
    props = world.props("untrained", rules=("macro_recall >= 0.5",), task="multiclass", label="kind")
    trained = {"digest": "t", "blobs": ["trained.csv"], "container": "data", "version": "v1"}
    world.data.put("trained.csv", b"p,kind\n1,cat\n2,dog\n3,eel\n")
    return props | {"candidate": props["candidate"] | {"data": trained}}


@pytest.mark.heals("add rows of it to the holdout, or ask for overall_accuracy")
def test_a_class_that_the_holdout_lacks_is_refused_by_the_preview(remedy, world):
    """Before anything is trained; where no rule is a mean over the classes it does not matter."""
    props = _species(world, b"p,kind\n4,cat\n5,dog\n")
    error = remedy.fails(lambda: world.preview(props))
    assert "no row of the class eel" in error.cause
    rules = {"rules": ["overall_accuracy >= 0.5"]}
    assert world.preview(props | {"gate": props["gate"] | rules})["verdict"] == PENDING
    assert world.preview(_species(world, b"p,kind\n4,cat\n5,dog\n6,eel\n"))["verdict"] == PENDING


def test_a_holdout_of_a_clustering_needs_no_label(world):
    """The rows alone."""
    world.data.put("holdout.csv", b"p\n1\n2\n")
    props = world.props("new", rules=("simplified_silhouette >= 0.1",), task="clustering", label="x")
    props["holdout"] = {**props["holdout"], "digest": "d"}
    props["gate"]["label"] = ""
    assert isinstance(DataReference.parse(props["holdout"]), DataReference)
    assert world.preview(props)["verdict"] == PENDING
