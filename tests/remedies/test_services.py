"""What is advised about web services and endpoints, those that were there before included, done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clients.protocols import Contract
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.services.endpoint import EndpointLifecycle
from retrain_hooks.services.web_service import WebServiceLifecycle
from tests.healing import Told
from tests.unit.fakes import Listener, ManualClock, MemoryContainer, OpenGuard
from tests.unit.test_adopted_services import (
    GROUP,
    NEW,
    SVC,
    URL,
    WORKSPACE,
    Services,
    endpoint,
    predictive,
    training,
)

heals = pytest.mark.heals
ADOPTED = "retrain_hooks/services/adopted_service.py"
ONE = Contract("prices", ("input1",), ("output1",), resources=("House price",))
TWO = replace(ONE, resources=("House price", "Rent"))


class There(Services):
    """Services by their ids: the one of the tests, *more*, and none else."""

    def __init__(self, more: dict[str, Contract]) -> None:
        super().__init__()
        self.more = more

    def contract(self, service: str) -> Contract | None:
        return self.more.get(service) or (super().contract(service) if service in (SVC, NEW) else None)


def context_of(services: Any) -> Context:
    found = Context(Listener(), OpenGuard(), ManualClock())
    registry = MemoryContainer()
    found.services = lambda _target, _service: services  # type: ignore[method-assign]
    found.registry = lambda _target: registry  # type: ignore[method-assign]
    return found


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param(training(ports={"model": "output9", "evaluation": "output2"}), training(), marks=heals("correct the component's ports")),
        pytest.param(training(ports={"modle": "output1"}), training(), marks=heals("give: {}")),
        pytest.param(training(ports={}), training(), marks=heals("name it: ports={{}: NAME}")),
        pytest.param(training(revision=None), training(revision="1"), marks=heals('give it a revision, such as revision="1", and another one each time it is published anew')),
        pytest.param(training(workspace={"resource": GROUP, "id": ""}), training(), marks=heals("give Workspace(existing=…) the resource id of a workspace")),
        pytest.param(
            training(workspace={"resource": WORKSPACE["resource"], "id": "9" * 32}), training(),
            marks=heals("name the workspace that it is in, or a service of this one; ./dev adopt lists them"),
        ),
        pytest.param(training(existing=URL.replace(SVC, "3" * 32)), training(), marks=heals("see ./dev adopt for those that there are, and name one of them")),
        pytest.param(predictive(existing=f"{NEW}2"), predictive(existing=f"{NEW}2", resource="Rent"), marks=heals("name the one to be replaced: PredictiveWebService(…, resource=…)")),
        pytest.param(predictive(), predictive(existing=f"{NEW}1"), marks=heals("name a predictive web service with a trained model that can be replaced")),
    ],
)  # fmt: skip
def test_a_service_that_was_there(remedy: Told, wrong: dict[str, Any], right: dict[str, Any]) -> None:
    """Named as it says, it is adopted."""
    life = WebServiceLifecycle(context_of(There({f"{NEW}1": ONE, f"{NEW}2": TWO})))
    remedy.fails(lambda: life.check(wrong, {}))
    assert life.check(right, {})["experiment"]


@pytest.mark.parametrize("existing", ["prod", None])
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("default", marks=heals("adopt another endpoint of the service, or leave out `existing` to have one created")),
        pytest.param("gone", marks=heals("see ./dev adopt for those that there are, or leave out `existing` to have one created")),
    ],
)  # fmt: skip
def test_an_endpoint_that_was_there(remedy: Told, wrong: str, existing: str | None) -> None:
    """Another one, or one that is made."""
    life = EndpointLifecycle(context_of(Services()))
    remedy.fails(lambda: life.check(endpoint(wrong), {}))
    right = endpoint("prod") if existing else {**endpoint("mine"), "existing": None}
    assert life.check(right, {})["name"] == (existing or "mine")


class Losing(Services):
    """What is made vanishes as long as somebody deletes it."""

    deleted = True

    def __init__(self) -> None:
        super().__init__()
        self.endpoints = set()

    def put_endpoint(self, _service: str, name: str, _description: str) -> None:
        if not self.deleted:
            self.endpoints.add(name)


@heals("see who else deletes it, then run the update again", at="retrain_hooks/services/endpoint.py")
def test_an_endpoint_that_somebody_deletes(remedy: Told) -> None:
    """Once nobody does, it is made."""
    services = Losing()
    life = EndpointLifecycle(context_of(services))
    wanted = life.check({**endpoint("mine"), "existing": None}, {})
    remedy.fails(lambda: life.create(wanted))
    services.deleted = False
    life = EndpointLifecycle(context_of(services))
    assert life.create(wanted)[1]["url"] == "https://a/mine"
