"""A deployment that does not come up: said by its log, gone, and nothing of what is served was touched."""

from __future__ import annotations

import pytest

from clients.errors import BindingFailed, Conflict
from tests.azureml.world import RESOURCE, SCORE, World


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (SCORE.replace("global number", "raise RuntimeError('no barrel')"), "RuntimeError: no barrel"),
        (
            SCORE.replace(
                "global number", "print(*['z' * 9000] * 9, sep='\\n'); raise RuntimeError('no barrel')"
            ),
            "RuntimeError: no barrel",
        ),
        (SCORE.replace("float(file", "int('x' + file"), "ValueError: invalid literal for int()"),
        (SCORE.replace("import json", "import json, nowhere_to_be_found"), "nowhere_to_be_found"),
        (SCORE.replace("def init():", "def init():\n    os.kill(os.getpid(), 9)"), ""),
    ],
    ids=["raises", "loud", "cannot load", "import", "killed"],
)
def test_a_deployment_that_does_not_come_up(world: World, script: str, said: str) -> None:
    """Cause and its log's last lines in one line; it is deleted, and the traffic stays as it was."""
    service = world.publish()
    world.up(service, 1)
    before, names = world.shares(), world.names()
    world.publish(score_py=script)
    with pytest.raises(BindingFailed) as failed:
        world.up(service, 2)
    assert said in failed.value.cause
    assert "\n" not in failed.value.cause
    assert (world.shares(), world.names()) == (before, names)
    assert world.says(service) == "1.0"


def test_what_an_interrupted_update_left_failed_is_made_anew(world: World) -> None:
    """A deployment of that name that did not come up is replaced; meanwhile it is not what is staged."""
    broken = SCORE.replace("global number", "raise RuntimeError('no barrel')")
    service = world.publish(score_py=broken)
    deployments = world.deployments(service)
    model = world.model(1)
    deployments.delete = lambda _name: None  # type: ignore[method-assign]
    with pytest.raises(BindingFailed):
        deployments.make(RESOURCE, model)
    [left] = world.names()
    assert world.aml.ws("GET", f"{world.endpoint.path}/deployments/{left}").json()["properties"][
        "provisioningState"
    ] in ("Failed", "Canceled")
    assert world.traffic(service, staging=True).read() == []
    with pytest.raises(BindingFailed):
        world.deployments(service).make(RESOURCE, model)
    assert world.names() == []


def test_a_deployment_that_somebody_makes_already_is_waited_for(world: World) -> None:
    """Two updates at once make one, and both get its name."""
    service = world.publish()
    model = world.model(1)
    first, second = world.deployments(service), world.deployments(service)
    find = second._settled
    second._settled = lambda name: (first.make(RESOURCE, model), find(name))[1]  # type: ignore[method-assign]
    name = second.make(RESOURCE, model)
    assert world.names() == [name]


def test_other_code_is_another_deployment_of_the_same_model(world: World) -> None:
    """It is brought to the traffic as another model is; the old one goes."""
    service = world.publish()
    world.up(service, 1)
    [before] = world.shares()
    world.publish(score_py=SCORE.replace("[number for", "[number * 2 for"))
    graph = world.services.contract(service)
    assert graph is not None
    world.up(service, 1, graph=graph.digest, keepPrevious=0)
    assert world.says(service) == "2.0"
    assert before not in world.names()


def test_a_service_that_is_busy_is_not_a_model_that_fails(world: World) -> None:
    """What the service refuses for a while is told as that, and advises nothing about the model."""
    service = world.publish()
    deployments = world.deployments(service)
    arm = deployments._workspace.arm

    def busy(*_given: object, **_more: object) -> None:
        raise Conflict("busy", "wait", status=409)

    arm.put = busy  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        deployments.make(RESOURCE, world.model(1))
