"""Assets, datastores, uploads: what is kept of them, and what may be written once only."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from azure.storage.blob import ContainerClient

from tests.cloud.azureml.aml import Aml

FIRST: dict[str, dict[str, Any]] = {
    "codes": {"codeUri": "https://acct.blob.core.windows.net/c/one"},
    "environments": {"image": "python:3", "condaFile": "dependencies: [numpy]"},
    "data": {"dataType": "uri_file", "dataUri": "azureml://datastores/workspaceblobstore/paths/a.csv"},
    "models": {"modelUri": "azureml://datastores/workspaceblobstore/paths/m", "modelType": "custom_model"},
}
ONCE = {
    "codes": {"codeUri": "https://acct.blob.core.windows.net/c/two"},
    "environments": {"condaFile": "dependencies: [pandas]"},
    "data": {"dataUri": "azureml://datastores/workspaceblobstore/paths/b.csv"},
    "models": {"modelUri": "azureml://datastores/workspaceblobstore/paths/n"},
}


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", FIRST)
def test_a_version_stays_what_it_is_and_what_is_said_of_it_may_change(aml: Aml, kind: str) -> None:
    """Content is written once, tags and description as often as one likes; maps are never null."""
    one = f"{kind}/steady/versions/1"
    made = aml.put(kind, "steady", "1", **FIRST[kind])
    assert (made["properties"]["tags"], made["properties"]["properties"]) == ({}, {})
    assert aml.ws("GET", one).json() == made
    changed = aml.put(kind, "steady", "1", **FIRST[kind], tags={"a": "b"}, description="said")
    assert (changed["properties"]["tags"], changed["properties"]["description"]) == ({"a": "b"}, "said")
    assert changed["systemData"]["createdAt"] == made["systemData"]["createdAt"]
    status, message = refusal(aml.ws("PUT", one, {"properties": {**FIRST[kind], **ONCE[kind]}}))
    assert status == 400
    assert "cannot be" in message
    assert aml.ws("GET", one).json() == changed


@pytest.mark.parametrize("kind", FIRST)
def test_a_container_knows_its_latest_and_its_next_version(aml: Aml, kind: str) -> None:
    """The next one is a number above all numbers, whatever other names there are."""
    assert aml.ws("GET", f"{kind}/counted").status_code == 404
    for version in ("1", "9", "10", "last"):
        aml.put(kind, "counted", version, **FIRST[kind])
    found = aml.ws("GET", f"{kind}/counted").json()["properties"]
    assert (found["latestVersion"], found["nextVersion"]) == ("last", "11")
    newest = aml.ws("GET", f"{kind}/counted/versions", **{"$orderBy": "createdtime desc", "$top": "1"}).json()
    assert [one["name"] for one in newest["value"]] == ["last"]
    following = aml.cloud.http.get(
        newest["nextLink"], headers={"Authorization": "Bearer arm-token-of-these-tests"}
    )
    assert [one["name"] for one in following.json()["value"]] == ["10"]
    assert "counted" in [one["name"] for one in aml.ws("GET", kind).json()["value"]]


@pytest.mark.parametrize("kind", FIRST)
def test_what_is_archived_or_deleted_is_listed_no_more(aml: Aml, kind: str) -> None:
    """An archived version is shown to who asks for it; a deleted one is gone, with its container where that goes."""
    for version in ("1", "2", "3"):
        aml.put(kind, "leaving", version, **FIRST[kind], tags={"kept": version})
    aml.put(kind, "leaving", "2", **FIRST[kind], isArchived=True)
    assert aml.ws("DELETE", f"{kind}/leaving/versions/3").status_code == 200
    assert aml.ws("DELETE", f"{kind}/leaving/versions/3").status_code == 204

    def names(**query: str) -> list[str]:
        found = aml.ws("GET", f"{kind}/leaving/versions", **query).json()["value"]
        return sorted(one["name"] for one in found)

    assert names() == ["1"]
    assert names(listViewType="All") == ["1", "2"]
    assert names(listViewType="ArchivedOnly") == ["2"]
    assert (names(tags="kept=1"), names(tags="kept=2"), names(tags="none")) == (["1"], [], [])
    assert aml.ws("DELETE", f"{kind}/leaving").status_code == 200
    assert aml.ws("GET", f"{kind}/leaving/versions/1").status_code == 404


@pytest.mark.parametrize(
    ("path", "properties", "message"),
    [
        ("codes/a/versions/1", {}, "'codeUri' of codes is required"),
        ("models/a/versions/1", {"modelUri": 3}, "'properties.modelUri' is not a string"),
        ("models/a b/versions/1", FIRST["models"], "no name of an asset"),
        ("data/a/versions/1", {"dataType": "uri_file"}, "'dataUri' of data is required"),
        (
            "models/a/versions/1",
            {"modelUri": "azureml://jobs/none/outputs/x/paths/"},
            "there is no job 'none'",
        ),
        ("models/a/versions/1", {"modelUri": "runs:/none/model"}, "there is nothing"),
        (
            "models/a/versions/1",
            {
                "modelUri": "azureml://subscriptions/s/resourcegroups/g/workspaces/w/jobs/j/outputs/x/paths/",
            },
            "it is in another workspace",
        ),
    ],
)
def test_an_asset_that_is_none_is_refused(
    aml: Aml, path: str, properties: dict[str, Any], message: str
) -> None:
    """With the place of what is wrong."""
    status, said = refusal(aml.ws("PUT", path, {"properties": properties}))
    assert (status, message in said) == (400, True), said


def test_properties_are_added_and_never_changed(aml: Aml) -> None:
    """As the service has it for what it keeps of where an asset came from."""
    aml.put("models", "grown", "1", **FIRST["models"], properties={"a": "1"})
    assert aml.put("models", "grown", "1", **FIRST["models"], properties={"b": "2"})["properties"][
        "properties"
    ] == {
        "a": "1",
        "b": "2",
    }
    change = {"properties": {**FIRST["models"], "properties": {"a": "2"}}}
    assert refusal(aml.ws("PUT", "models/grown/versions/1", change))[0] == 400


def test_an_upload_has_a_container_of_its_own_and_is_found_by_its_hash(aml: Aml) -> None:
    """What is uploaded by the SAS is where the address says; the same content is found whatever its name."""
    first, again = (
        aml.ws("POST", "codes/mine/versions/1/startPendingUpload", {"pendingUploadType": "x"}).json()
        for _ in range(2)
    )
    place = first["blobReferenceForConsumption"]
    assert place["blobUri"] == again["blobReferenceForConsumption"]["blobUri"]
    other = aml.ws("POST", "codes/other/versions/1/startPendingUpload", {}).json()
    assert other["blobReferenceForConsumption"]["blobUri"] != place["blobUri"]
    assert aml.cloud.azurite.key not in str(first)
    with ContainerClient.from_container_url(place["credential"]["sasUri"]) as container:
        container.upload_blob("src/a.py", b"print(1)")
    assert aml.cloud.http.get(f"{place['blobUri']}/src/a.py").status_code in (403, 404, 409)
    aml.put(
        "codes",
        "mine",
        "1",
        codeUri=f"{place['blobUri']}/src",
        properties={"hash_sha256": "h1", "hash_version": 1},
    )

    def named(sha: str, version: str) -> list[str]:
        asked = {"hash": sha, "hashVersion": version}
        found = aml.ws("GET", "codes/elsewhere/versions", **asked).json()["value"]
        return [one["id"].rpartition("/codes/")[2] for one in found]

    assert named("h1", "1") == ["mine/versions/1"]
    assert (named("h1", "2"), named("h2", "1")) == ([], [])


def test_a_workspace_has_its_own_datastores(aml: Aml) -> None:
    """One is the default; secrets come on request only, and expire where that is asked for."""
    listed = aml.ws("GET", "datastores").json()["value"]
    assert [one["name"] for one in listed] == ["workspaceblobstore", "workspaceartifactstore"]
    (default,) = aml.ws("GET", "datastores", isDefault="true").json()["value"]
    assert default["name"] == "workspaceblobstore"
    assert aml.cloud.azurite.key not in str(listed)
    path = "datastores/workspaceblobstore"
    sas = aml.ws("POST", f"{path}/listSecrets", {"expirableSecret": True, "expireAfterHours": 1}).json()
    assert sas["secretsType"] == "Sas"
    url = f"{aml.cloud.blob}/{default['properties']['containerName']}?{sas['sasToken']}"
    with ContainerClient.from_container_url(url) as container:
        container.upload_blob("x/y", b"z")
    assert aml.blobs("workspaceblobstore", "x/") == {"y": b"z"}
    assert refusal(aml.ws("DELETE", path))[0] == 400
    assert refusal(aml.ws("PUT", path, {"properties": default["properties"]}))[0] == 400


def test_a_datastore_of_ones_own_is_kept_without_its_secrets(aml: Aml) -> None:
    """Its container is where its paths lead; what it is of is written once."""
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": "ours",
        "containerName": "lake",
        "credentials": {"credentialsType": "AccountKey", "secrets": {"key": "c2VjcmV0"}},
    }
    made = aml.ws("PUT", "datastores/ours", {"properties": properties})
    assert made.status_code == 201
    assert "c2VjcmV0" not in made.text + aml.ws("GET", "datastores/ours").text
    other = {"properties": {**properties, "containerName": "sea"}}
    assert refusal(aml.ws("PUT", "datastores/ours", other))[0] == 400
    aml.cloud.upload("lake", "in/a.txt", b"from the lake")
    uri = "azureml://datastores/ours/paths/in/a.txt"
    details = aml.run("fisher", "cat ${{inputs.a}}", inputs={"a": {"jobInputType": "uri_file", "uri": uri}})
    assert (details["status"], aml.log("fisher")) == ("Completed", "from the lake")
    assert aml.ws("DELETE", "datastores/ours").status_code == 200
    assert aml.ws("GET", "datastores/ours").status_code == 404
    assert (
        refusal(aml.ws("PUT", "datastores/files", {"properties": {"datastoreType": "AzureFile"}}))[0] == 400
    )


def test_without_a_token_nothing_is_told(aml: Aml) -> None:
    """Neither by Resource Manager, nor by run history, nor by the tracking server."""
    version = {"api-version": "2024-10-01"}
    for path, query in (
        (f"{aml.path}/models", version),
        (f"/history/v1.0{aml.path}/runs/x", {}),
        (f"/mlflow/v1.0{aml.path}/api/2.0/mlflow/experiments/search", {}),
    ):
        assert aml.call("GET", path, token="nobody", **query).status_code == 401, path
