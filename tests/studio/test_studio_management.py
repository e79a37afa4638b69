"""Classic management: web services, endpoints, keys, and the PATCH that replaces a model."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import httpx
import pytest

from tests.studio.houses import PREDICTIVE, RESOURCE, TRAINING
from tests.studio.running import Endpoint, Workspace
from tests.studio.shared import Trained

Location = dict[str, Any]


def first_detail(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert error["details"][0]["message"]
    return f"{answer.status_code} {error['code']}/{error['details'][0]['code']}"


def resources(endpoint: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = endpoint.workspace.manage(
        "GET", f"/{endpoint.service}/endpoints/{endpoint.name}"
    ).json()["Resources"]
    return found


def test_services_are_listed_with_their_default_endpoint(workspace: Workspace, scoring: str) -> None:
    """The list is an array of WebService; each names its default endpoint."""
    listed = {service["Id"]: service for service in workspace.manage("GET").json()}
    assert listed[scoring] == workspace.manage("GET", f"/{scoring}").json()
    assert listed[scoring]["Name"] == "houses-predictive"
    assert listed[scoring]["DefaultEndpointName"] == "default"
    assert listed[scoring]["WorkspaceId"] == workspace.id


def test_an_endpoint_has_keys_and_absolute_addresses_of_the_host_that_was_called(endpoint: Endpoint) -> None:
    """ApiLocation has no suffix; keys are base64 of 64 bytes; addresses use the client's own Host."""
    workspace = endpoint.workspace
    url = f"http://localhost:{workspace.studio.port}/workspaces/{workspace.id}/webservices/{endpoint.service}"
    answer = workspace.studio.http.get(f"{url}/endpoints/{endpoint.name}", headers=workspace.headers)
    found = answer.json()
    assert len(b64decode(found["PrimaryKey"])) == len(b64decode(found["SecondaryKey"])) == 64
    base = f"http://localhost:{workspace.studio.port}"
    guid = found["ApiLocation"].rsplit("/", 1)[-1]
    assert found["ApiLocation"] == f"{base}/workspaces/{workspace.id}/services/{guid}"
    assert found["HelpLocation"].startswith(f"{base}/apihelp/workspaces/{workspace.id}/webservices/")
    assert found["HelpLocation"].endswith(guid)


def test_an_endpoint_is_created_once_and_then_changed(workspace: Workspace, scoring: str) -> None:
    """PUT answers 201, then 200; what is null keeps its value; its keys stay."""
    path = f"/{scoring}/endpoints/putonce"
    body = {
        "WebServiceId": scoring,
        "EndpointName": "putonce",
        "Description": "first",
        "ThrottleLevel": "High",
        "MaxConcurrentCalls": 7,
        "PreventUpdate": False,
    }
    created = workspace.manage("PUT", path, body)
    changed = workspace.manage(
        "PUT", path, {"Description": None, "ThrottleLevel": "Low", "MaxConcurrentCalls": 90}
    )
    assert (created.status_code, changed.status_code) == (201, 200)
    assert created.json()["MaxConcurrentCalls"] == 7
    assert changed.json()["MaxConcurrentCalls"] == 4
    assert changed.json()["Description"] == "first"
    assert changed.json()["PrimaryKey"] == created.json()["PrimaryKey"]
    names = [one["Name"] for one in workspace.manage("GET", f"/{scoring}/endpoints").json()]
    assert names[0] == "default"
    assert names.count("putonce") == 1
    assert workspace.manage("DELETE", path).status_code == 204
    assert first_detail(workspace.manage("GET", path)) == "404 NotFound/WebServiceNotFound"


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("Prod", {}, "BadParameterValue"),
        ("a" * 25, {}, "BadParameterValue"),
        ("prod", {"ThrottleLevel": "Medium"}, "BadParameterValue"),
        ("prod", {"MaxConcurrentCalls": 0}, "WebServiceConcurrentRequestRequirementInvalid"),
        ("prod", {"MaxConcurrentCalls": 201}, "WebServiceTooManyConcurrentRequestRequirement"),
        ("prod", {"PreventUpdate": "perhaps"}, "BadParameterValue"),
    ],
)
def test_an_endpoint_that_studio_would_refuse_is_refused(
    workspace: Workspace, scoring: str, name: str, body: dict[str, Any], code: str
) -> None:
    """Names have at most 24 lower-case letters and digits; limits are those of the FAQ."""
    answer = workspace.manage("PUT", f"/{scoring}/endpoints/{name}", body)
    assert first_detail(answer) == f"400 BadArgument/{code}"


def test_patch_replaces_the_model_at_once_and_says_nothing(
    endpoint: Endpoint, trained: Trained, workspace: Workspace, scoring: str
) -> None:
    """After 200 with an empty body the endpoint predicts with the new model; others keep theirs."""
    before = endpoint.price(100)
    location = trained.dearer | {"FullURL": "http://ignored.example"}
    answer = endpoint.patch(RESOURCE.upper(), location)
    assert (answer.status_code, answer.content) == (200, b"")
    assert endpoint.price(100) == pytest.approx(before + 10_000, rel=0.01)
    assert workspace.endpoint(scoring).price(100) == pytest.approx(before)


def test_what_was_bound_is_told_without_its_sas(endpoint: Endpoint, trained: Trained) -> None:
    """Resources has the location that was bound; the SAS is never handed back."""
    endpoint.patch(RESOURCE, trained.dearer).raise_for_status()
    assert resources(endpoint) == [
        {
            "Name": RESOURCE,
            "Kind": "TrainedModel",
            "Location": {
                "BaseLocation": trained.dearer["BaseLocation"],
                "RelativeLocation": "data/models/dearer.ilearner",
                "SasBlobToken": None,
            },
        }
    ]


def test_the_address_is_joined_with_exactly_one_slash(endpoint: Endpoint, trained: Trained) -> None:
    """BaseLocation without its slash, RelativeLocation with one, and a URL split elsewhere all mean the same."""
    base, relative = trained.dearer["BaseLocation"], trained.dearer["RelativeLocation"]
    host, _, account = base.rstrip("/").rpartition("/")
    for pair in ((base.rstrip("/"), relative), (base, f"/{relative}"), (f"{host}/", f"{account}/{relative}")):
        location = trained.dearer | {"BaseLocation": pair[0], "RelativeLocation": pair[1]}
        assert endpoint.patch(RESOURCE, location).status_code == 200


def test_the_model_is_copied_not_referenced(
    endpoint: Endpoint, trained: Trained, workspace: Workspace
) -> None:
    """The blob may be deleted after the PATCH; the endpoint goes on with it."""
    studio = workspace.studio
    model = studio.download("data", "models/dearer.ilearner")
    studio.upload("data", "models/passing.ilearner", model)
    with studio.blobs() as service:
        blob = service.get_blob_client("data", "models/passing.ilearner")
        location = {
            "ConnectionString": studio.connection_string,
            "RelativeLocation": "data/models/passing.ilearner",
        }
        assert endpoint.patch(RESOURCE, location).status_code == 200
        blob.delete_blob()
    assert endpoint.price(100) > 109_000


def test_the_default_endpoint_is_never_patched(workspace: Workspace, scoring: str, trained: Trained) -> None:
    """It is refused with the way out, whoever asks, and keeps its model."""
    default = workspace.endpoint(scoring)
    before = default.price(100)
    answer = default.patch(RESOURCE, trained.dearer)
    assert first_detail(answer) == "400 InvalidOperation/DefaultEndpointNotUpdatable"
    assert "add an endpoint" in answer.json()["error"]["details"][0]["message"]
    assert default.price(100) == before
    refused = workspace.manage(
        "POST", f"/{scoring}/endpoints/default/refresh", {"OverwriteResources": "True"}
    )
    assert refused.status_code == 400
    assert workspace.manage("DELETE", f"/{scoring}/endpoints/default").status_code == 400


def test_a_wrong_patch_leaves_the_endpoint_as_it_was(
    endpoint: Endpoint, trained: Trained, workspace: Workspace
) -> None:
    """Unknown name, missing blob, bad SAS, no model, no address: each is refused and nothing changes."""
    workspace.studio.upload("data", "models/not.ilearner", b"not a model")
    key = workspace.studio.connection_string
    before, price = resources(endpoint), endpoint.price(100)

    def refused(resource: str, location: Location) -> str:
        answer = endpoint.patch(resource, location)
        assert "sig" not in answer.text
        return first_detail(answer)

    missing = {"ConnectionString": key, "RelativeLocation": "data/models/none.ilearner"}
    unsigned = trained.dearer | {"SasBlobToken": "?sv=2015-02-21&sr=b&sig=AAAA&sp=r"}
    nothing = {"ConnectionString": key, "RelativeLocation": "data/models/not.ilearner"}
    elsewhere = {
        "BaseLocation": "http://127.0.0.1:9/",
        "RelativeLocation": "c/m.ilearner",
        "SasBlobToken": None,
    }
    assert refused("Another [trained model]", trained.dearer) == "400 BadArgument/BadParameterValue"
    assert refused(RESOURCE, missing) == "400 BadArgument/BlobNotFound"
    assert refused(RESOURCE, unsigned) == "400 BadArgument/BlobNotFound"
    assert refused(RESOURCE, nothing) == "400 BadArgument/InvalidBlob"
    assert refused(RESOURCE, elsewhere) == "400 BadArgument/BlobNotFound"
    assert refused(RESOURCE, {}) == "400 BadArgument/InputBlobRelativeLocationInvalid"
    assert (resources(endpoint), endpoint.price(100)) == (before, price)


def test_a_model_with_other_columns_is_a_conflict(
    endpoint: Endpoint, workspace: Workspace, trained: Trained
) -> None:
    """Trained on another column, it is refused as ModelOutputMetadataMismatch."""
    studio = workspace.studio
    rows = b"".join(b"%d,%d\r\n" % (n, n * 3) for n in range(50))
    studio.upload("data", "rooms.csv", b"rooms,price\r\n" + rows)
    other = trained.endpoint.run(trained.order("rooms.csv", output1="models/rooms.ilearner"))["Results"][
        "output1"
    ]
    assert first_detail(endpoint.patch(RESOURCE, other)) == "409 Conflict/ModelOutputMetadataMismatch"


def test_a_training_service_has_nothing_to_update(workspace: Workspace, trained: Trained) -> None:
    """Its endpoints have no resources, and a PATCH says where to send it instead."""
    extra = workspace.endpoint(trained.endpoint.service, "extra")
    assert resources(extra) == []
    answer = extra.patch(RESOURCE, trained.dearer)
    assert first_detail(answer) == "400 InvalidOperation/NoUpdatableResource"


def test_prevent_update_prevents_updates(workspace: Workspace, scoring: str, trained: Trained) -> None:
    """An endpoint created so takes neither a PATCH nor a refresh."""
    workspace.manage("PUT", f"/{scoring}/endpoints/frozen", {"PreventUpdate": True})
    frozen = workspace.endpoint(scoring, "frozen")
    assert (
        first_detail(frozen.patch(RESOURCE, trained.dearer)) == "400 InvalidOperation/EndpointPreventsUpdate"
    )


def test_publishing_again_touches_the_default_endpoint_only(workspace: Workspace, trained: Trained) -> None:
    """Ids and keys stay; a further endpoint follows by refresh, which is 304 when there is nothing to take."""

    def publish(location: Location, note: str) -> str:
        graph = PREDICTIVE | {"description": note}
        return workspace.publish("again", graph, [{"Name": RESOURCE, "Location": location}])

    service = publish(trained.baseline, "one")
    default, further = workspace.endpoint(service), workspace.endpoint(service, "further")
    cheap = default.price(100)
    assert publish(trained.dearer, "two") == service
    assert workspace.endpoint(service).key == default.key
    assert default.price(100) > cheap
    assert further.price(100) == cheap
    refresh = f"/{service}/endpoints/further/refresh"
    assert workspace.manage("POST", refresh, {"OverwriteResources": "False"}).status_code == 200
    assert further.price(100) == cheap
    assert workspace.manage("POST", refresh, {"OverwriteResources": "True"}).status_code == 200
    assert further.price(100) == default.price(100)
    assert workspace.manage("POST", refresh, {"OverwriteResources": True}).status_code == 304


def test_an_endpoints_key_opens_its_own_management_only(
    endpoint: Endpoint, workspace: Workspace, scoring: str
) -> None:
    """Keys of other endpoints, wrong ones and none are 401 with details; the list needs the token."""
    own = f"/{scoring}/endpoints/{endpoint.name}"
    assert workspace.manage("GET", own, key=endpoint.key).status_code == 200
    for path in (f"/{scoring}/endpoints/default", f"/{scoring}/endpoints", f"/{scoring}", ""):
        answer = workspace.manage("GET", path, key=endpoint.key)
        assert first_detail(answer) == "401 Unauthorized/ManagementRequestUnauthorized"
    url = f"{workspace.studio.url}/workspaces/{workspace.id}/webservices{own}"
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {workspace.token}"}):
        assert workspace.studio.http.get(url, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer  {token}"},
        {"authorization": "bearer {token}"},
        {"x-ms-metaanalytics-authorizationtoken": "{token}"},
        {
            "Authorization": "Bearer {token}",
            "x-ms-metaanalytics-authorizationtoken": "{token}",
            "x-aml-sdk": "powershell_0.3.8",
        },
        {"Authorization": "Bearer stale", "x-ms-metaanalytics-authorizationtoken": "{token}"},
    ],
)
def test_every_published_way_to_send_the_token_is_accepted(
    workspace: Workspace, headers: dict[str, str]
) -> None:
    """Two blanks, lower case, the old header alone, both headers at once."""
    sent = {name: value.format(token=workspace.token) for name, value in headers.items()}
    url = f"{workspace.studio.url}/workspaces/{workspace.id}/webservices"
    assert workspace.studio.http.get(url, headers=sent).status_code == 200


def test_unknown_things_are_404_in_the_envelope(workspace: Workspace, scoring: str) -> None:
    """Workspace, web service and endpoint each have their code; so has a path that is none."""
    http, url = workspace.studio.http, workspace.studio.url
    unknown = http.get(f"{url}/workspaces/{'0' * 32}/webservices", headers=workspace.headers)
    assert first_detail(unknown) == "404 NotFound/WorkspaceNotFound"
    assert first_detail(workspace.manage("GET", "/none")) == "404 NotFound/WebServiceIdNotFoundInWorkspace"
    assert (
        first_detail(workspace.manage("GET", f"/{scoring}/endpoints/none"))
        == "404 NotFound/WebServiceNotFound"
    )
    assert first_detail(http.get(f"{url}/nothing/here")) == "404 NotFound/ResourceNotFound"


def test_code_bundles_are_refused_by_name(workspace: Workspace) -> None:
    """azureml and R can publish code; this local cloud says that it does not run it."""
    answer = workspace.manage("PUT", f"/{'1' * 32}", {"Name": "f", "Type": "Code", "CodeBundle": {}})
    assert first_detail(answer) == "400 BadArgument/WebServiceTypeInvalid"


def test_a_deleted_service_is_gone_with_its_endpoints(workspace: Workspace) -> None:
    """DELETE answers 204; the data plane and the list know it no more."""
    service = workspace.publish("passing", TRAINING)
    endpoint = workspace.endpoint(service)
    assert workspace.manage("DELETE", f"/{service}").status_code == 204
    assert workspace.manage("DELETE", f"/{service}").status_code == 404
    assert endpoint.submit({}).status_code == 404
    assert service not in [one["Id"] for one in workspace.manage("GET").json()]
