"""Web services and endpoints that were there before the program: found, checked, and left alone."""

from __future__ import annotations

from typing import Any

import pytest

from clients.errors import ConfigurationError
from clients.existing import ExistingService, ExistingWorkspace, endpoint_name
from clients.protocols import Contract, EndpointFound
from clients.studio_classic.swagger import read_swagger
from retrain_hooks.host.lifecycle import UNKNOWN, Context
from retrain_hooks.services.endpoint import EndpointLifecycle
from retrain_hooks.services.web_service import WebServiceLifecycle
from tests.unit.fakes import Listener, OpenGuard

WS, SVC = "1" * 32, "2" * 32
GROUP = "/subscriptions/s/resourceGroups/g"
WORKSPACE = {"resource": f"{GROUP}/providers/Microsoft.MachineLearning/workspaces/w", "id": WS}
NEW = f"{GROUP}/providers/Microsoft.MachineLearning/webServices/prices"
URL = f"https://europewest.management.azureml.net/workspaces/{WS}/webservices/{SVC}"


class Services:
    """One web service with its endpoints; counts nothing that would change it, since there is nothing of that here."""

    def __init__(self) -> None:
        self.found: Contract | None = Contract(
            "Retrain: flights [v2]", ("input1",), ("output1", "output2"), ("Seed", "Rate")
        )
        self.endpoints = {"default", "prod"}

    def contract(self, _service: str) -> Contract | None:
        return self.found

    def exists(self, _service: str) -> bool:
        return self.found is not None

    def endpoint(self, service: str, name: str) -> EndpointFound | None:
        if name not in self.endpoints or self.found is None:
            return None
        return EndpointFound(name, f"https://a/{name}", f"https://m/{name}", "https://h", "theirs")


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def told() -> Listener:
    return Listener()


@pytest.fixture
def context(services: Services, told: Listener) -> Context:
    found = Context(told, OpenGuard())
    found.services = lambda _target, _service: services  # type: ignore[method-assign]
    return found


@pytest.fixture
def life(context: Context) -> WebServiceLifecycle:
    return WebServiceLifecycle(context)


def training(**props: Any) -> dict[str, Any]:
    ports = {"model": "output1", "evaluation": "output2"}
    return {
        "target": "local",
        "workspace": WORKSPACE,
        "part": "training",
        "existing": URL,
        "revision": "7",
        "ports": ports,
    } | props


def predictive(**props: Any) -> dict[str, Any]:
    return {"target": "local", "workspace": WORKSPACE, "part": "predictive", "existing": NEW} | props


# How people write what there is


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SVC, ExistingService("classic", SVC)),
        (URL, ExistingService("classic", SVC, WS)),
        (f"{URL}/", ExistingService("classic", SVC, WS)),
        (f"{URL}/endpoints/prod", ExistingService("classic", SVC, WS, "prod")),
        (f"https://studio.azureml.net/apihelp/workspaces/{WS}/webservices/{SVC}/endpoints", ExistingService("classic", SVC, WS)),
        (NEW, ExistingService("new", NEW)),
        (f" https://management.azure.com{NEW}?api-version=2017-01-01 ", ExistingService("new", NEW)),
        (f"{NEW.lower()}/", ExistingService("new", NEW.lower())),
    ],
)  # fmt: skip
def test_a_service_is_named_by_id_or_url(text, found):
    """Management URL, Studio's id, resource id, with host and query or without."""
    assert ExistingService.parse(text) == found


@pytest.mark.parametrize(
    "text", ["", "flights", f"https://a/workspaces/{WS}/services/{SVC}", f"{GROUP}/providers/Microsoft.Web/sites/a", SVC[:-1]]
)  # fmt: skip
def test_what_names_no_service_is_refused_with_how_one_is_written(text):
    """A data plane's address, another provider's resource, half an id."""
    with pytest.raises(ConfigurationError, match="does not name a web service") as refused:
        ExistingService.parse(text)
    assert "resource id" in refused.value.remedy


@pytest.mark.parametrize(
    ("text", "service", "name"),
    [
        ("prod", None, "prod"),
        ("prod", URL, "prod"),
        ("default", NEW, "default"),
        (f"{URL}/endpoints/prod", URL, "prod"),
        (f"{URL}/endpoints/prod", SVC, "prod"),
        (f"{URL}/endpoints/prod", None, "prod"),
        (NEW, NEW, "default"),
        (f"https://management.azure.com{NEW}", NEW.upper().replace("/MICROSOFT", "/Microsoft"), "default"),
        (f"{NEW}-pilot", NEW, "pilot"),
    ],
)
def test_an_endpoint_is_named_by_name_or_url(text, service, name):
    """Of a New service the service itself is the endpoint default."""
    assert endpoint_name(text, service) == name


@pytest.mark.parametrize(
    ("text", "service"),
    [(URL, URL), (SVC, URL), (f"{URL}/endpoints/prod", "3" * 32), (f"{NEW}2", NEW), (NEW, None), (NEW, URL)],
)
def test_an_endpoint_of_another_service_is_refused(text, service):
    """Or no endpoint at all."""
    with pytest.raises(ConfigurationError, match="is not an endpoint of the predictive web service"):
        endpoint_name(text, service)


def test_a_workspace_is_named_by_its_resource_id():
    """Or, where there are New services only, by its group's."""
    respelt = WORKSPACE["resource"].replace("resourceGroups", "resourcegroups")
    assert ExistingWorkspace.parse(respelt) == ExistingWorkspace(WORKSPACE["resource"], GROUP)
    assert ExistingWorkspace.parse(f"{GROUP}/") == ExistingWorkspace(GROUP, GROUP)
    with pytest.raises(ConfigurationError, match="is not a workspace"):
        ExistingWorkspace.parse("mlw")


# A training service


def test_an_adopted_training_service_stands_for_its_revision(life):
    """Ports as given, parameters as the service tells, a name that fits into an address."""
    found = life.check(training(), {})
    assert found["experiment"] == {
        "name": "Retrain-flights-v2",
        "digest": found["experiment"]["digest"],
        "input": "input1",
        "modelOutput": "output1",
        "evaluationOutput": "output2",
        "parameters": ["Rate", "Seed"],
    }
    assert found["service"] == {"id": SVC, "workspace": WORKSPACE, "kind": "classic"}
    assert (found["kind"], found["url"]) == ("classic", "https://a/default")
    digests = [life.check(training(revision=each), {})["experiment"]["digest"] for each in ("7", "8")]
    assert digests[0] == found["experiment"]["digest"] != digests[1]


def test_a_classic_one_without_revision_is_refused(life):
    """It shows no definition: nobody would notice another experiment."""
    with pytest.raises(ConfigurationError, match="shows no definition") as refused:
        life.check(training(revision=None), {})
    assert "revision" in refused.value.remedy


def test_a_new_one_tells_ports_and_definition(life, services):
    """Nothing has to be said; another definition is another experiment."""
    feeds = {"a": "Evaluation results", "b": "Trained model"}
    services.found = Contract("prices", ("rows",), ("a", "b"), ("Ridge",), feeds, digest="d1")
    new = training(existing=NEW, revision=None, ports=None)
    found = life.check(new, {})
    assert (found["experiment"]["modelOutput"], found["experiment"]["evaluationOutput"]) == ("b", "a")
    assert found["service"]["input"] == "rows"
    services.found = Contract("prices", ("rows",), ("a", "b"), ("Ridge",), feeds, digest="d2")
    again = life.check(new, {})
    assert again["experiment"]["digest"] != found["experiment"]["digest"]
    assert life.diff(found, again).changes
    assert life.diff(found, again).replaces == ()


@pytest.mark.parametrize(
    ("ports", "cause"),
    [
        ({}, "does not tell which port is its model; it has: output1, output2|tell which port is its model"),
        ({"model": "output1"}, "does not tell which port is its evaluation"),
        ({"model": "output9", "evaluation": "output2"}, "has no model port 'output9'"),
        ({"modle": "output1"}, "has no port modle"),
    ],
)
def test_a_port_that_nobody_tells_has_to_be_named(life, ports, cause):
    """And one that is named must be there."""
    with pytest.raises(ConfigurationError, match=cause):
        life.check(training(ports=ports), {})


def test_a_service_of_another_workspace_is_refused(life):
    """The URL says the workspace; so does the component."""
    other = {"resource": WORKSPACE["resource"], "id": "9" * 32}
    with pytest.raises(ConfigurationError, match=f"is in the workspace {WS}, not in"):
        life.check(training(workspace=other), {})
    with pytest.raises(ConfigurationError, match="needs the workspace"):
        life.check(training(workspace={"resource": GROUP, "id": ""}), {})


def test_what_is_not_known_yet_is_looked_for_later(life):
    """A workspace that the same program makes."""
    new = training(workspace=UNKNOWN)
    assert life.check(new, {}) == new
    assert life.diff({}, new).changes


# A predictive service


def test_the_one_trained_model_is_the_one_to_replace(life, services):
    """Of several one has to be named; none is an error."""
    services.found = Contract("prices", ("input1",), ("output1",), resources=("House price",))
    assert life.check(predictive(), {})["experiment"]["resource"] == "House price"
    services.found = Contract("prices", ("input1",), ("output1",), resources=("House price", "Rent"))
    assert life.check(predictive(resource="RENT"), {})["experiment"]["resource"] == "Rent"
    for props, cause in (({}, "2 trained models"), ({"resource": "Hat"}, "0 trained models called 'Hat'")):
        with pytest.raises(ConfigurationError, match=cause):
            life.check(predictive(**props), {})
    services.found = Contract("prices", ("input1",), ("output1",))
    with pytest.raises(ConfigurationError, match="0 trained models; it has: none"):
        life.check(predictive(), {})


# Its life


def test_creating_reads_and_destroying_leaves_it(life, services, told):
    """No call but reads: the fake has no others."""
    checked = life.check(training(), {})
    id_, outputs = life.create(checked)
    assert (id_, outputs) == (SVC, checked)
    assert not life.diff(outputs, life.check(training(), checked)).changes
    assert life.read(SVC, outputs) == (outputs, outputs)
    life.delete(SVC, outputs)
    assert told.lines == []


def test_one_that_vanished_is_gone_on_refresh_and_named(life, services, told):
    """The next preview says what to do."""
    outputs = life.create(life.check(training(), {}))[1]
    services.found = None
    assert life.read(SVC, outputs) is None
    assert told.lines == [f"the adopted web service {URL} is gone"]
    with pytest.raises(ConfigurationError, match="there is no web service"):
        life.check(training(), outputs)


def test_another_service_takes_its_place(life):
    """A new name for the same one does not."""
    old = life.create(life.check(training(), {}))[1]
    assert life.diff(old, training(existing=SVC) | life.check(training(existing=SVC), old)).replaces == ()
    other = f"https://a/workspaces/{WS}/webservices/{'3' * 32}"
    assert life.diff(old, life.check(training(existing=other), old)).replaces == ("existing",)


def test_a_service_that_was_published_is_let_go(life):
    """Named as existing it is recorded so, in place: from then on destroy leaves it."""
    published = {
        "target": "local",
        "kind": "classic",
        "part": "training",
        "name": "flights-training",
        "workspace": WORKSPACE,
        "service": {"id": SVC, "workspace": WORKSPACE},
        "experimentId": "e",
    }
    new = life.check(training(), published)
    assert life.diff(published, new).changes
    assert life.diff(published, new).replaces == ()
    life.delete(SVC, life.update(SVC, published, new))


# Endpoints


def endpoint(name: str = "prod", service: str = SVC) -> dict[str, Any]:
    reference = {"id": service, "workspace": WORKSPACE}
    return {"target": "local", "service": reference, "name": name, "existing": name}


def test_an_adopted_endpoint_is_neither_created_nor_deleted(context, services, told):
    """Found, recorded as it is, left alone; its owner may describe it anew."""
    life = EndpointLifecycle(context)
    checked = life.check(endpoint(), {})
    assert checked["url"] == "https://a/prod"
    id_, outputs = life.create(checked)
    assert not life.diff(outputs, checked | {"description": "another"}).changes
    life.delete(id_, outputs)
    services.endpoints.clear()
    context.memory.forget()  # another run
    assert life.read(id_, outputs) is None
    assert told.lines == ["the adopted endpoint prod is gone"]
    with pytest.raises(ConfigurationError, match="has no endpoint 'prod'"):
        life.check(endpoint(), outputs)


def test_default_is_adopted_of_a_new_service_only(context):
    """Studio never updates a classic service's default endpoint."""
    life = EndpointLifecycle(context)
    assert life.check(endpoint("default", NEW), {})["patchUrl"] == "https://m/default"
    with pytest.raises(ConfigurationError, match="can't be re-bound"):
        life.check(endpoint("default"), {})


# What swagger documents tell


def test_a_swagger_document_tells_names_wherever_it_has_them():
    """Ours by reference, others' inline or in an example; one that tells nothing is no error."""
    ours = {
        "definitions": {
            "ExecutionRequest": {
                "properties": {
                    "Inputs": {"$ref": "#/definitions/ExecutionInputs"},
                    "GlobalParameters": {"properties": {"Rate": {}}},
                }
            },
            "ExecutionInputs": {"properties": {"rows": {}}},
            "ExecutionResults": {"properties": {"Results": {"properties": {"model": {}, "evaluation": {}}}}},
        }
    }
    found = read_swagger(ours)
    assert (found.inputs, found.outputs, found.parameters) == (("rows",), ("model", "evaluation"), ("Rate",))
    example = {"definitions": {"ExecutionRequest": {"example": {"Inputs": {"input1": []}}}}}
    assert read_swagger(example).inputs == ("input1",)
    assert read_swagger({}) == read_swagger({"definitions": "none"}) == Contract("")
