"""The Studio API: saving and publishing experiments, and what else clients list."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import pytest

from tests.studio.houses import PREDICTIVE, RESOURCE, TRAINING
from tests.studio.running import ARM_TOKEN, Workspace
from tests.studio.shared import Trained


def first_detail(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    return f"{answer.status_code} {error['code']}/{error['details'][0]['code']}"


def test_the_same_description_is_the_same_experiment(workspace: Workspace) -> None:
    """Saving again changes the content, not the id; deleting and saving again gives the id back."""
    first = workspace.save("named", TRAINING).json()
    changed = workspace.save("named", TRAINING | {"description": "other"}).json()
    assert first["ExperimentId"] == changed["ExperimentId"]
    assert first["ExperimentId"].startswith(f"{workspace.id}.f-id.")
    assert first["Status"]["StatusCode"] == "InDraft"
    listed = [one["ExperimentId"] for one in workspace.api("GET", "experiments").json()]
    assert listed.count(first["ExperimentId"]) == 1
    path = f"experiments/{first['ExperimentId']}"
    assert workspace.api("DELETE", path).status_code == 204
    assert first_detail(workspace.api("DELETE", path)) == "404 NotFound/ExperimentNotFound"
    assert workspace.save("named", TRAINING).json()["ExperimentId"] == first["ExperimentId"]


def test_publishing_is_pending_then_completed(workspace: Workspace) -> None:
    """The activity is polled by its own id; a second publishing has to be asked for."""
    experiment = workspace.save("published", TRAINING).json()["ExperimentId"]
    path = f"experiments/{experiment}/webservice"
    started = workspace.api("POST", path, generateNewPortNames="false").json()
    assert started["Status"] == "Pending"
    polled = workspace.api("GET", f"experiments/{started['ActivityId']}/webservice").json()
    assert polled == started | {"Status": "Completed"}
    assert first_detail(workspace.api("POST", path)) == "409 Conflict/WebServiceAlreadyExists"
    again = workspace.api("POST", path, updateExistingWebService="true").json()
    assert again["WebServiceGroupId"] == started["WebServiceGroupId"]
    assert again["EndpointId"] == started["EndpointId"]


def test_a_graph_that_cannot_run_is_refused_with_its_place(workspace: Workspace) -> None:
    """An unknown module is a ValidationError whose target is the node."""
    graph = copy.deepcopy(TRAINING)
    graph["nodes"]["train"]["module"] = "Train Everything"
    answer = workspace.save("broken", graph)
    assert first_detail(answer) == "400 WebServicePackageError/ValidationError"
    assert answer.json()["error"]["details"][0]["target"] == "train"
    assert "broken" not in [one["Description"] for one in workspace.api("GET", "experiments").json()]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Graph": TRAINING}, "BadParameterValue"),
        ({"Description": "x"}, "MissingWebServicePackage"),
        ({"Description": "x", "Graph": PREDICTIVE}, "MissingModelPackage"),
        ({"Description": "x", "Graph": TRAINING, "Resources": {}}, "RequestBodyInvalid"),
        ({"Description": "x", "Graph": TRAINING, "Resources": [{"Name": "m"}]}, "RequestBodyInvalid"),
        (
            {"Description": "x", "Graph": TRAINING, "Resources": [{"Name": "m", "Location": {}}]},
            "BadParameterValue",
        ),
    ],
)
def test_an_incomplete_experiment_is_refused(workspace: Workspace, body: dict[str, Any], code: str) -> None:
    """Name, graph and a location for each trained model are needed, and nothing that the graph lacks."""
    assert first_detail(workspace.api("POST", "experiments", body)) == f"400 BadArgument/{code}"


def test_a_model_that_is_none_is_refused_when_saved(workspace: Workspace, trained: Trained) -> None:
    """Models are fetched and checked at once."""
    studio = workspace.studio
    studio.upload("data", "models/text.ilearner", b"text")
    location = {"ConnectionString": studio.connection_string, "RelativeLocation": "data/models/text.ilearner"}
    answer = workspace.save("x", PREDICTIVE, [{"Name": RESOURCE, "Location": location}])
    assert first_detail(answer) == "400 BadArgument/InvalidBlob"


def test_the_workspace_and_its_lists_are_there_for_its_owner(workspace: Workspace) -> None:
    """The Python client sends the old header alone, with a JSON type on a GET."""
    headers = {
        "x-ms-metaanalytics-authorizationtoken": workspace.token,
        "Content-Type": "application/json;charset=UTF8",
    }
    base = f"{workspace.studio.url}/api/workspaces/{workspace.id}"
    http = workspace.studio.http
    found = http.get(base, headers=headers).json()
    assert found["AuthorizationToken"]["PrimaryToken"] == workspace.token
    assert isinstance(http.get(f"{base}/datasources", headers=headers).json(), list)
    assert isinstance(http.get(f"{base}/experiments", headers=headers).json(), list)
    assert first_detail(http.get(base)) == "401 Unauthorized/AdminRequestUnauthorized"


def test_deleting_the_workspace_removes_all_in_it(workspace: Workspace) -> None:
    """Through ARM: afterwards web services and their data plane are unknown."""
    passing = workspace.studio.workspace("passing")
    endpoint = passing.endpoint(passing.publish("training", TRAINING))
    deleted = passing.studio.http.delete(
        passing.arm, params={"api-version": "2019-10-01"}, headers={"Authorization": f"Bearer {ARM_TOKEN}"}
    )
    assert deleted.status_code in (200, 202, 204)
    assert passing.manage("GET").status_code == 404
    assert endpoint.submit({}).status_code == 404


def test_the_journal_tells_writes_from_reads(workspace: Workspace, trained: Trained, scoring: str) -> None:
    """Saving, publishing, submitting and binding are writes; scoring, polling and keys are reads."""
    studio = workspace.studio
    default = workspace.endpoint(scoring)
    assert studio.http.delete(f"{studio.url}/_local/journal").status_code == 204
    assert studio.journal() == []
    default.price(1)
    job = trained.endpoint.submit(trained.order()).json()
    trained.endpoint.call("GET", f"jobs/{job}")
    workspace.save("journalled", TRAINING)
    key = {"Authorization": f"Bearer {ARM_TOKEN}"}
    studio.http.post(f"{workspace.arm}/listWorkspaceKeys", params={"api-version": "2019-10-01"}, headers=key)
    studio.http.post(f"{studio.url}/api/workspaces/{workspace.id}/experiments")
    entries = studio.journal(service="studio")
    assert [
        (one["method"], one["path"].split("?")[0].rsplit("/", 1)[-1], one["effect"]) for one in entries
    ] == [
        ("POST", "execute", "read"),
        ("POST", "jobs", "write"),
        ("GET", job, "read"),
        ("POST", "experiments", "write"),
        ("POST", "listWorkspaceKeys", "read"),
        ("POST", "experiments", "write"),
    ]
    assert [one["status"] for one in entries] == [200, 200, 200, 200, 200, 401]
    assert all(one["at"].endswith("Z") and set(one) == ENTRY for one in entries)


ENTRY = {"id", "at", "method", "path", "status", "effect", "service"}
