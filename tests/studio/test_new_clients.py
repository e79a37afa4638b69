"""Our own clients of New web services against the studio: what they send, and what they leave alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.errors import BindingFailed, ConfigurationError, Conflict, NotFound
from clients.http import connections
from clients.studio_data_plane.references import parsed
from tests.studio.houses import RESOURCE, TRAINING
from tests.studio.new_services import Service, completed, exported
from tests.studio.running import Running

HOUSE = 100.0
CHEAP, DEAR = pytest.approx(100_750, rel=0.01), pytest.approx(110_750, rel=0.01)


def arm_answers(url: str) -> bool:
    """Whether Resource Manager answers there, and not a storage account."""
    return "api-version=" in url or "/subscriptions/" in url


class Wire:
    """What a target's client sends to Resource Manager, and what it is answered: bodies too, which no journal has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[str, str, Any, Any]] = []
        real = connections.SESSION.request

        def request(method: str, url: str, **options: Any) -> Any:
            answer = real(method, url, **options)
            told = arm_answers(url) and answer.content
            answered = answer.json() if told else None
            self.sent.append((method, url, options.get("json"), answered))
            return answer

        monkeypatch.setattr(connections.SESSION, "request", request)

    def of(self, service: Service, *methods: str) -> list[tuple[str, Any, Any]]:
        """The calls about one service's resource itself: method, body, answer."""
        return [
            (method, body, answer)
            for method, url, body, answer in self.sent
            if url.endswith(service.id) and method in (methods or (method,))
        ]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


def uri_of(location: dict[str, Any]) -> str:
    return f"{location['BaseLocation']}{location['RelativeLocation']}"


def changes(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two JSON values differ, the order of members included."""
    if isinstance(one, dict) and isinstance(other, dict) and list(one) == list(other):
        return [found for key in one for found in changes(one[key], other[key], f"{path}/{key}")]
    return [] if one == other and type(one) is type(other) else [path]


def write_effects(studio: Running, service: Service) -> list[str]:
    return [
        one["method"]
        for one in studio.journal("write", "studio")
        if one["path"].partition("?")[0] == service.id
    ]


def test_a_binding_is_one_get_and_one_patch_that_differ_in_one_address(
    studio, services, service, wire, trained
):
    """The PATCH carries the assets that GET gave, in their order, and exactly one uri is another one."""
    before = len(write_effects(studio, service))
    services.bindings(service.id, "default").write(RESOURCE, parsed(trained.dearer))
    assert write_effects(studio, service)[before:] == ["PATCH"]
    (first, _, shown), (second, sent, _) = wire.of(service)
    assert (first, second) == ("GET", "PATCH")
    assert sorted(sent["properties"]) == ["assets", "packageType"]
    [changed] = changes(shown["properties"]["assets"], sent["properties"]["assets"])
    assert changed.endswith("/locationInfo/uri")
    assert service.price(HOUSE) == DEAR


def test_a_large_definition_is_read_from_its_blob_and_put_whole(
    studio, arm, services, wire, definition, trained
):
    """Over 3 MB: the answer has no assets; what is PUT is the definition with one other uri, and nothing is lost."""
    service = arm.service("clientslarge")
    note = "ü" * 1_700_000
    example = {**definition["Properties"]["ExampleRequest"], "note": note}
    service.put({**definition, "Properties": {**definition["Properties"], "ExampleRequest": example}})
    assert "assets" not in service.get()["properties"]
    bindings = services.bindings(service.id, "default")
    [found] = bindings.read()
    assert (found.resource, found.location.rpartition("/")[2]) == (RESOURCE, "houses.ilearner")
    whole = services.definition(service.id)
    wire.sent.clear()
    bindings.write(RESOURCE, parsed(trained.dearer))
    [(_, sent, _)] = wire.of(service, "PUT")
    assert wire.of(service, "PATCH") == []
    own = sent["properties"]
    assert own["exampleRequest"]["note"] == note
    names = ("input", "output", "assets", "parameters", "package", "exampleRequest", "title", "description")
    [changed] = changes(
        {name: whole["properties"][name] for name in names}, {name: own[name] for name in names}
    )
    assert changed.startswith("/assets/")
    assert changed.endswith("/locationInfo/uri")
    assert own["storageAccount"] == {"name": "teststorage", "key": studio.azurite.key}
    assert service.price(HOUSE) == DEAR
    assert [one.location for one in bindings.read()] != [found.location]


def test_a_large_definition_that_somebody_changed_meanwhile_is_not_overwritten(
    arm, services, definition, trained, monkeypatch
):
    """The PUT goes with the ETag that was read."""
    service = arm.service("clientsraced")
    example = {**definition["Properties"]["ExampleRequest"], "note": "x" * 3_300_000}
    large = {**definition, "Properties": {**definition["Properties"], "ExampleRequest": example}}
    service.put(large)
    bindings = services.bindings(service.id, "default")
    real = bindings._store.whole

    def meddle(found: Any) -> Any:
        whole = real(found)
        service.put({**large, "Properties": {**large["Properties"], "Description": "somebody else's"}})
        return whole

    monkeypatch.setattr(bindings._store, "whole", meddle)
    with pytest.raises(Conflict):
        bindings.write(RESOURCE, parsed(trained.dearer))
    assert service.get()["properties"]["description"] == "somebody else's"
    assert service.price(HOUSE) == CHEAP


def test_a_copy_is_paid_by_the_plan_of_what_it_is_a_copy_of(arm, services, service, plan):
    """Nobody says which plan pays for a service that was there; the plan's associations do."""
    services.put_endpoint(service.id, "staging", "a copy")
    copy = arm.service(f"{service.id.rpartition('/')[2]}-staging")
    assert copy.price(HOUSE) == CHEAP
    listed = arm("GET", f"{plan}/commitmentAssociations", version="2016-05-01-preview").json()["value"]
    assert copy.id in [one["properties"]["associatedResourceId"] for one in listed]
    services.delete_endpoint(service.id, "staging")


def test_a_contract_says_ports_parameters_and_what_feeds_the_outputs(
    arm, services, service, workspace, plan, studio
):
    """From the definition alone; a bound model makes no other contract of it."""
    scoring = services.contract(service.id)
    assert scoring is not None
    assert (scoring.inputs, scoring.outputs, scoring.resources) == (("input1",), ("output1",), (RESOURCE,))
    training = arm.service("clientstraining")
    training.put(completed(exported(workspace, "clients-training", TRAINING), plan, studio.azurite.key))
    found = services.contract(training.id)
    assert found is not None
    assert found.feeds == {"output1": "Trained model", "output2": "Evaluation results"}
    assert (found.parameters, found.resources) == (("Ridge",), ())
    assert services.contract(f"{service.id}gone") is None


def test_an_export_goes_back_in_unchanged(files, service, studio):
    """Exported, imported, exported: the same, no secret in it, and the service scores as before."""
    first = files.export(service.id.rpartition("/")[2])
    text = json.dumps(first)
    assert studio.azurite.key not in text
    assert "sig=" not in text
    assert files.import_(json.loads(text), "") == service.id
    assert files.export(service.id) == first
    assert service.price(HOUSE) == CHEAP


def test_an_import_takes_studios_spelling_and_exactly_one_model(files, service, definition, trained):
    """A PascalCase file without account key and plan; --model replaces the one trained model's address."""
    own = {
        name: value
        for name, value in definition["Properties"].items()
        if name not in ("StorageAccount", "CommitmentPlan")
    }
    name = service.id.rpartition("/")[2]
    before = files.export(name)
    files.import_({"Name": name, "Properties": own}, "", model=f"{uri_of(trained.dearer)}")
    assert service.price(HOUSE) == DEAR
    [changed] = changes(before, files.export(name))
    assert changed.endswith("/locationInfo/uri")


def test_a_model_of_the_registry_is_named_by_its_address(files, service, studio, trained):
    """A service with another storage account is given a signature, which no export shows."""
    content = studio.download("data", "models/dearer.ilearner")
    studio.upload("registry", "models/houses/k/1.ilearner", content)
    name = service.id.rpartition("/")[2]
    files.import_(files.export(name), name, model="models/houses/k/1.ilearner")
    assert service.price(HOUSE) == DEAR
    assert "sig=" not in json.dumps(files.export(name))


def test_an_import_creates_a_service_by_its_resource_id(files, service, plan, arm):
    """With a plan; without one, it says that nobody would pay."""
    body = files.export(service.id)
    with pytest.raises(ConfigurationError, match="commitment plan"):
        files.import_(body, f"{service.id}new")
    files.import_(body, f"{service.id}new", plan=plan)
    assert arm.service(f"{service.id.rpartition('/')[2]}new").price(HOUSE) == CHEAP


@pytest.mark.parametrize(
    ("name", "options", "error", "cause"),
    [
        ("nobody", {}, ConfigurationError, "there is no web service 'nobody'"),
        (
            "",
            {"model": "models/houses/k/9.ilearner"},
            ConfigurationError,
            "there is no model 'models/houses/k/9",
        ),
        (
            "",
            {"model": "https://a/b", "resource": "no such"},
            BindingFailed,
            "0 trained models called 'no such'",
        ),
    ],
)
def test_what_cannot_be_imported_is_said_and_changes_nothing(files, service, name, options, error, cause):
    """One cause, before anything is sent."""
    body = files.export(service.id)
    with pytest.raises(error, match=cause):
        files.import_(body, name or service.id, **options)
    assert files.export(service.id) == body


def test_a_read_only_service_is_not_imported_onto(files, service, arm):
    """It can only be deleted; nothing is sent."""
    body = {"properties": {"packageType": "Graph", "readOnly": True}}
    assert arm.end(service.call("PATCH", body=body))["status"] == "Succeeded"
    with pytest.raises(ConfigurationError, match="read-only"):
        files.import_(files.export(service.id), service.id)


def test_an_export_of_nothing_names_what_there_is(files, service):
    """By name or by id; of many, those that are most like it."""
    name = service.id.rpartition("/")[2]
    with pytest.raises(NotFound, match=rf"there (is|are): .*\b{name}\b"):
        files.export(f"{name}x")
    with pytest.raises(NotFound):
        files.export(f"{service.id}gone")
