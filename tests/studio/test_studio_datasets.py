"""Datasets, models, modules and outputs of the Studio API, as the published Python, R and PowerShell clients use them."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from cli.authoring import data as data_verbs
from clients.credentials import resolve_target
from clients.storage import Container
from tests.studio.houses import houses
from tests.studio.running import Running, Workspace
from tests.studio.shared import Shared, Trained
from tests.studio.test_studio_publishing import first_detail

TABLE = b"surface,price\n10,1.5\n20,2.5\n"


class Client:
    """The calls that azureml 0.2.7 makes, and R's (`whole`), read from their sources."""

    def __init__(self, workspace: Workspace, token: str = "") -> None:
        self.workspace = workspace
        self.headers = {
            "User-Agent": "pyazureml/0.2.7",
            "Content-Type": "application/json;charset=UTF8",
            "x-ms-client-session-id": "DefaultSession",
            "x-ms-metaanalytics-authorizationtoken": token or workspace.token,
        }

    def call(self, method: str, path: str, content: bytes = b"", agent: str = "") -> httpx.Response:
        headers = self.headers | ({"User-Agent": agent} if agent else {})
        url = f"{self.workspace.studio.url}/api/{path}"
        return self.workspace.studio.http.request(method, url, headers=headers, content=content)

    def begin(self, kind: str = "GenericCSV", whole: bytes = b"") -> str:
        path = f"resourceuploads/workspaces/{self.workspace.id}/?userStorage=true&dataTypeId={kind}"
        return str(self.call("POST", path, whole).raise_for_status().json()["Id"])

    def block(
        self, upload: str, number: int, blocks: int, content: bytes, kind: str = "GenericCSV"
    ) -> httpx.Response:
        query = f"numberOfBlocks={blocks}&blockId={number}&uploadId={upload}&dataTypeId={kind}"
        return self.call("POST", f"blobuploads/workspaces/{self.workspace.id}/?{query}", content)

    def create(
        self, upload: str, name: str, kind: str = "GenericCSV", family: str | None = None, **more: Any
    ) -> httpx.Response:
        source = {
            "Name": name,
            "DataTypeId": kind,
            "Description": "",
            "FamilyId": family,
            "Owner": "Python SDK",
            "SourceOrigin": "FromResourceUpload",
        }
        body = {"DataSource": source, "UploadId": upload, "UploadedFromFileName": "", "ClientPoll": True}
        path = f"workspaces/{self.workspace.id}/datasources"
        return self.call("POST", path, json.dumps(body | more).encode())

    def add(self, name: str, content: bytes = TABLE, family: str | None = None) -> dict[str, Any]:
        upload = self.begin()
        self.block(upload, 0, 1, content).raise_for_status()
        return self.dataset(self.create(upload, name, family=family).raise_for_status().json())

    def dataset(self, identifier: str) -> dict[str, Any]:
        path = f"workspaces/{self.workspace.id}/datasources/{identifier}"
        found: dict[str, Any] = self.call("GET", path).raise_for_status().json()
        return found

    def listed(self) -> list[dict[str, Any]]:
        answer = self.call("GET", f"workspaces/{self.workspace.id}/datasources")
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def content(self, dataset: dict[str, Any]) -> bytes:
        """The bytes, fetched without any key as clients do."""
        place = dataset["DownloadLocation"]
        url = place["BaseUri"] + place["Location"] + place["AccessCredential"]
        return httpx.get(url, trust_env=False).raise_for_status().content


@pytest.fixture(scope="module")
def client(workspace: Workspace) -> Client:
    """A client with the workspace's token."""
    return Client(workspace)


def experiment_of(trained: Trained) -> dict[str, Any]:
    """The training experiment that the run's models came of."""
    listed = trained.endpoint.workspace.api("GET", "experiments").raise_for_status().json()
    services = trained.endpoint.workspace.manage("GET").raise_for_status().json()
    name = next(one["Name"] for one in services if one["Id"] == trained.endpoint.service)
    found: dict[str, Any] = next(one for one in listed if one["Description"] == name)
    return found


@pytest.mark.skipif(
    importlib.util.find_spec("azureml") is None, reason="the Python client is not installed: azureml==0.2.7"
)
def test_the_python_client_lists_uploads_updates_and_downloads(
    workspace: Workspace, trained: Trained, tmp_path: Path
) -> None:
    """azureml 0.2.7, unchanged: each format there and back, blocks, versions, conflicts, experiments, outputs."""
    arguments = (workspace.id, workspace.token, workspace.studio.url, experiment_of(trained)["ExperimentId"])
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("python_client.py"), *arguments],
        env=os.environ | {"HOME": str(tmp_path)},  # a settings file there would win over arguments
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    written = "surface,price\n10,1.5\n20,2.5\n30,3.5\n"
    assert seen["GenericCSV"] == seen["GenericTSV"] == written
    assert seen["GenericCSVNoHeader"] == seen["GenericTSVNoHeader"] == written.replace("surface,price", "0,1")
    assert seen["text"]
    assert seen["large"]
    assert seen["updated"]
    assert seen["dates"][1:] == ["Python SDK", True, False]
    assert seen["stream"] == "surface,price\n10,1.5\n"
    assert (seen["conflict"], seen["unauthorized"], seen["refused"]) == (409, 401, 400)
    assert len(seen["names"]) == 6
    assert seen["examples"] == 0
    assert seen["experiment"][0] == "Finished"
    assert seen["between"] == ["surface", "price", "Scored Labels"]


def test_blocks_come_in_any_order_and_twice(client: Client) -> None:
    """The dataset is its blocks in their order; it is listed, and its address needs no key."""
    upload = client.begin()
    for number, content in ((2, b"20,2.5\n"), (0, b"surface,"), (1, b"wrong"), (1, b"price\n10,1.5\n")):
        assert client.block(upload, number, 3, content).status_code == 200
    answer = client.create(upload, "blocks & more/é")
    assert answer.status_code == 200
    assert answer.text == json.dumps(answer.json())
    dataset = client.dataset(answer.json())
    assert client.content(dataset) == TABLE
    assert (dataset["Size"], dataset["SchemaStatus"], dataset["Batch"]) == (len(TABLE), "Complete", 1)
    assert dataset["CreatedDate"].startswith("/Date(1")
    assert {one["Id"] for one in client.listed()} >= {dataset["Id"]}
    assert client.create(upload, "blocks & more/é").json() == dataset["Id"], "an answer that was lost"


def test_the_r_client_uploads_all_at_once_and_reads_null_for_no_datasets(studio: Running) -> None:
    """R's first body is the content and both steps answer 200; an empty list, which it cannot read, is null to it alone."""
    client = Client(studio.workspace("rclient"))
    listing = f"workspaces/{client.workspace.id}/datasources"
    assert client.call("GET", listing, agent="R").text == "null"
    assert client.call("GET", listing).json() == []
    upload = client.begin("GenericTSV", b'"a"\t"b"\n1\t"x"')
    made = client.create(upload, "from R", "GenericTSV", family="")
    assert made.status_code == 200
    (row,) = client.call("GET", listing, agent="R").json()
    assert row["Id"] == made.text.replace('"', "")
    assert client.content(row) == b'"a"\t"b"\n1\t"x"'
    assert set(row["VisualizeEndPoint"]) >= {"BaseUri", "AccessCredential"}
    path = f"workspaces/{client.workspace.id}/datasources/family/{row['FamilyId']}"
    assert client.call("DELETE", path).status_code < 300
    assert client.call("GET", listing).json() == []
    assert first_detail(client.call("DELETE", path)) == "404 NotFound/DatasetNotFound"
    place = row["DownloadLocation"]
    gone = httpx.get(place["BaseUri"] + place["Location"] + place["AccessCredential"], trust_env=False)
    assert gone.status_code == 404


def test_versions_are_a_family_of_which_the_last_is_listed(client: Client) -> None:
    """An upload with FamilyId is a new version; a name belongs to one dataset; old versions stay as they were."""
    first = client.add("family")
    second = client.add("family renamed", b"surface,price\n1,1\n", first["FamilyId"])
    assert second["FamilyId"] == first["FamilyId"]
    assert (second["Batch"], second["IsLatest"]) == (2, True)
    assert not client.dataset(first["Id"])["IsLatest"]
    assert client.content(first) == TABLE
    ids = [one["Id"] for one in client.listed()]
    assert second["Id"] in ids
    assert first["Id"] not in ids
    other = client.add("family")
    assert other["FamilyId"] != first["FamilyId"], "the name is free again"
    upload = client.begin(whole=TABLE)
    taken = client.create(upload, "family renamed")
    assert first_detail(taken) == "409 Conflict/DatasetAlreadyExists"
    assert first["FamilyId"] in taken.text
    assert first_detail(client.create(upload, "x", family="none")) == "404 NotFound/DatasetNotFound"
    assert client.create(upload, "after a conflict").status_code == 200, "the upload is still there"


def test_a_dataset_is_a_data_version_and_a_jobs_input(
    client: Client, trained: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a client uploads trains by its path, and `./dev data ls` lists its versions with their rows."""
    first = client.add("Houses for all", houses())
    client.add("Houses for all", houses(1.1), first["FamilyId"])
    assert first["DownloadLocation"]["Location"] == "data/datasets/Houses-for-all/1.csv"
    order = trained.order("datasets/Houses-for-all/1.csv", output1="models/from-dataset.ilearner")
    assert trained.endpoint.run(order)["StatusCode"] == "Finished"
    baseline = trained.baseline
    with client.workspace.studio.blobs() as blobs:
        made = blobs.get_blob_client("data", "models/from-dataset.ilearner").download_blob().readall()
    url = baseline["BaseLocation"] + baseline["RelativeLocation"] + baseline["SasBlobToken"]
    assert made == httpx.get(url, trust_env=False).content, "equal bytes give an equal model"
    cloud_file = str(client.workspace.studio.directory / "cloud.json")
    target = resolve_target("local", {"RETRAIN_CLOUD_FILE": cloud_file})
    container = Container(target.connection_string, "data", "")
    monkeypatch.setattr(data_verbs, "_container", lambda _stack: container)
    data_verbs.ls("datasets/Houses-for-all/{version}.csv", as_json=True)
    versions = json.loads(capsys.readouterr().out)
    assert [(row["version"], row["rows"]) for row in versions] == [("1", 200), ("2", 200)]
    assert all(row["digest"] for row in versions)


def test_two_uploads_of_a_name_at_once_make_one_dataset(client: Client) -> None:
    """One of them is the dataset, whole; the others are told of it."""
    contents = [f"a,b\n{number},1\n".encode() for number in range(4)]
    uploads = [client.begin(whole=content) for content in contents]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda upload: client.create(upload, "at once"), uploads))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    (won,) = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    assert client.content(client.dataset(answers[won].json())) == contents[won]
    assert [one["Name"] for one in client.listed()].count("at once") == 1


def test_a_blob_store_that_fails_makes_no_dataset(client: Client, cloud: Shared) -> None:
    """503, which clients try again; the upload stays, the name is free, and the next try is the dataset."""
    upload = client.begin(whole=TABLE)
    failing = {"kind": "status", "status": 500, "service": "blob", "method": "PUT"}
    cloud.faults(failing | {"path": "*/datasets/unlucky/*"})
    failed = client.create(upload, "unlucky")
    cloud.quiet()
    assert first_detail(failed) == "503 ServiceUnavailable/StorageUnavailable"
    assert "unlucky" not in [one["Name"] for one in client.listed()]
    cloud.faults(failing | {"path": "*/datasets/unlucky/*", "when": "after", "count": 1})
    assert client.create(upload, "unlucky").status_code == 503
    made = client.dataset(client.create(upload, "unlucky").raise_for_status().json())
    assert cloud.fired() == [1]
    cloud.quiet()
    assert client.content(made) == TABLE
    assert made["DownloadLocation"]["Location"] == "data/datasets/unlucky/1.csv", "what was written is found"


@pytest.mark.parametrize(
    ("name", "other", "folder"),
    [("a b", "a-b", "datasets/a-b"), ("??", "!!", "datasets/dataset")],
)
def test_two_datasets_never_share_a_folder(client: Client, name: str, other: str, folder: str) -> None:
    """Names that are one in a path get a folder each."""
    first, second = client.add(name), client.add(other)
    assert first["DownloadLocation"]["Location"] == f"data/{folder}/1.csv"
    assert (
        second["DownloadLocation"]["Location"].removeprefix(f"data/{folder}-")
        == f"{second['FamilyId'][:8]}/1.csv"
    )


def test_a_blob_that_is_there_is_never_overwritten(client: Client) -> None:
    """A file that somebody else put where the version would go stays; the version gets the next number."""
    client.workspace.studio.upload("data", "datasets/occupied/1.csv", b"mine")
    made = client.add("occupied")
    assert made["DownloadLocation"]["Location"] == "data/datasets/occupied/2.csv"
    assert client.workspace.studio.download("data", "datasets/occupied/1.csv") == b"mine"


def test_only_the_workspaces_token_opens_datasets(client: Client, studio: Running) -> None:
    """A wrong token, none, and another workspace's are 401; another workspace sees and uploads nothing of this one."""
    dataset, upload = client.add("secret"), client.begin()
    stranger = Client(studio.workspace("stranger"))
    paths = [
        ("GET", f"workspaces/{client.workspace.id}/datasources"),
        ("GET", f"workspaces/{client.workspace.id}/datasources/{dataset['Id']}"),
        ("POST", f"workspaces/{client.workspace.id}/datasources"),
        ("DELETE", f"workspaces/{client.workspace.id}/datasources/family/{dataset['FamilyId']}"),
        ("POST", f"resourceuploads/workspaces/{client.workspace.id}/?dataTypeId=GenericCSV"),
        ("POST", f"blobuploads/workspaces/{client.workspace.id}/?uploadId={upload}"),
        ("GET", f"workspaces/{client.workspace.id}/trainedmodels"),
        ("GET", f"workspaces/{client.workspace.id}/modules"),
    ]
    for token in ("wrong", stranger.workspace.token):
        for method, path in paths:
            answer = Client(client.workspace, token).call(method, path, b"{}")
            assert first_detail(answer) == "401 Unauthorized/AdminRequestUnauthorized", path
    assert studio.http.get(f"{studio.url}/api/{paths[0][1]}").status_code == 401
    assert first_detail(stranger.block(upload, 0, 1, b"x")) == "404 NotFound/UploadNotFound"
    answer = stranger.call("GET", f"workspaces/{stranger.workspace.id}/datasources/{dataset['Id']}")
    assert first_detail(answer) == "404 NotFound/DatasetNotFound"
    journal = json.dumps(studio.journal())
    assert client.workspace.token not in journal
    assert "sig=" not in journal.replace("sig=***", "")


def test_what_is_wrong_with_an_upload_is_said(client: Client) -> None:
    """Types, block numbers, missing blocks, other counts and other types are each refused with their place."""
    path = f"resourceuploads/workspaces/{client.workspace.id}/"
    assert first_detail(client.call("POST", path)) == "400 BadArgument/DataTypeNotSupported"
    assert "GenericCSV" in client.call("POST", f"{path}?dataTypeId=Excel").text
    upload = client.begin()
    assert first_detail(client.create(upload, "empty")) == "400 BadArgument/MissingInputBlobInformation"
    for number, blocks in ((2, 2), (-1, 2), (0, 10**9), (0, 0)):
        refused = client.block(upload, number, blocks, b"x")
        assert first_detail(refused) == "400 BadArgument/InvalidQueryParameter"
    assert first_detail(client.block(upload, 0, 2, b"")) == "400 BadArgument/RequestIsEmpty"
    client.block(upload, 0, 2, b"x").raise_for_status()
    assert first_detail(client.block(upload, 1, 3, b"x")) == "400 BadArgument/InvalidQueryParameter"
    missing = client.create(upload, "half")
    assert "block 1 of 2 has not come" in missing.text
    client.block(upload, 1, 2, b"y").raise_for_status()
    other = client.create(upload, "half", "GenericTSV")
    assert first_detail(other) == "400 BadArgument/DataTypeNotSupported"
    for source in ({"Name": " "}, {"Name": 1}, {}, None, {"Name": "x", "DataTypeId": "x"}):
        assert client.create(upload, "half", DataSource=source).status_code == 400
    arff = b"@relation r\n@attribute a numeric\n@data\n1\n2\n"
    for kind, content, status in (("ARFF", arff, "Complete"), ("Zip", b"PK", "NotSupported")):
        made = client.create(client.begin(kind, content), f"a {kind}", kind).json()
        assert client.dataset(made)["SchemaStatus"] == status
    broken = client.begin(whole=b"a,b\n1\n")
    status = client.dataset(client.create(broken, "broken table").json())["SchemaStatus"]
    assert status == "Failed", "it is kept as it came, and said to be no table"


def test_a_killed_cloud_keeps_datasets_and_goes_on_with_uploads(own_studio: Running) -> None:
    """kill -9 between two blocks: the other block completes the upload, and what was there is there."""
    own_studio.start()
    client = Client(own_studio.workspace("killed"))
    kept, upload = client.add("kept"), client.begin()
    client.block(upload, 0, 2, TABLE[:10]).raise_for_status()
    own_studio.stop(signal.SIGKILL)
    own_studio.start()
    assert client.content(client.dataset(kept["Id"])) == TABLE
    client.block(upload, 1, 2, TABLE[10:]).raise_for_status()
    made = client.create(upload, "went on").raise_for_status().json()
    assert client.content(client.dataset(made)) == TABLE
    folders = own_studio.directory / "data" / "uploads"
    assert not list(folders.iterdir()), "an upload that became a dataset is deleted"


def test_experiments_say_how_their_last_run_went(trained: Trained) -> None:
    """A training experiment that ran is Finished with the times of its job; one that nobody ran is a draft."""
    run = experiment_of(trained)
    status = run["Status"]
    assert status["StatusCode"] == "Finished"
    assert status["CreationTime"] <= status["StartTime"] <= status["EndTime"]
    assert run["JobId"]
    job = trained.endpoint.call("GET", f"jobs/{run['JobId']}").raise_for_status().json()
    assert job["StatusCode"] == "Finished"


def test_an_experiments_ports_give_what_its_run_gave(trained: Trained) -> None:
    """A table between its ends, its model and its evaluation are what the run put out; a learner has no bytes."""
    workspace, run = trained.endpoint.workspace, experiment_of(trained)
    outputs = f"experiments/{run['ExperimentId']}/outputdata"
    before = _own_blobs(workspace.studio)
    scored = workspace.api("GET", f"{outputs}/score/Scored%20dataset")
    assert scored.status_code == 200, scored.text
    frame = pd.read_csv(io.BytesIO(scored.content))
    assert list(frame.columns) == ["surface", "price", "Scored Labels"]
    assert len(frame) == 200
    results = trained.endpoint.call("GET", f"jobs/{run['JobId']}").json()["Results"]["output1"]
    model = httpx.get(
        results["BaseLocation"] + results["RelativeLocation"] + results["SasBlobToken"], trust_env=False
    ).content
    assert workspace.api("GET", f"{outputs}/train/Trained%20model").content == model
    assert first_detail(workspace.api("GET", f"{outputs}/learner/Untrained%20model")).startswith("400")
    refused = workspace.api("GET", f"{outputs}/score/Nothing")
    assert refused.status_code == 400
    assert "Scored dataset" in refused.text, "it says which ports there are"
    assert _own_blobs(workspace.studio) == before, "nothing is left of looking"
    draft = workspace.save("never run", _small()).json()["ExperimentId"]
    answer = workspace.api("GET", f"experiments/{draft}/outputdata/score/x")
    assert first_detail(answer) == "404 NotFound/OutputNotFound"


def _own_blobs(studio: Running) -> list[str]:
    with studio.blobs() as blobs:
        container = blobs.get_container_client("experimentoutput")
        return [one.name for one in container.list_blobs()] if container.exists() else []


def _small() -> dict[str, Any]:
    return {
        "name": "small",
        "nodes": {"rows": {"input": "input1"}, "out": {"output": "output1"}},
        "edges": [{"from": "rows", "to": "out"}],
    }


def test_trained_models_are_those_that_are_held_and_made(
    workspace: Workspace, trained: Trained, scoring: str
) -> None:
    """The list has the model that the scoring service holds, and each that a job made, with a way to its bytes."""
    models = workspace.api("GET", "trainedmodels").raise_for_status().json()
    held = next(one for one in models if one["Name"] == "House price [trained model]")
    assert held["DataTypeId"] == "iLearnerDotNet"
    made = next(one for one in models if one["Name"] == trained.baseline["RelativeLocation"])
    place = made["DownloadLocation"]
    content = httpx.get(
        place["BaseUri"] + place["Location"] + place["AccessCredential"], trust_env=False
    ).content
    assert len(content) == made["Size"]
    assert made["ExperimentId"] == experiment_of(trained)["ExperimentId"]
    for family in {one["FamilyId"] for one in models}:
        batches = [
            (one["Batch"], one["IsLatest"])
            for one in sorted(models, key=lambda each: each["Batch"])
            if one["FamilyId"] == family
        ]
        assert batches == [(n + 1, n + 1 == len(batches)) for n in range(len(batches))]
    assert scoring


def test_modules_are_those_of_the_graph(workspace: Workspace) -> None:
    """Each module with its category and what it does, by the id that exported definitions have."""
    modules = {one["Name"]: one for one in workspace.api("GET", "modules").raise_for_status().json()}
    assert modules["Split Data"]["Category"] == "Data Transformation / Sample and Split"
    assert modules["Split Data"]["Description"].startswith("Divides the rows")
    assert len({one["Id"] for one in modules.values()}) == len(modules) > 50
    assert workspace.api("GET", "transformmodules").json() == []
