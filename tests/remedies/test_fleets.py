"""What fleets advise, done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from cli.stacks.resources import OURS
from cli.verbs.models import fleet as verbs
from components.models.fleet import Members
from retrain_hooks.fleet.inputs import share
from retrain_hooks.fleet.lifecycle import FleetLifecycle
from retrain_hooks.fleet.records import MemberRecords
from retrain_hooks.host.lifecycle import Props
from retrain_hooks.training import trainer
from tests.fleet.world import Fleet
from tests.healing import Told

heals = pytest.mark.heals


@pytest.fixture
def fleet() -> Fleet:
    world = Fleet()
    world.shop("ann")
    world.shop("bob", says="broken")
    return world


@heals("write 5, or 10%", at="retrain_hooks/fleet/inputs.py")
@pytest.mark.parametrize("wrong", ["many", "-1", "1.5", "120%"])
def test_a_share_of_members(remedy: Told, wrong: str) -> None:
    """A number, or a share that is rounded up."""
    remedy.fails(lambda: share(wrong, 100))
    assert (share("5", 100), share("10%", 101), share("0%", 3)) == (5, 11, 0)


@heals("write 5, or 10%", at="retrain_hooks/fleet/inputs.py")
def test_a_wave_of_nobody(remedy: Told, fleet: Fleet) -> None:
    """One of somebody is one."""
    remedy.fails(lambda: fleet.preview(schedule={"waves": ["0"]}))
    assert fleet.preview(schedule={"waves": ["5", "10%"]})


@heals("approve its plan: set expectPlan to the plan's digest")
def test_approval(remedy: Told, fleet: Fleet) -> None:
    """A plan that is expected is carried out."""
    remedy.fails(lambda: fleet.preview(gate={"rules": ["auc >= 0.6"], "approval": True}))
    key = FleetLifecycle(fleet.context).check(fleet.props(), {})["planKey"]
    assert fleet.up(expect=key)


@heals("write it like delay >= 15, or like Diagnosis == malignant")
def test_a_holdout_without_a_label(remedy: Told, fleet: Fleet) -> None:
    """With one it is a holdout."""
    remedy.fails(lambda: fleet.preview(holdout="1"))
    gate = {"rules": ["auc >= 0.6"], "label": "number >= 15", "allowHoldoutOverlap": True}
    assert fleet.preview(holdout="1", gate=gate)


@heals("look at ./dev preview for what changed, and approve the plan that it shows")
def test_another_plan_than_was_expected(remedy: Told, fleet: Fleet) -> None:
    """The one that the preview shows is carried out."""
    remedy.fails(lambda: fleet.preview(expect="abcdef0"))
    key = FleetLifecycle(fleet.context).check(fleet.props(), {})["planKey"]
    assert fleet.up(expect=key[:7])


@heals(
    "run ./dev preview to see what it would do, then run the update again",
    at="retrain_hooks/fleet/lifecycle.py",
)
def test_data_that_changes_after_the_preview(remedy: Told, fleet: Fleet) -> None:
    """Another preview knows it."""
    checked = FleetLifecycle(fleet.context).check(fleet.props(), {})
    fleet.shop("cid")
    remedy.fails(lambda: FleetLifecycle(fleet.context).create(checked))
    assert fleet.up()["counts"]["members"] == 3


@heals("delete the registry's {blob}, then run the update again: the member is taken up anew")
def test_a_record_that_cannot_be_read(remedy: Told, fleet: Fleet) -> None:
    """Without it the member is new, and its run is there."""
    fleet.up()
    records = fleet.records
    blob = next(
        name
        for name in fleet.registry.blobs
        if name.startswith("fleets/") and "ann" in str(fleet.registry.blobs[name])
    )
    fleet.registry.put(blob, b"nonsense")
    remedy.fails(lambda: records.find("ann"))
    fleet.registry.delete(blob)
    fleet.up()
    assert fleet.states()["ann"] == "serving"
    assert len(fleet.services.batch.created) == 2


@heals("wait until it has ended, then run the update again", at="retrain_hooks/fleet/records.py")
def test_two_updates_work_on_one_member(remedy: Told, fleet: Fleet) -> None:
    """The later one reads what the other wrote."""
    records = MemberRecords(fleet.registry, "f" * 32)
    entry = records.ready("ann", "ann")
    records.save(entry, entry.value)
    remedy.fails(lambda: records.save(entry, entry.value))
    again = records.ready("ann", "ann")
    assert records.save(again, again.value)


@heals(
    "see ./dev fleet status; what served before still serves. Correct their data, or let more of them fail "
    "(fleetMaxFailures), and run the update again; ./dev fleet retry MEMBER tries one again as it is"
)
@pytest.mark.parametrize("way", ["data", "more", "retry"])
def test_more_failed_than_may(
    remedy: Told, fleet: Fleet, way: str, stack: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the three ways is one."""
    fleet.up()
    monkeypatch.setattr(trainer, "_told", set())  # the next update is another process
    remedy.fails(lambda: fleet.verdict("0"))
    most = "0"
    if way == "data":
        fleet.shop("bob", says="auc=0.9")
    elif way == "more":
        most = "1"
    else:
        _deployed(fleet)
        verbs.retry("bob")
        fleet.services.batch.status = _well(fleet)  # type: ignore[method-assign]
    fleet.up()
    assert fleet.verdict(most)


def _well(fleet: Fleet) -> Any:
    """A service that can make a model of such data by now."""
    status, data = fleet.services.batch.status, fleet.data

    def mended(job: str) -> Any:
        data.blobs = {
            name: (content.replace(b"broken", b"whole "), tag) for name, (content, tag) in data.blobs.items()
        }
        return status(job)

    return mended


_deployed_fleets: list[Fleet] = []


def _deployed(fleet: Fleet) -> None:
    _deployed_fleets[:] = [fleet]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verbs find the fleet that a test has deployed; without one, what a stack without a fleet has."""
    _deployed_fleets.clear()

    class Backend:
        def deployment(self) -> Props:
            return {
                "resources": [{"type": f"{OURS}Fleet", "outputs": one.outputs} for one in _deployed_fleets]
            }

    import cli.project
    import cli.services.registry

    monkeypatch.setattr(cli.project, "backend_of", lambda _stack: Backend())
    monkeypatch.setattr(
        cli.services.registry,
        "open_context",
        lambda _stack, _more: (_deployed_fleets[0].context if _deployed_fleets else None, "local"),
    )


@heals("name a stack with one, such as: -s fleet; ./dev up makes it")
@heals("see ./dev fleet status; {}", at="cli/verbs/models/fleet.py")
def test_the_verbs_of_a_fleet(
    remedy: Told, fleet: Fleet, stack: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """They show what there is, and say who is not."""
    remedy.fails(lambda: verbs.status())
    fleet.up()
    _deployed(fleet)
    verbs.status()
    told = capsys.readouterr().out
    assert "ann" in told
    assert "the label has one class" in told
    verbs.explain("bob")
    assert "next update" in capsys.readouterr().out
    remedy.fails(lambda: verbs.explain("bobby"))
    remedy.fails(lambda: verbs.retry("bobby"))
    verbs.runs("fleet", as_json=True)
    assert '"member": "ann"' in capsys.readouterr().out


@heals("see the stack's outputs: ./dev output", at="cli/services/fleets.py")
def test_a_state_that_is_elsewhere(remedy: Told, stack: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The component exports who failed."""
    import cli.project

    monkeypatch.setattr(cli.project, "backend_of", lambda _stack: None)
    remedy.fails(lambda: verbs.status())
    text = (Path(__file__).parents[2] / "__main__.py").read_text()
    assert "served.outputs" in text


@heals("write some of {}", at="components/models/fleet.py")
@pytest.mark.parametrize("wrong", [{"colum": "dest"}, {"column": "dest", "rows": 3}])
def test_members_in_a_stack_file(remedy: Told, wrong: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object with these keys."""

    class Config(pulumi.Config):
        def __init__(self, members: object) -> None:
            self.members = members

        def get_object(self, _key: str, _default: object = None) -> Any:
            return yaml.safe_load(yaml.safe_dump(self.members))

    remedy.fails(lambda: Members.from_config(Config(wrong)))
    found = Members.from_config(Config({"column": "dest", "minimumRows": 50}))
    assert found == Members(column="dest", minimum_rows=50)
    assert Members.from_config(Config({"column": "dest", "missing": "leaves"})).missing == "leaves"
    named = Members.from_config(Config({"list": ["ann", {"name": "bob"}]}))
    assert named.inputs()["list"] == [{"name": "ann"}, {"name": "bob"}]
    assert Members.from_config(Config({})) is None
