"""What our clients of New web services advise, done against the studio."""

from __future__ import annotations

from typing import Any

import pytest

from clients.credentials import Target
from clients.studio_data_plane.references import parsed
from clients.studio_new import definition as definitions
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.services.commitment_plan import CommitmentPlanLifecycle
from tests.healing import Told
from tests.studio.houses import RESOURCE
from tests.studio.new_services import CURRENT, GROUP, PREVIEW, PROVIDER, Arm
from tests.studio.running import Running
from tests.studio.test_new_clients import CHEAP, DEAR, HOUSE, uri_of
from tests.unit.fakes import Listener, OpenGuard

FILES = "clients/studio_new/files.py"


@pytest.fixture
def name(service: Any) -> str:
    """The name of the service of this test."""
    return str(service.id.rpartition("/")[2])


@pytest.mark.parametrize("way", ["delete", "move"])
@pytest.mark.heals("delete what it pays for, or move that to another plan, then run the update again")
def test_a_plan_that_is_in_use_goes_after_what_it_pays_for(
    remedy: Told, arm: Arm, definition: dict[str, Any], target: Target, studio: Running, way: str
) -> None:
    """It names the service; both ways out lead out."""
    studio.upload("registry", "models/houses/note.txt", b"so that the container is there")
    context = Context(Listener(), OpenGuard(), resolve_target=lambda _name: target)
    life, name = CommitmentPlanLifecycle(context), f"remedy{way}"
    wanted = {"target": "local", "group": GROUP, "location": "southcentralus", "name": name}
    id_, made = life.create(wanted)
    paid = arm.service(f"paidby{way}")
    paid.put({**definition, "Properties": {**definition["Properties"], "CommitmentPlan": {"Id": id_}}})
    refused = remedy.fails(lambda: life.delete(id_, made))
    assert paid.id in refused.cause
    assert "changed by somebody else" not in str(refused)
    if way == "delete":
        context.resource_manager("local", CURRENT).delete(paid.id, "the service")
    else:
        [found] = arm("GET", f"{id_}/commitmentAssociations", version=PREVIEW).json()["value"]
        arm("POST", f"{found['id']}/move", {"destinationPlanId": arm.plan("another")}, PREVIEW)
    life.delete(id_, made)
    assert life.read(id_, made) is None


@pytest.mark.heals("name one of these", at=FILES)
def test_an_export_of_what_is_named_there(remedy: Told, files: Any, name: str) -> None:
    """One of the names that the error gives."""
    error = remedy.fails(lambda: files.export(f"{name}x"))
    assert name in error.cause
    assert files.export(name)


@pytest.mark.heals("name a file that ./dev definition export wrote", at=FILES)
def test_an_import_of_an_export(remedy: Told, files: Any, name: str) -> None:
    """Another JSON file is none."""
    remedy.fails(lambda: files.import_({"nodes": {}}, name))
    files.import_(files.export(name), name)


@pytest.mark.heals("name the service: --name NAME")
def test_an_import_with_a_name(remedy: Told, files: Any, name: str, service: Any) -> None:
    """Where the file says none."""
    body = {"properties": files.export(name)["properties"]}
    remedy.fails(lambda: files.import_(body, ""))
    assert files.import_(body, name) == service.id


@pytest.mark.heals(
    "name one: --plan /subscriptions/…/providers/Microsoft.MachineLearning/commitmentPlans/NAME"
)
def test_an_import_with_a_plan(remedy: Told, files: Any, name: str, service: Any, plan: str) -> None:
    """Nobody pays for a service that is not there yet."""
    body = files.export(name)
    remedy.fails(lambda: files.import_(body, f"{service.id}planned"))
    assert files.import_(body, f"{service.id}planned", plan=plan)


@pytest.mark.heals("import the definition as another service: --name RESOURCE-ID")
@pytest.mark.heals("publish it under another name without readOnly, and declare that one")
def test_what_is_read_only_lives_on_as_another(
    remedy: Told, files: Any, services: Any, service: Any, arm: Arm, plan: str, trained: Any
) -> None:
    """Its definition, without readOnly, as another service: imported onto, and bound."""
    body = {"properties": {"packageType": "Graph", "readOnly": True}}
    assert arm.end(service.call("PATCH", body=body))["status"] == "Succeeded"
    exported = files.export(service.id)
    remedy.fails(lambda: files.import_(exported, service.id))
    remedy.fails(lambda: services.bindings(service.id, "default").write(RESOURCE, parsed(trained.dearer)))
    definitions.put_member(exported["properties"], "readOnly", False)
    copy = files.import_(exported, f"{service.id}copy", plan=plan)
    services.bindings(copy, "default").write(RESOURCE, parsed(trained.dearer))
    assert arm.service(copy.rpartition("/")[2]).price(HOUSE) == DEAR


def twin(body: dict[str, Any], name: str, **changed: Any) -> dict[str, Any]:
    """The definition with a second trained model, called *name*."""
    assets = body["properties"]["assets"]
    key, asset = next((key, one) for key, one in assets.items() if definitions.is_resource(one))
    more = {f"{key}2": {**asset, "name": name, **changed}}
    return {**body, "properties": {**body["properties"], "assets": {**assets, **more}}}


@pytest.mark.heals("name the one to be replaced: --resource NAME")
def test_one_model_of_two_is_named(remedy: Told, files: Any, name: str, trained: Any, service: Any) -> None:
    """Which one an import replaces."""
    body = twin(files.export(name), "another [trained model]")
    model = uri_of(trained.dearer)
    remedy.fails(lambda: files.import_(body, name, model=model))
    files.import_(body, name, model=model, resource=RESOURCE)
    assert service.price(HOUSE) == DEAR


@pytest.mark.heals("leave out --model")
def test_no_model_no_option(remedy: Told, files: Any, name: str, trained: Any) -> None:
    """A definition that trains has none to replace."""
    body = files.export(name)
    kept = {key: one for key, one in body["properties"]["assets"].items() if not definitions.is_resource(one)}
    nodes = body["properties"]["package"]["nodes"]
    without = {**body, "properties": {**body["properties"], "assets": kept}}
    remedy.fails(lambda: files.import_(without, name, model=uri_of(trained.dearer)))
    assert nodes
    assert files.import_(body, name)


@pytest.mark.heals("see ./dev runs show KEY for a model's address")
def test_a_model_by_its_address(remedy: Told, files: Any, name: str, studio: Any, service: Any) -> None:
    """The one that a run has."""
    address = "models/houses/a/1.ilearner"
    studio.upload("registry", address, studio.download("data", "models/dearer.ilearner"))
    remedy.fails(lambda: files.import_(files.export(name), name, model="models/houses/a/2.ilearner"))
    files.import_(files.export(name), name, model=address)
    assert service.price(HOUSE) == DEAR


@pytest.mark.heals("name a New web service")
def test_a_classic_service_shows_no_definition(remedy: Told, files: Any, name: str) -> None:
    """A New one does."""
    classic = f"https://m/workspaces/{'1' * 32}/webservices/{'2' * 32}"
    remedy.fails(lambda: files.export(classic))
    assert files.export(name)


@pytest.mark.heals("give the resource id of one of them")
def test_two_of_one_name_are_told_apart_by_their_ids(
    remedy: Told, files: Any, name: str, service: Any, arm: Arm, definition: dict[str, Any]
) -> None:
    """In two resource groups."""
    other = f"{GROUP}-twins"
    arm("PUT", other, {"location": "westeurope"}, "2021-04-01").raise_for_status()
    id_ = f"{other}/providers/Microsoft.MachineLearning/webServices/{name}"
    arm.end(arm("PUT", id_, definition))
    error = remedy.fails(lambda: files.export(name))
    assert service.id in error.cause
    assert files.export(service.id)
    arm("DELETE", other, version="2021-04-01").raise_for_status()


@pytest.mark.heals(
    "name one of these, or, to create one, its resource id: /subscriptions/…/resourceGroups/…/providers/{}/{}"
)
def test_an_import_under_a_name_that_is_there_or_an_id(
    remedy: Told, files: Any, name: str, plan: str, service: Any
) -> None:
    """Both ways."""
    body = files.export(name)
    remedy.fails(lambda: files.import_(body, "nobody", plan=plan))
    assert files.import_(body, name) == service.id
    assert files.import_(body, f"{PROVIDER}/webServices/{name}made", plan=plan)


@pytest.mark.heals("declare the trained model by the name of its asset in the definition")
def test_a_model_by_the_name_of_its_asset(remedy: Told, services: Any, service: Any, trained: Any) -> None:
    """As the error lists it."""
    bindings = services.bindings(service.id, "default")
    error = remedy.fails(lambda: bindings.write("no such", parsed(trained.dearer)))
    assert RESOURCE in error.cause
    bindings.write(RESOURCE, parsed(trained.dearer))
    assert service.price(HOUSE) == DEAR


@pytest.mark.heals("export the definition, give the asset a locationInfo, and import it")
def test_a_model_without_a_place_is_given_one(
    remedy: Told, files: Any, name: str, service: Any, trained: Any
) -> None:
    """In the exported file."""
    body = files.export(name)
    asset = next(one for one in body["properties"]["assets"].values() if definitions.is_resource(one))
    place = asset.pop("locationInfo")
    remedy.fails(lambda: files.import_(body, name, model=uri_of(trained.dearer)))
    asset["locationInfo"] = place
    files.import_(body, name, model=uri_of(trained.dearer))
    assert service.price(HOUSE) == DEAR


@pytest.mark.heals("run ./dev refresh, then ./dev up", at="clients/studio_new/bindings.py")
@pytest.mark.heals(
    "run ./dev refresh to see what is there, then ./dev up", at="clients/studio_new/services.py"
)
def test_what_is_gone_is_there_again_after_an_update(
    remedy: Told, services: Any, service: Any, definition: dict[str, Any]
) -> None:
    """A refresh drops what is gone from the state, so that the next update publishes it: bound and scored."""
    services.delete_endpoint(service.id, "default")
    remedy.fails(lambda: services.bindings(service.id, "default").read())
    remedy.fails(lambda: services.scoring(service.id, "default"))
    assert not services.exists(service.id)
    service.put(definition)
    assert services.bindings(service.id, "default").read()
    assert service.price(HOUSE) == CHEAP
    assert services.scoring(service.id, "default")
