"""Programs at random, edited at random, with a provider that fails at random: the state stays whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.events import Result
from tests.engine.conftest import Group, Stack, Thing, ThingsProvider
from tests.engine.things import Served, Things

NAMES = "abcdef"
Options = pulumi.ResourceOptions


def bounded(examples: int) -> settings:
    """The same examples at each run; a failing one is shown as it is, as making it smaller takes minutes."""
    return settings(
        max_examples=examples,
        phases=(Phase.explicit, Phase.generate),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


@dataclass(frozen=True)
class Spec:
    """A resource of a program; `on` are the earlier ones whose outputs or ids it takes, or that it waits for."""

    name: str
    value: int
    fixed: int
    on: frozenset[tuple[str, str]]
    group: bool
    provider: bool
    dbr: bool
    replace_on_changes: bool


@dataclass(frozen=True)
class Edit:
    """The program that is run next, which calls fail then, and whether the run goes on after a failure."""

    specs: tuple[Spec, ...]
    region: int
    failing: frozenset[tuple[str, str]]
    go_on: bool


@st.composite
def programs(draw: Any) -> tuple[Spec, ...]:
    """Two to six resources in any order, each resting on some of the earlier ones."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=6, unique=True))
    some = st.integers(0, 2)
    specs = []
    for at, name in enumerate(names):
        ways = st.sampled_from(("echo", "id", "fixed", "wait"))
        on = (
            st.frozensets(st.tuples(st.sampled_from(names[:at]), ways), max_size=3)
            if at
            else st.just(frozenset())
        )
        specs.append(
            Spec(
                name,
                value=draw(some),
                fixed=draw(some),
                on=draw(on),
                group=draw(st.booleans()),
                provider=draw(st.booleans()),
                dbr=draw(st.booleans()),
                replace_on_changes=draw(st.booleans()),
            )
        )
    return tuple(specs)


calls = st.tuples(st.sampled_from(("create", "update", "delete")), st.sampled_from(NAMES))
edits = st.builds(
    Edit, programs(), st.integers(1, 2), st.frozensets(calls, min_size=1, max_size=4), st.booleans()
)


def declare(edit: Edit) -> None:
    """The program."""
    made: dict[str, Thing] = {}
    group = Group("group")
    provider = ThingsProvider("provider", f"region{edit.region}")
    for spec in edit.specs:
        props: dict[str, Any] = {"value": spec.value, "fixed": spec.fixed, "dbr": spec.dbr}
        waits = []
        for name, way in sorted(spec.on):
            if way == "wait":
                waits.append(made[name])
            else:
                props[f"{way}_{name}"] = made[name].echo if way == "echo" else made[name].id
        options = Options(
            depends_on=waits,
            parent=group if spec.group else None,
            provider=provider if spec.provider else None,
            replace_on_changes=["value"] if spec.replace_on_changes else None,
        )
        made[spec.name] = Thing(spec.name, props, options)


@contextmanager
def project() -> Iterator[Stack]:
    """A stack of its own."""
    served = Served(Things())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "Pulumi.yaml").write_text("name: demo\nruntime: python\nbackend:\n  url: file://.\n")
        yield Stack(root, served)
    served.close()


def assert_whole(stack: Stack) -> None:
    """What a resource rests on comes before it, and the state holds what exists, no more and no less."""
    state = stack.state()
    assert not state.get("pending_operations")
    there: set[str] = set()
    live: list[str] = []
    for resource in state.get("resources", []):
        provider, _, _ = resource.get("provider", "").rpartition("::")
        properties = resource.get("propertyDependencies", {}).values()
        needed = {*resource.get("dependencies", []), *(urn for urns in properties for urn in urns)}
        needed |= {urn for urn in (provider, resource.get("parent")) if urn}
        assert needed <= there, f"{resource['urn']} rests on what isn't before it"
        there.add(resource["urn"])
        if not resource.get("delete"):
            live.append(resource["urn"])
    assert len(live) == len(set(live))
    held = [r["id"] for r in state.get("resources", []) if r["type"] == "things:index:Thing" and r.get("id")]
    assert sorted(held) == sorted(stack.things.store)


def changed(result: Result) -> set[str]:
    """URNs of what isn't left as it is."""
    return {step.urn for step in result.steps if step.op != "same"}


@bounded(25)
@given(st.lists(edits, min_size=1, max_size=3))
def test_whatever_fails_the_state_stays_whole_and_the_next_update_mends_it(history: list[Edit]) -> None:
    """After each run the state is whole; an update that fails nowhere ends what was begun, and a second one is a no-op."""
    with project() as stack:
        for edit in history:
            stack.things.failing = set(edit.failing)
            result = stack.up(lambda edit=edit: declare(edit), continue_on_error=edit.go_on)
            assert result.ok or any("went wrong" in failure for failure in result.failures)
            assert_whole(stack)
        stack.things.failing = set()
        last = history[-1]
        preview = stack.preview(lambda: declare(last))
        assert preview.ok
        mended = stack.up(lambda: declare(last))
        assert mended.ok
        assert_whole(stack)
        assert changed(mended) <= changed(preview), "an update does nothing that its preview didn't show"
        assert len(stack.things.store) == len(last.specs)
        again = stack.up(lambda: declare(last))
        assert again.ok
        assert changed(again) == set()
        assert stack.things.done("create", "update", "delete") == []


@bounded(10)
@given(edits, st.frozensets(calls, max_size=3))
def test_a_destroy_that_fails_somewhere_is_ended_by_the_next(
    edit: Edit, failing: frozenset[tuple[str, str]]
) -> None:
    """The state is whole after both; nothing is left in it nor of what it held."""
    with project() as stack:
        assert stack.up(lambda: declare(edit)).ok
        stack.things.failing = set(failing)
        stack.destroy(continue_on_error=edit.go_on)
        assert_whole(stack)
        stack.things.failing = set()
        assert stack.destroy().ok
        assert stack.things.store == {}
        assert stack.state().get("resources", []) == []
