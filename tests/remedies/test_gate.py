"""What a gate advises, done, and the candidate is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clients.clock import SystemClock
from clients.errors import GateRefused
from retrain_hooks.data.contents import Contents
from retrain_hooks.data.datasets import Remembered, resolve_dataset
from retrain_hooks.data.heads import Heads
from retrain_hooks.gate.inputs import HELD, PASSED
from retrain_hooks.gate.measuring.holdout import Holdout, look_at
from retrain_hooks.gate.measuring.labels import Label
from retrain_hooks.gate.verdicts import Verdicts
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.host.memory import Memory
from tests.healing import Told
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard
from tests.unit.promotion_world import HOLDOUT, World, address
from tests.unit.test_heads import GOOD, experiment
from tests.unit.test_heads import World as Preview
from tests.unit.test_holdout import LABEL, Endpoint
from tests.unit.test_holdout import read as read_holdout
from tests.unit.test_holdout_overlap import OTHERS, props, table
from tests.unit.test_learnt import CHANGES, Learning, data, model

__all__ = ["experiment"]
heals = pytest.mark.heals
GATE = {"label": "arr_delay >= 15"}
HOLD = "retrain_hooks/gate/measuring/holdout.py"


@pytest.fixture
def world() -> World:
    found = World()
    found.trained("new", 0.9)
    return found


# Data


@heals("set the data version to one that exists, or upload {}")
def test_a_data_version_that_is_not_there(remedy: Told) -> None:
    """One that is, or uploaded where it says."""
    container = MemoryContainer("data")
    container.put("flights/2013-01.csv", b"a\n1\n")

    def resolve(version: str) -> object:
        context = Context(Listener(), OpenGuard())
        return resolve_dataset(
            Remembered(container, context.memory, "local"), "flights/{version}.csv", version
        ).blobs

    error = remedy.fails(lambda: resolve("2013-02"))
    assert resolve("2013-01")
    container.put(error.remedy.rpartition("upload data/")[2], b"a\n1\n")
    assert resolve("2013-02")


@pytest.mark.parametrize("md5", [b"content", None])
@heals("store the blob again, with the Content-MD5 of its bytes or without one")
def test_a_content_md5_that_lies(remedy: Told, md5: bytes | None) -> None:
    """Stored again, either way."""
    container, registry = MemoryContainer("data"), MemoryContainer()
    context = Context(Listener(), OpenGuard())
    context.registry = lambda _target: registry  # type: ignore[method-assign]
    context.data = lambda _target, _name=None: container  # type: ignore[method-assign]
    container.put("a.csv", b"content", md5_of=b"another")
    remedy.fails(lambda: Contents(context, "local", "data").verify(container.list()))
    container.put("a.csv", b"content", md5_of=md5)
    if md5 is None:
        container.without_md5.add("a.csv")
    assert Contents(context, "local", "data").verify(container.list()).digest


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param(
            {"f/1.csv": wrong}, right, marks=heals("name another data version, or upload its data again")
        )
        for wrong in (b"", b"late,day\n", b"late\n1\n", b"late,day\n1,2\n1,3\n", b"late,day\n,2\n")
        for right in ({"f/1.csv": GOOD}, {"f/2.csv": GOOD})
    ]
    + [
        pytest.param(
            {"f/1.csv": GOOD, "f/2.csv": b"day,late\n1,2\n"},
            {"f/1.csv": GOOD, "f/2.csv": GOOD},
            marks=heals(
                "name data versions with the same columns in the same order: one model is trained from all of them"
            ),
        )
    ],
)
def test_data_that_cannot_be_trained_from(
    remedy: Told, wrong: dict[str, bytes], right: dict[str, bytes]
) -> None:
    """Another version, or the same one uploaded again."""
    remedy.fails(lambda: Preview(wrong).check())
    assert Preview(right).check()["runKey"]


# Holdouts


@heals("give the label's column numbers only")
@heals("run the update again", at=HOLD)
def test_a_holdout_is_read(remedy: Told) -> None:
    """With numbers; at rest."""
    remedy.fails(lambda: read_holdout("p,arr_delay\n1,late\n"))
    assert read_holdout("p,arr_delay\n1,20\n").actual
    container = MemoryContainer("data")
    container.put("0.csv", b"p,arr_delay\n1,20\n")
    remedy.fails(lambda: Holdout.read(container, {"0.csv": "an older one"}, LABEL))
    assert Holdout.read(container, {"0.csv": container.list()[0].etag}, LABEL).rows


@heals("correct the holdout's path and version")
def test_a_holdout_without_rows(remedy: Told) -> None:
    """Another one has some."""

    def look(name: str) -> None:
        container = MemoryContainer("data")
        container.put("1.csv", b"p,arr_delay\n")
        container.put("2.csv", b"p,arr_delay\n1,20\n0,3\n")
        look_at(
            Heads(container, Memory(SystemClock()), [name], "the holdout"), Label.parse("arr_delay >= 15")
        )

    remedy.fails(lambda: look("1.csv"))
    look("2.csv")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda rows: rows[1:], marks=heals("the gate needs one scored row for each: look at the predictive experiment")),
        pytest.param(lambda rows: [{"a": "1"} for _ in rows], marks=heals("the gate needs {}: score with Score Model")),
        pytest.param(lambda rows: [row | {"Scored Labels": "?"} for row in rows], marks=heals("the gate needs {}: score with Score Model")),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_score(remedy: Told, answer: Callable[[Any], Any]) -> None:
    """An endpoint that scores each row with Score Model."""
    found = read_holdout("p,arr_delay\n0.9,20\n0.1,3\n")
    remedy.fails(lambda: found.measure(Endpoint(answer), OpenGuard()))
    assert found.measure(Endpoint(), OpenGuard()).metrics["auc"] == 1.0


@heals("declare a holdout of its own, or set allowHoldoutOverlap to true if it is meant so")
@pytest.mark.parametrize("allowed", [True, False])
def test_a_holdout_that_was_trained_from(remedy: Told, world: World, allowed: bool) -> None:
    """Another one, or it is meant so."""
    remedy.fails(lambda: world.up(props(world, {"holdout.csv": HOLDOUT.encode()})))
    right = (
        props(world, {"holdout.csv": HOLDOUT.encode()}, allowHoldoutOverlap=True)
        if allowed
        else props(world, {"a.csv": table(OTHERS)})
    )
    assert world.up(right)["verdict"] == PASSED


@heals("write it like delay >= 15, or like Diagnosis == malignant")
@heals("give the promotion a staging endpoint of its own")
def test_what_a_holdout_needs(remedy: Told, world: World) -> None:
    """A label, and a place where a candidate is tried."""
    right = world.props(**GATE)
    remedy.fails(lambda: world.preview(right | {"gate": right["gate"] | {"label": ""}}))
    remedy.fails(lambda: world.preview(right | {"stagingEndpoint": "live"}))
    assert world.up(right)["verdict"] == PASSED


# Verdicts


@pytest.mark.parametrize("way", ["data", "rule", "hold"])
@heals(
    "declare other data, another experiment or another rule; with gateOnRejected: hold the champion stays and the update goes on"
)
def test_a_candidate_that_is_refused(remedy: Told, world: World, way: str) -> None:
    """Another candidate, another rule, or the champion stays."""
    world.trained("bad", 0.4)
    remedy.fails(lambda: world.up(world.props("bad", **GATE)))
    if way == "data":
        assert world.up(world.props("new", **GATE))["verdict"] == PASSED
    elif way == "rule":
        assert world.up(world.props("bad", rules=("auc >= 0.01",), **GATE))["verdict"] == PASSED
    else:
        assert world.up(world.props("bad", onRejected="hold", **GATE))["verdict"] == HELD
        assert world.live == address("base")


@heals("set allowChangedClasses to true if it is meant so")
def test_a_model_that_has_learnt_otherwise(remedy: Told) -> None:
    """What is advised is part of the refusal, in brackets."""
    world = Learning()
    world.learn("base", data(), model())
    table_, content, _words = CHANGES["other classes"]
    world.learn("new", table_, content)
    with pytest.raises(GateRefused) as refused:
        world.up(world.wanted())
    remedy(f"remedy: {refused.value.cause.rpartition('(')[2].partition(')')[0]}")
    assert world.up(world.wanted(allowChangedClasses=True))["verdict"] == PASSED


@heals("look at the endpoint, then run the update again", at="retrain_hooks/serving/live.py")
def test_an_endpoint_that_says_yes_and_does_not(remedy: Told, world: World) -> None:
    """Once it does, the candidate is judged."""
    world.services.deaf = True
    remedy.fails(lambda: world.up(world.props(**GATE)))
    world.services.deaf = False
    assert world.up(world.props(**GATE))["verdict"] == PASSED


@heals("see who else binds models to it, then run the update again", at="retrain_hooks/gate/judging.py")
def test_staging_that_somebody_else_binds(remedy: Told, world: World) -> None:
    """Once nobody does, the candidate is judged."""
    scoring = world.services.scoring

    def meddled(service: str, endpoint: str) -> Any:
        found = scoring(service, endpoint)
        score = found.score

        def and_bound(rows: Any) -> Any:
            answer = score(rows)
            world.services.serving[endpoint] = f"registry/{address('base')}"
            return answer

        found.score = and_bound
        return found

    world.services.scoring = meddled  # type: ignore[method-assign]
    remedy.fails(lambda: world.up(world.props(**GATE)))
    world.services.scoring = scoring  # type: ignore[method-assign]
    assert world.up(world.props(**GATE))["verdict"] == PASSED


@heals("run the update again: it is judged anew")
def test_a_verdict_that_cannot_be_read(remedy: Told, world: World) -> None:
    """It is judged anew."""
    wanted = world.props(**GATE)
    world.up(wanted)
    [name] = world.verdicts
    world.registry.put(name, b"{")
    remedy.fails(
        lambda: Verdicts(world.registry)._records.find(name.removeprefix("verdicts/").removesuffix(".json"))
    )
    world.outputs, world.inputs = None, {}
    assert world.up(wanted)["verdict"] == PASSED


@heals("run the update again", at="retrain_hooks/gate/verdicts.py")
def test_a_verdict_that_somebody_else_changes(remedy: Told, world: World) -> None:
    """The next update judges anew."""
    wanted = world.props(**GATE)
    world.up(wanted)
    [name] = world.verdicts
    forged = world.registry.read(name)[0].replace(b'"outcome":"passed"', b'"outcome":"refused"')
    del world.registry.blobs[name]
    world.outputs, world.inputs = None, {}
    write = world.registry.write

    def first(blob: str, content: bytes, *, etag: str | None) -> str:
        if blob.startswith("verdicts/"):
            world.registry.put(blob, forged)
        return write(blob, content, etag=etag)

    world.registry.write = first  # type: ignore[method-assign]
    remedy.fails(lambda: world.up(wanted))
    world.registry.write = write  # type: ignore[method-assign]
    assert world.up(wanted)["verdict"] == PASSED
