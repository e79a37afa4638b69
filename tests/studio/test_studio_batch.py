"""Batch execution, called as published clients call it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from azure.storage.blob import ContentSettings

from graph import model_schema
from tests.studio.houses import houses, slow_training
from tests.studio.running import VERSION, Endpoint, Running, Workspace
from tests.studio.shared import Trained
from tests.waiting import eventually


def first_detail(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert error["message"]
    assert error["details"][0]["message"]
    return f"{answer.status_code} {error['code']}/{error['details'][0]['code']}"


def url_of(result: dict[str, Any]) -> str:
    return f"{result['BaseLocation']}{result['RelativeLocation']}{result['SasBlobToken']}"


def test_submit_answers_a_quoted_id_and_nothing_else(trained: Trained) -> None:
    """Clients cut the first and the last character, so there is no line end and no blank."""
    answer = trained.endpoint.submit(trained.order())
    assert answer.status_code == 200
    assert len(answer.text) == 34
    assert answer.text == json.dumps(answer.text[1:-1])
    assert int(answer.text[1:-1], 16) >= 0
    assert answer.text[1:-1] == answer.text[1:-1].lower()


def test_a_job_runs_only_when_started_and_only_once(trained: Trained) -> None:
    """A submitted job is NotStarted; starting it twice is CannotStartJob."""
    endpoint = trained.endpoint
    job = endpoint.submit(trained.order()).json()
    assert endpoint.call("GET", f"jobs/{job}").json() == {
        "StatusCode": "NotStarted",
        "Results": None,
        "Details": None,
    }
    assert endpoint.call("POST", f"jobs/{job}/start").status_code == 200
    again = endpoint.call("POST", f"jobs/{job}/start")
    assert first_detail(again) == "400 InvalidOperation/CannotStartJob"
    endpoint.wait(job, "Finished")


def test_results_can_be_read_by_plain_concatenation(trained: Trained) -> None:
    """BaseLocation + RelativeLocation + SasBlobToken is a URL of the blob, the model an .ilearner."""
    status = trained.endpoint.run(trained.order(output1="out/m.ilearner", output2="out/e.csv"))
    assert (status["StatusCode"], status["Details"]) == ("Finished", None)
    model, evaluation = status["Results"]["output1"], status["Results"]["output2"]
    assert model["RelativeLocation"] == "data/out/m.ilearner"
    assert model["ConnectionString"] is None
    assert model["BaseLocation"].endswith("/")
    assert model_schema(httpx.get(url_of(model)).content)
    table = httpx.get(url_of(evaluation)).content
    assert table.count(b"\r\n") == 2
    assert b"Coefficient of Determination" in table


def test_outputs_that_were_not_named_go_to_the_workspaces_own_container(trained: Trained) -> None:
    """Without Outputs, results are in experimentoutput under generated names."""
    results = trained.endpoint.run(trained.order())["Results"]
    assert results["output1"]["RelativeLocation"].startswith("experimentoutput/")
    assert results["output1"]["RelativeLocation"].endswith(".ilearner")
    assert results["output2"]["RelativeLocation"].endswith(".csv")
    assert httpx.get(url_of(results["output2"])).status_code == 200


def test_each_status_has_a_fresh_read_only_sas_for_one_blob_and_a_day(trained: Trained) -> None:
    """sr=b, sp=r, valid for 24 hours and 5 minutes."""
    token = parse_qs(trained.baseline["SasBlobToken"].lstrip("?"))
    assert (token["sr"], token["sp"]) == (["b"], ["r"])
    start, end = (datetime.fromisoformat(token[name][0]) for name in ("st", "se"))
    assert (end - start).total_seconds() == 24 * 3600 + 300
    assert (
        httpx.put(url_of(trained.baseline), content=b"x", headers={"x-ms-blob-type": "BlockBlob"}).status_code
        == 403
    )


def test_equal_training_gives_equal_bytes(trained: Trained) -> None:
    """The same data and parameters give the same model, byte for byte."""
    again = trained.endpoint.run(trained.order(output1="models/again.ilearner"))["Results"]["output1"]
    assert httpx.get(url_of(again)).content == httpx.get(url_of(trained.baseline)).content


def test_blobs_may_be_named_by_sas(trained: Trained) -> None:
    """BaseLocation, RelativeLocation and SasBlobToken work for inputs, whatever the split of the URL."""
    base, _, account = trained.baseline["BaseLocation"].rstrip("/").rpartition("/")
    evaluated = trained.endpoint.run(trained.order(output2="sas/data.csv"))["Results"]["output2"]
    trained.endpoint.workspace.studio.upload("data", "sas/data.csv", houses())
    resplit = {
        "BaseLocation": f"{base}/",
        "RelativeLocation": f"{account}/{evaluated['RelativeLocation']}",
        "SasBlobToken": evaluated["SasBlobToken"],
    }
    status = trained.endpoint.run({"Input": resplit, "FullURL": "ignored"})
    assert status["StatusCode"] == "Finished"


def test_an_account_of_another_name_is_the_local_one(trained: Trained) -> None:
    """A ConnectionString without BlobEndpoint means the local account, whatever AccountName it has."""
    order = trained.order()
    key = trained.endpoint.workspace.studio.azurite.key
    order["Inputs"]["input1"]["ConnectionString"] = (
        f"DefaultEndpointsProtocol=https;AccountName=stackstorage;AccountKey={key};EndpointSuffix=core.windows.net"
    )
    assert trained.endpoint.run(order)["StatusCode"] == "Finished"


def test_an_address_of_azure_is_one_of_the_local_account(trained: Trained) -> None:
    """Whichever account, wherever it is split, by SAS or by key: nothing leaves the machine."""
    trained.endpoint.workspace.studio.upload("data", "azures.csv", houses())
    evaluated = trained.endpoint.run(trained.order(output2="azures.csv"))["Results"]["output2"]
    trained.endpoint.workspace.studio.upload("data", "azures.csv", houses())
    azures, key = "https://stackstorage.blob.core.windows.net", trained.endpoint.workspace.studio.azurite.key
    named = f"AccountName=stackstorage;AccountKey={key};BlobEndpoint={azures}"
    for reference in (
        {"BaseLocation": f"{azures}/", "RelativeLocation": "data/azures.csv"},
        {"BaseLocation": f"{azures}/data", "RelativeLocation": "azures.csv"},
        {"ConnectionString": named, "RelativeLocation": "data/azures.csv"},
    ):
        sas = {} if "ConnectionString" in reference else {"SasBlobToken": evaluated["SasBlobToken"]}
        order = trained.order()
        order["Inputs"]["input1"] = reference | sas
        assert trained.endpoint.run(order)["StatusCode"] == "Finished"


def test_parameters_may_be_numbers(trained: Trained) -> None:
    """azmlclient sends numbers where strings are documented."""
    order = trained.order() | {"GlobalParameters": {"ridge": 0.5}}
    assert trained.endpoint.run(order)["StatusCode"] == "Finished"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Input": {"RelativeLocation": "data/x.csv"}}, "BadArgument/DuplicateInputInBatchCall"),
        ({"Inputs": None}, "BadArgument/BatchJobInputsNotSpecified"),
        ({"Inputs": {"input9": {"RelativeLocation": "data/x.csv"}}}, "BadArgument/InvalidInputNames"),
        (
            {"Inputs": {"input1": {"RelativeLocation": "data/x.csv"}}},
            "BadArgument/MissingInputBlobInformation",
        ),
        ({"Inputs": {"input1": {"ConnectionString": "x"}}}, "BadArgument/InputBlobRelativeLocationInvalid"),
        (
            {"Inputs": {"input1": {"ConnectionString": "nonsense", "RelativeLocation": "data/x.csv"}}},
            "BadArgument/InvalidBlobConnectionString",
        ),
        (
            {
                "Inputs": {
                    "input1": {
                        "BaseLocation": "http://127.0.0.1/",
                        "RelativeLocation": "data/x.csv",
                        "SasBlobToken": "?se=2017-03-01T10%3A00%3A00Z&sig=x",
                    }
                }
            },
            "BadArgument/ExpiryTimeInThePast",
        ),
        ({"Outputs": {"output7": None}}, "BadArgument/InvalidOutputOverrideName"),
        ({"GlobalParameters": {"Colour": "red"}}, "BadArgument/UnexpectedParameter"),
        ({"GlobalParameters": {"Ridge": "much"}}, "BadArgument/UserParameterInvalid"),
        ({"GlobalParameters": []}, "BadArgument/UserParameterInvalid"),
    ],
)
def test_submit_refuses_at_once_what_cannot_run(
    trained: Trained, change: dict[str, Any], expected: str
) -> None:
    """What is wrong in the request itself is said at submit, with Studio's codes."""
    assert first_detail(trained.endpoint.submit(trained.order() | change)) == f"400 {expected}"


@pytest.mark.parametrize(
    ("outputs", "allowed"), [({"output1": "m.csv"}, ".ilearner"), ({"output2": "e.ilearner"}, ".csv, .tsv")]
)
def test_a_wrong_extension_is_refused_with_the_list_of_right_ones(
    trained: Trained, outputs: dict[str, str], allowed: str
) -> None:
    """A trained model is an .ilearner, an evaluation is not."""
    answer = trained.endpoint.submit(trained.order(**outputs))
    assert first_detail(answer) == "400 BadArgument/InvalidBlobExtension"
    assert allowed in answer.json()["error"]["details"][0]["message"]


def test_a_missing_required_parameter_is_refused_at_submit(workspace: Workspace, trained: Trained) -> None:
    """A parameter without a default has to be given."""
    slow = workspace.endpoint(workspace.publish("slow", slow_training()))
    assert first_detail(slow.submit(trained.order())) == "400 BadArgument/MissingRequiredGlobalParameters"


def test_bodies_that_are_not_a_request_are_refused(trained: Trained) -> None:
    """No bytes, no JSON, and JSON of another kind each have their code."""
    endpoint, http = trained.endpoint, trained.endpoint.workspace.studio.http

    def post(content: bytes) -> str:
        return first_detail(
            http.post(f"{endpoint.url}/jobs", params=VERSION, headers=endpoint.headers, content=content)
        )

    assert post(b"") == "400 BadArgument/RequestIsEmpty"
    assert post(b"{") == "400 BadArgument/RequestBodyInvalid"
    assert post(b"[]") == "400 BadArgument/RequestBodyInvalid"


def test_a_missing_blob_fails_the_job_with_one_line(trained: Trained) -> None:
    """The blob is looked for when the job runs."""
    status = trained.endpoint.run(trained.order("nowhere.csv"))
    assert (status["StatusCode"], status["Results"]) == ("Failed", None)
    assert status["Details"] == "input1: BlobNotFound: there is no blob data/nowhere.csv"


def test_a_blob_with_a_forged_content_md5_fails_the_job(studio: Running, trained: Trained) -> None:
    """Whoever identifies data by its Content-MD5 must be able to rely on it."""
    studio.upload("data", "forged.csv", houses(rows=40))
    with studio.blobs() as service:
        settings = ContentSettings(content_md5=bytearray(16))
        service.get_blob_client("data", "forged.csv").set_http_headers(settings)
    status = trained.endpoint.run(trained.order("forged.csv"))
    assert status["StatusCode"] == "Failed"
    assert "does not have the content that its Content-MD5 claims" in status["Details"]


def test_a_wrong_account_key_fails_the_job_without_showing_it(trained: Trained) -> None:
    """Azurite refuses, and Details has neither the key nor a signature."""
    order = trained.order()
    wrong = "d3Jvbmc="
    order["Inputs"]["input1"]["ConnectionString"] = (
        f"AccountName=other;AccountKey={wrong};BlobEndpoint={trained.endpoint.workspace.studio.blob}"
    )
    status = trained.endpoint.run(order)
    assert status["StatusCode"] == "Failed"
    assert "403" in status["Details"] or "Auth" in status["Details"]
    assert wrong not in status["Details"]


def test_a_module_that_fails_says_so_with_studios_number(trained: Trained) -> None:
    """A blob without the label column fails in the module that needs it; nothing is written."""
    studio = trained.endpoint.workspace.studio
    studio.upload("data", "unlabelled.csv", b"surface\r\n1\r\n2\r\n")
    status = trained.endpoint.run(trained.order("unlabelled.csv", output1="never/m.ilearner"))
    assert status["StatusCode"] == "Failed"
    assert status["Details"].startswith('Train Model (node "train"): Error 0')
    assert "\n" not in status["Details"]
    with studio.blobs() as service:
        assert not service.get_blob_client("data", "never/m.ilearner").exists()


def test_only_the_endpoints_own_keys_open_its_data_plane(trained: Trained) -> None:
    """A wrong key and no key are 401 with details; the workspace's token is not an endpoint's key."""
    endpoint, http = trained.endpoint, trained.endpoint.workspace.studio.http
    for headers in ({}, {"Authorization": "Bearer wrong"}, endpoint.workspace.headers):
        answer = http.post(f"{endpoint.url}/jobs", params=VERSION, headers=headers, json=trained.order())
        assert first_detail(answer) == "401 Unauthorized/ScoreRequestUnauthorized"


def test_the_version_is_required(trained: Trained) -> None:
    """Version 1.0 had other bodies and is not offered."""
    endpoint, http = trained.endpoint, trained.endpoint.workspace.studio.http
    for query in ({}, {"api-version": "1.0"}):
        answer = http.post(f"{endpoint.url}/jobs", params=query, headers=endpoint.headers, json={})
        assert first_detail(answer) == "400 BadArgument/BadVersionCall"


def test_chunked_bodies_and_strange_content_types_are_read(trained: Trained) -> None:
    """.NET sends chunks; azureml 0.2.7 sends charset=UTF8; azuremlps starts a job with a JSON type and no bytes."""
    endpoint, http = trained.endpoint, trained.endpoint.workspace.studio.http
    body = json.dumps(trained.order()).encode()
    answer = http.post(
        f"{endpoint.url}/jobs",
        params=VERSION,
        headers=endpoint.headers | {"Content-Type": "application/json;charset=UTF8"},
        content=iter([body[:7], body[7:]]),
    )
    job = answer.raise_for_status().json()
    started = http.post(
        f"{endpoint.url}/jobs/{job}/start",
        params=VERSION,
        headers=endpoint.headers | {"Content-Type": "application/json; charset=us-ascii"},
        content=b"",
    )
    assert started.status_code == 200
    endpoint.wait(job, "Finished")


def test_jobs_of_one_endpoint_are_unknown_to_another(endpoint: Endpoint, trained: Trained) -> None:
    """A job's id is looked up below its endpoint only."""
    job = trained.endpoint.submit(trained.order()).json()
    assert endpoint.call("GET", f"jobs/{job}").status_code == 404


def test_a_scoring_service_scores_blobs_too(endpoint: Endpoint, trained: Trained) -> None:
    """Batch execution of a predictive experiment writes the scored table."""
    status = endpoint.run(trained.order(output1="out/scored.tsv"))
    assert status["StatusCode"] == "Finished"
    lines = endpoint.workspace.studio.download("data", "out/scored.tsv").decode().splitlines()
    assert lines[0].split("\t")[-1] == "Scored Labels"
    assert len(lines) == 201


def test_a_running_job_tells_where_it_is_until_delete_stops_and_forgets_it(
    workspace: Workspace, trained: Trained
) -> None:
    """Progress names module and rows; DELETE kills the worker; the next job runs in a new one."""
    slow = workspace.endpoint(workspace.publish("slow", slow_training()))
    job = slow.submit(trained.order() | {"GlobalParameters": {"Trees": "10000"}}).json()
    slow.call("POST", f"jobs/{job}/start")
    found = eventually(lambda: slow.wait(job, "Running").get("Progress"), "progress")
    assert found["Module"]
    assert found["Rows"] == 200 or found["Done"] == 0
    assert found["Done"] < found["Total"]
    (worker,) = workspace.studio.workers()
    assert slow.call("DELETE", f"jobs/{job}").status_code == 200
    eventually(lambda: not worker.is_running(), "the worker's end")
    assert first_detail(slow.call("GET", f"jobs/{job}")) == "404 NotFound/JobNotFound"
    assert slow.call("DELETE", f"jobs/{job}").status_code == 404
    assert trained.endpoint.run(trained.order())["StatusCode"] == "Finished"


def test_deleting_the_service_stops_its_jobs(workspace: Workspace, trained: Trained) -> None:
    """Jobs go with their web service."""
    service = workspace.publish("doomed", slow_training())
    slow = workspace.endpoint(service)
    job = slow.submit(trained.order() | {"GlobalParameters": {"Trees": "10000"}}).json()
    slow.call("POST", f"jobs/{job}/start")
    slow.wait(job, "Running")
    (worker,) = workspace.studio.workers()
    assert workspace.manage("DELETE", f"/{service}").status_code == 204
    eventually(lambda: not worker.is_running(), "the worker's end")
    assert slow.call("GET", f"jobs/{job}").status_code == 404
