"""What the clients of Azure ML v2 advise, done in the local cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from clients.arm.resource_manager import ResourceManager
from clients.azureml import regions
from clients.azureml.models import register
from clients.azureml.workspace import AzureMlWorkspace
from clients.clock import SystemClock
from components.services.azureml import endpoint_name
from retrain_hooks.experiments.package import Part
from tests.azureml.world import DEPLOYMENT, SCORE, Meanwhile, World
from tests.healing import Told

heals = pytest.mark.heals


@heals("correct what is said there (score.py, the environment, or the model), then run the update again")
def test_a_scoring_script_that_fails(remedy: Told, world: World) -> None:
    """Its own words are in the error; corrected, it is deployed and serves."""
    model = world.model(7)
    service = world.publish(score_py=SCORE.replace("global number", "raise KeyError('no such barrel')"))
    error = remedy.fails(lambda: world.traffic(service).write("model", model))
    assert "no such barrel" in error.cause
    service = world.publish()
    world.traffic(service).write("model", model)
    assert world.says(service) == "7.0"


@heals("run ./dev refresh, then ./dev up", at="clients/azureml/deployments.py")
@pytest.mark.parametrize(
    "act",
    [
        lambda world, service: world.traffic(service).read(),
        lambda world, service: world.traffic(service, staging=True).read(),
        lambda world, service: world.traffic(service).retire(1),
        lambda world, service: world.services.put_endpoint(service, world.name, ""),
        lambda world, service: world.services.key(service, world.name),
        lambda world, service: world.services.scoring(service, world.name),
    ],
    ids=["read", "staged", "retire", "adopt", "key", "score"],
)
def test_an_endpoint_that_was_deleted(
    remedy: Told, world: World, act: Callable[[World, str], object]
) -> None:
    """The program makes it again, as the update after a refresh does."""
    service = world.publish()
    world.endpoint.done(world.endpoint.delete())
    error = remedy.fails(lambda: act(world, service))
    assert world.name in error.cause
    world.endpoint.create()
    act(world, service)


@heals("run ./dev refresh, then ./dev up", at="clients/azureml/publishing.py")
@pytest.mark.parametrize(
    ("part", "act"),
    [
        ("predictive", lambda world, service: world.traffic(service).write("model", world.model(1))),
        ("predictive", lambda world, service: world.services.served(service)),
        ("predictive", lambda world, service: world.services.listed(service)),
        ("training", lambda world, service: world.submit(service, 1)),
    ],
    ids=["bind", "served", "listed", "train"],
)
def test_a_web_service_that_was_deleted(
    remedy: Told, world: World, part: Part, act: Callable[[World, str], object]
) -> None:
    """It is published again, as the update after a refresh does."""
    service = world.publish(part)
    world.services.unpublish(service, "")
    remedy.fails(lambda: act(world, service))
    assert world.publish(part) == service
    act(world, service)


@heals("run ./dev up", at="clients/azureml/services.py")
def test_a_staging_slot_where_nothing_is_staged(remedy: Told, world: World) -> None:
    """An update puts the model there."""
    service = world.publish()
    remedy.fails(lambda: world.says(service, staging=True))
    world.traffic(service, staging=True).write("model", world.model(3))
    assert world.says(service, staging=True) == "3.0"


@heals("see who did, and why; run the update again to go on", at="clients/azureml/traffic.py")
def test_traffic_that_somebody_else_moves(remedy: Told, world: World) -> None:
    """It is left as they have put it; the next update starts from there."""
    service = world.publish()
    old, new = world.model(1), world.model(2)
    world.traffic(service).write("model", old)
    rollout = world.traffic(service)
    rollout.move("model", new, 10)
    theirs = dict(zip(sorted(world.shares()), (70, 30), strict=True))
    world.endpoint.traffic(**theirs)
    remedy.fails(lambda: rollout.move("model", new, 50))
    assert world.shares() == theirs
    world.traffic(service).move("model", new, 100)
    assert world.says(service) == "2.0"


@heals("let the command write it to ${{outputs.<its model output>}}")
def test_a_job_that_leaves_no_model(remedy: Told, world: World) -> None:
    """A service may call that completed; where the command writes one, it is gathered."""
    service = world.publish("training")
    model = world.registry.writable(world.address(5))
    remedy.fails(lambda: world.jobs(service).gather(model))
    assert world.trained(service, 5)["status"] == "Completed"
    world.jobs(service).gather(model)
    assert list(json.loads(world.registry.read(world.address(5))[0])["files"]) == ["number.txt"]


@heals("declare the data version that it is trained from with another `force`: it is trained again")
def test_a_model_whose_files_were_changed(remedy: Told, world: World) -> None:
    """What another `force` trains lies at another address, and is registered."""
    service = world.publish("training")
    for number in (5, 6):
        world.trained(service, number)
        world.jobs(service).gather(world.registry.writable(world.address(number)))
    folder = world.address(5).removesuffix(".ilearner")
    world.aml.cloud.upload("registry", f"{folder}/number.txt", b"66")
    remedy.fails(lambda: register(world.workspace, world.registry.writable(world.address(5))))
    register(world.workspace, world.registry.writable(world.address(6)))


@heals("name one of its versions: azureml:<name>:<version>")
def test_an_environment_by_a_label_that_is_none(remedy: Told, world: World) -> None:
    """By its version it is found."""
    world.aml.put("environments", f"env-{world.name}", "4", image="python:3")
    labelled = DEPLOYMENT.replace('{image: "python:3"}', f"azureml:env-{world.name}@tested")
    remedy.fails(lambda: world.publish(deployment_yml=labelled))
    world.publish(deployment_yml=labelled.replace("@tested", ":4"))


@heals('let score.py return a list with a value or an object for each row, or {"predictions": [...]}')
@pytest.mark.parametrize(
    "right",
    [
        "[number] * len(rows)",
        '{"predictions": [number] * len(rows)}',
        '[{"Scored Labels": number} for _ in rows]',
        "json.dumps([number])",
    ],
)
def test_a_scoring_script_that_answers_no_rows(remedy: Told, world: World, right: str) -> None:
    """Corrected as it says, its rows are read."""
    script = SCORE.replace("return [number for _ in json.loads(raw)", "rows = json.loads(raw)").replace(
        '["data"]]', '["data"]\n    return {"number": number}'
    )
    model = world.model(4)
    service = world.publish(score_py=script)
    world.traffic(service).write("model", model)
    remedy.fails(lambda: world.says(service))
    world.publish(score_py=script.replace('{"number": number}', right))
    world.traffic(service).write("model", model)
    assert world.says(service) == "4.0"


@heals("check that it is a workspace of Azure ML v2")
def test_a_workspace_without_a_data_plane(remedy: Told, world: World) -> None:
    """One of v2 names the addresses of its own."""
    other = AzureMlWorkspace(world.target, world.aml.path, SystemClock())
    document = world.workspace._document
    stripped = {**document, "properties": {**document["properties"], "mlFlowTrackingUri": ""}}
    other.__dict__["_document"] = stripped
    remedy.fails(lambda: other.tracking)
    assert world.workspace.tracking.base_url


def baking(world: World, *rules: str) -> dict[str, Any]:
    """Two steps, each of them watched."""
    return {"steps": [30, 100], "rings": [{"endpoints": [world.name], "bake": 0.6, "rules": list(rules)}]}


@heals("declare another model, or other rules for the ring", at="retrain_hooks/binding/steps.py")
@pytest.mark.parametrize("way", ["model", "rules"])
def test_a_step_that_does_not_hold(remedy: Told, world: World, way: str) -> None:
    """The traffic is as before; a model that holds, or a rule that it keeps, goes through all steps."""
    service = world.publish()
    world.up(service, 1)
    before = world.shares()
    remedy.fails(lambda: world.up(service, 9, **baking(world, "shift <= 2")))
    assert world.shares() == before
    number, rule = (3, "shift <= 2") if way == "model" else (9, "shift <= 8")
    world.up(service, number, **baking(world, rule))
    assert world.says(service) == f"{number}.0"


@heals("set `location` to a region that has it")
def test_a_region_without_the_service(remedy: Told, world: World) -> None:
    """The error names one that is written alike."""
    arm = ResourceManager(world.target.arm, regions.API_VERSION, SystemClock())
    error = remedy.fails(lambda: regions.refuse_region(arm, "westeuropa"))
    assert "westeurope" in error.cause
    regions.refuse_region(arm, "West Europe")


@heals("use letters, digits and single dashes, 32 at most, with a letter first")
@pytest.mark.parametrize("wrong", ["1prices", "a--b", "a_b", "a" * 33, "-a", ""])
def test_an_endpoints_name(remedy: Told, wrong: str) -> None:
    """The service takes one that is as it says."""
    remedy.fails(lambda: endpoint_name(wrong))
    assert endpoint_name("house-prices-2").startswith("house-prices-2")


@heals("see who did, and why; run the update again to go on", at="retrain_hooks/binding/steps.py")
def test_a_step_whose_share_somebody_takes(remedy: Told, world: World) -> None:
    """It stays as they have put it; the next update goes on."""
    service = world.publish()
    world.up(service, 1)
    [old] = world.shares()

    def takes() -> None:
        world.endpoint.traffic(**{name: 95 if name == old else 5 for name in world.shares()})

    remedy.fails(lambda: world.up(service, 2, Meanwhile(takes), **baking(world)))
    assert world.shares()[old] == 95
    world.up(service, 2, **baking(world))
    assert world.says(service) == "2.0"
