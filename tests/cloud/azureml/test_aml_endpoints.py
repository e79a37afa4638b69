"""Online endpoints and deployments over HTTP: made, split, called, changed, deleted."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from starlette.requests import Request

from localcloud.azureml.endpoints.access import check_caller
from localcloud.azureml.serving.errors import ScoringRefused
from localcloud.directory.state import Directory
from localcloud.facilities.cloud import Principal
from tests.arm.conftest import CLOUD
from tests.cloud.azureml.aml import Aml
from tests.cloud.azureml.serving import HEADER, SCORE, Endpoint
from tests.studio.running import Azurite
from tests.studio.shared import Shared
from tests.waiting import eventually


@pytest.fixture(scope="module")
def code(aml: Aml) -> str:
    """A scoring script that says which deployment it is."""
    return aml.code("scoring", score_py=SCORE)


@pytest.fixture(scope="module")
def two(aml: Aml, code: str) -> Endpoint:
    """An endpoint with two deployments; each test that calls it sets its traffic."""
    endpoint = Endpoint(aml, "two-of-them").create()
    for name in ("blue", "green"):
        endpoint.deploy(name, code)
    return endpoint


def test_a_deployment_is_called_through_its_endpoint(aml: Aml, code: str) -> None:
    """From nothing to an answer: as recorded in codes, headers and states; and gone again with its deployments."""
    endpoint = Endpoint(aml, "whole-walk")
    began = endpoint.put()
    assert began.status_code == 201
    assert "Retry-After" not in began.headers
    assert (began.json()["properties"]["provisioningState"], began.json()["properties"]["traffic"]) == (
        "Creating",
        {},
    )
    assert began.headers["Location"].partition("?")[0].endswith(f"{aml.path}/onlineEndpoints/whole-walk")
    assert (
        f"/mfeOperationsStatus/oeidp:{aml.ws('GET', '').json()['properties']['workspaceId']}:"
        in (began.headers["Azure-AsyncOperation"])
    )
    endpoint.done(began)
    assert endpoint.get()["properties"]["provisioningState"] == "Succeeded"
    configuration = {"codeId": code, "scoringScript": "score.py"}
    began = endpoint.deployment("blue", codeConfiguration=configuration)
    assert (began.status_code, began.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert "/mfeOperationsStatus/odidp:" in began.headers["Azure-AsyncOperation"]
    endpoint.done(began)
    assert endpoint.get()["properties"]["traffic"] == {}
    assert endpoint.score("a").status_code == 404
    by_name = endpoint.score("a", "blue")
    assert (by_name.status_code, by_name.json(), by_name.headers[HEADER]) == (200, ["blue", "a"], "blue")
    endpoint.traffic(blue=100)
    assert endpoint.score("b").json() == ["blue", "b"]
    logs = aml.ws("POST", f"{endpoint.path}/deployments/blue/getLogs", {"tail": 10})
    assert logs.json() == {"content": "loaded by blue"}
    assert endpoint.delete("blue").json()["error"]["code"] == "DeploymentHasTraffic"
    endpoint.done(endpoint.delete())
    assert endpoint.delete().status_code == 204
    assert endpoint.score("a", key="any").status_code == 404


def test_four_hundred_calls_are_split_as_the_traffic_says(two: Endpoint) -> None:
    """To the call, whichever deployment answers; the header is obeyed past the split."""
    two.traffic(blue=90, green=10)
    key = two.key()
    with httpx.Client(timeout=30, trust_env=False) as http:
        answered = Counter(two.score(n, key=key, http=http).json()[0] for n in range(400))
        assert answered == {"blue": 360, "green": 40}
        assert {two.score(n, "green", key=key, http=http).json()[0] for n in range(20)} == {"green"}


@pytest.mark.parametrize("name", ["a", "ab", "1st", "two--dashes", "ends-", "x" * 33, "under_score"])
def test_a_name_that_is_no_label_is_refused(aml: Aml, two: Endpoint, name: str) -> None:
    """Of an endpoint, and of a deployment."""
    assert Endpoint(aml, name).put().status_code == 400
    assert two.deployment(name).status_code == 400


@pytest.mark.parametrize(
    ("traffic", "mirror"),
    [
        ({"blue": 50}, {}),
        ({"blue": 60, "green": 60}, {}),
        ({"blue": 100, "none": 0}, {}),
        ({"blue": 100.0}, {}),
        ({"blue": 150, "green": -50}, {}),
        ({"blue": 100}, {"green": 51}),
        ({"blue": 100}, {"none": 10}),
        ({"blue": 90, "green": 10}, {"green": 10}),
        ({}, {"blue": 10, "green": 10}),
    ],
)
def test_traffic_against_the_rules_is_refused_and_changes_nothing(
    two: Endpoint, traffic: dict[str, Any], mirror: dict[str, int]
) -> None:
    """In sum 0 or 100, of deployments that are there, a mirror of one without live traffic up to 50."""
    before = two.get()
    refused = two.put(traffic=traffic, mirrorTraffic=mirror)
    assert (refused.status_code, refused.json()["error"]["target"]) in (
        (400, "traffic"),
        (400, "mirrorTraffic"),
    )
    assert two.get() == before


def test_a_put_without_traffic_clears_it_and_a_new_endpoint_can_have_none(aml: Aml, two: Endpoint) -> None:
    """PUT replaces the whole; a PATCH has no traffic at all."""
    two.traffic(blue=100)
    two.done(two.put())
    assert two.get()["properties"]["traffic"] == {}
    assert two.score(1).status_code == 404
    assert Endpoint(aml, "early-traffic").put(traffic={"blue": 100}).status_code == 400
    refused = aml.ws("PATCH", two.path, {"properties": {"traffic": {"blue": 100}}})
    assert refused.status_code == 400
    two.done(aml.ws("PATCH", two.path, {"tags": {"a": "b"}}))
    assert two.get()["tags"] == {"a": "b"}


def test_a_change_of_what_has_changed_meanwhile_is_refused(aml: Aml, two: Endpoint) -> None:
    """By If-Match, with the ETag of the GET; If-None-Match keeps a creation from being a change."""
    read = aml.ws("GET", two.path)
    two.traffic(blue=100)
    assert two.put({"If-Match": read.headers["ETag"]}, traffic={"green": 100}).status_code == 412
    assert two.put({"If-None-Match": "*"}).status_code == 412
    assert Endpoint(aml, "not-there").put({"If-Match": "*"}).status_code == 412
    assert two.get()["properties"]["traffic"] == {"blue": 100}
    now = aml.ws("GET", two.path).headers["ETag"]
    changed = two.put({"If-Match": now}, traffic={"green": 100})
    two.done(changed)
    assert changed.headers["ETag"] == aml.ws("GET", two.path).headers["ETag"] != now


def test_the_mirror_gets_copies_that_nobody_hears_of(two: Endpoint, aml: Aml) -> None:
    """Half of the calls, also to one deployment while all answers are of the other; a call by header is not copied."""
    script = "import sys\ndef run(raw):\n    sys.stdout.write(f'told {raw}\\n')\n    return 'mirror'"
    # As many at once as there are calls: copies, too, are refused where too many are in flight.
    settings = {"maxConcurrentRequestsPerInstance": 20, "requestTimeout": "PT60S"}
    two.deploy("mirror", aml.code("telling", score_py=script), requestSettings=settings)
    two.traffic({"mirror": 50}, blue=100)
    key = two.key()
    answers = [two.score(n, key=key).json() for n in range(40)]
    assert answers == [["blue", n] for n in range(40)]
    assert two.score("named", "blue", key=key).status_code == 200

    def lines() -> list[str]:
        logs = aml.ws("POST", f"{two.path}/deployments/mirror/getLogs", {})
        return str(logs.json()["content"]).splitlines()

    eventually(lambda: len(lines()) >= 20, "the copies")
    assert two.delete("mirror").status_code == 400
    two.traffic(blue=100)
    assert (len(lines()), "told named" in lines()) == (20, False)
    two.done(two.delete("mirror"))
    assert two.delete("mirror").status_code == 204


def test_a_call_that_the_address_refuses(aml: Aml, two: Endpoint) -> None:
    """Without a key, with a wrong one, of a deployment or an endpoint that is not there."""
    two.traffic(blue=100)
    address = f"{aml.cloud.url}/inference/westeurope/{two.name}/score"
    for refused in (two.score(1, key="wrong"), aml.cloud.http.post(address, json=1)):
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "Unauthorized")
    assert two.score(1, "none").status_code == 404
    assert Endpoint(aml, "nowhere").score(1, key="any").status_code == 404
    elsewhere = aml.cloud.http.post(address.replace("westeurope", "northeurope"), json=1)
    assert elsewhere.status_code == 404


def test_what_the_models_code_does_wrong_is_said_by_status_and_headers(
    aml: Aml, two: Endpoint, tmp_path: Path
) -> None:
    """424 for an exception, 408 for too long, 502 for an end of the process, after which it is started again."""
    gate = tmp_path / "gate"
    script = (
        "import json, os, time\n"
        "def run(raw):\n"
        "    asked = json.loads(raw)\n"
        "    if asked == 'fail': raise ValueError('no such column')\n"
        "    if asked == 'die': os._exit(3)\n"
        f"    while asked == 'hang' and not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
        "    return asked\n"
    )
    code, slow = aml.code("bad", score_py=script), {"requestTimeout": "PT60S"}
    two.deploy("bad-code", code, requestSettings=slow)
    failed = two.score("fail", "bad-code")
    assert (failed.status_code, failed.json()) == (424, "ValueError: no such column")
    assert failed.headers["ms-azureml-model-error-statuscode"] == "500"
    assert failed.headers["ms-azureml-model-error-reason"] == "model_error"
    assert failed.headers[HEADER] == "bad-code"
    assert two.score("die", "bad-code").status_code == 502
    assert two.score("well", "bad-code").json() == "well"
    two.deploy("bad-code", code, requestSettings={"requestTimeout": "PT1S"})
    assert two.score("hang", "bad-code").status_code == 408
    gate.touch()
    two.deploy("bad-code", code, requestSettings=slow)
    assert two.score("well", "bad-code").json() == "well"
    two.done(two.delete("bad-code"))


def test_keys_are_given_made_anew_and_never_shown(aml: Aml) -> None:
    """Only listKeys has them; a key that was made anew opens, the one before no longer."""
    endpoint = Endpoint(aml, "with-keys").create(
        keys={"primaryKey": "p" * 32, "secondaryKey": "s" * 32}, properties={"of": "mine"}
    )
    assert endpoint.get()["properties"]["properties"] == {"of": "mine"}
    assert ("keys" in endpoint.get()["properties"], "pppp" in str(endpoint.get())) == (False, False)
    keys = aml.ws("POST", f"{endpoint.path}/listKeys").json()
    assert keys == {"primaryKey": "p" * 32, "secondaryKey": "s" * 32}
    given = {"keyType": "Secondary", "keyValue": "n" * 32}
    assert aml.ws("POST", f"{endpoint.path}/regenerateKeys", given).status_code == 200
    assert aml.ws("POST", f"{endpoint.path}/regenerateKeys", {"keyType": "Primary"}).status_code == 200
    assert aml.ws("POST", f"{endpoint.path}/regenerateKeys", {"keyType": "Third"}).status_code == 400
    # 404: it is let in, and there is no traffic.
    by_key = {key[:1]: endpoint.score(1, key=key).status_code for key in ("p" * 32, "s" * 32, "n" * 32)}
    assert (by_key, endpoint.score(1).status_code) == ({"p": 401, "s": 401, "n": 404}, 404)
    endpoint.done(endpoint.put())
    assert endpoint.score(1, key="n" * 32).status_code == 404
    assert aml.ws("POST", f"{endpoint.path}/token").status_code == 400


def test_an_endpoint_by_token_is_opened_by_its_own(aml: Aml) -> None:
    """Not by one of another endpoint, nor by a key; listKeys is refused."""
    endpoints = [Endpoint(aml, name).create(authMode="amlToken") for name in ("by-token", "by-token2")]
    tokens = [aml.ws("POST", f"{one.path}/token").json() for one in endpoints]
    assert tokens[0]["expiryTimeUtc"] > tokens[0]["refreshAfterTimeUtc"] > time.time()
    assert [endpoints[0].score(1, key=one["accessToken"]).status_code for one in tokens] == [404, 401]
    assert aml.ws("POST", f"{endpoints[0].path}/listKeys").status_code == 400


def test_a_name_is_one_endpoints_in_its_region(aml: Aml, two: Endpoint) -> None:
    """Whichever workspace it is in, since it is part of the address; its place is not changed either."""
    other = Aml(aml.cloud, "amlg2", "mlother").create()
    refused = Endpoint(other, two.name.upper()).put()
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "EndpointAlreadyExists")
    moved = aml.ws("PUT", two.path, {"location": "northeurope", "properties": {"authMode": "Key"}})
    assert moved.status_code == 409


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "{ws}/models/none/versions/1"}, "model"),
        ({"environmentId": "{ws}/environments/none/versions/1"}, "environment"),
        ({"codeConfiguration": {"codeId": "{ws}/codes/none/versions/1", "scoringScript": "s.py"}}, "code"),
        ({"codeConfiguration": {"codeId": "{code}"}}, "scoringScript"),
        ({"requestSettings": {"requestTimeout": "PT4M"}}, "PT3M"),
        ({"requestSettings": {"requestTimeout": "5 s"}}, "duration"),
        ({"requestSettings": {"maxConcurrentRequestsPerInstance": 0}}, "from 1"),
        ({"capacity": 51}, "1 to 50"),
        ({"endpointComputeType": "Kubernetes"}, "managed"),
        ({"codeConfiguration": None}, "no model"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused_at_once(
    aml: Aml, two: Endpoint, code: str, changes: dict[str, Any], said: str
) -> None:
    """With its reason, and nothing is kept of it."""
    filled = json.loads(json.dumps(changes).replace("{ws}", aml.path).replace("{code}", code))
    given = {"codeConfiguration": {"codeId": code, "scoringScript": "score.py"}, **filled}
    refused = two.deployment("refused", **given)
    assert (refused.status_code, said in refused.json()["error"]["message"]) == (400, True), refused.text
    assert aml.ws("GET", f"{two.path}/deployments/refused").status_code == 404


def test_a_deployment_that_does_not_come_up_fails_with_its_last_lines(
    aml: Aml, two: Endpoint, code: str
) -> None:
    """It stays as Failed, serves nothing, and can be given what it lacked: by another environment, say."""
    bad = aml.code("crashing", score_py="print('before')\nimport nothing_of_this_name\n")
    configuration = {"codeId": bad, "scoringScript": "score.py"}
    ended = two.ended(two.deployment("crash", codeConfiguration=configuration))
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "ResourceNotReady")
    assert "before\n" in ended["error"]["message"]
    assert "No module named 'nothing_of_this_name'" in ended["error"]["message"]
    kept = aml.ws("GET", f"{two.path}/deployments/crash").json()
    assert kept["properties"]["provisioningState"] == "Failed"
    assert two.score(1, "crash").status_code == 404
    two.deploy("crash", code)
    assert two.score(1, "crash").json() == ["crash", 1]
    two.done(two.delete("crash"))
    lacking = aml.put("environments", "lacking", "1", condaFile="dependencies:\n- pip:\n  - /no/such.whl\n")
    configuration["codeId"] = code
    ended = two.ended(two.deployment("crash", environmentId=lacking["id"], codeConfiguration=configuration))
    assert (ended["error"]["code"], "such.whl" in ended["error"]["message"]) == ("ImageBuildFailure", True)
    brought = aml.ws("POST", f"{two.path}/deployments/crash/getLogs", {"containerType": "StorageInitializer"})
    assert "the environment failed" in brought.json()["content"]
    two.done(two.delete("crash"))


def test_while_an_operation_runs_no_other_begins(aml: Aml, two: Endpoint, tmp_path: Path) -> None:
    """409 for the deployment, and for its endpoint; afterwards it is as it was asked for first."""
    gate = tmp_path / "gate"
    script = (
        f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\ndef run(raw): return 1"
    )
    configuration = {"codeId": aml.code("waiting", score_py=script), "scoringScript": "score.py"}
    began = two.deployment("waiting", codeConfiguration=configuration)
    assert aml.ws("GET", f"{two.path}/deployments/waiting").json()["properties"]["provisioningState"] == (
        "Creating"
    )
    status = aml.call("GET", began.headers["Azure-AsyncOperation"].removeprefix(aml.cloud.url)).json()
    assert (status["status"], status["endTime"][:10]) == ("Updating", "0001-01-01")
    conflicts = [
        two.deployment("waiting", codeConfiguration=configuration),
        two.delete("waiting"),
        two.put(traffic={}),
        two.delete(),
    ]
    assert [one.status_code for one in conflicts] == [409] * 4
    assert two.score(1, "waiting").status_code == 404
    gate.touch()
    two.done(began)
    assert two.score(1, "waiting").json() == 1
    two.done(two.delete("waiting"))


def test_a_deployment_gets_more_instances_and_what_makes_it_stays(aml: Aml, two: Endpoint, code: str) -> None:
    """By PATCH of its sku; what only its creation sets is refused, its variables may change."""
    two.done(aml.ws("PATCH", f"{two.path}/deployments/green", {"sku": {"name": "Default", "capacity": 2}}))
    assert aml.ws("GET", f"{two.path}/deployments/green").json()["sku"]["capacity"] == 2
    skus = aml.ws("GET", f"{two.path}/deployments/green/skus").json()["value"]
    assert skus[0]["capacity"]["maximum"] == 50
    other = {"codeId": aml.code("other", score_py=SCORE), "scoringScript": "score.py"}
    refused = two.deployment("green", codeConfiguration=other)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "ImmutableProperty")
    two.deploy("green", code, environmentVariables={"NAME": "greener"})
    assert two.score(1, "green").json() == ["greener", 1]
    two.deploy("green", code)


def test_faults_meet_scoring_calls_and_the_journal_has_them_as_reads(aml: Aml, two: Endpoint) -> None:
    """As with every other address of the local cloud."""
    assert isinstance(aml.cloud, Shared)
    two.traffic(blue=100)
    key, path = two.key(), f"/inference/westeurope/{two.name}/score"
    aml.cloud.faults({"kind": "status", "status": 503, "path": path, "count": 1})
    try:
        assert [two.score(1, key=key).status_code for _ in range(2)] == [503, 200]
    finally:
        aml.cloud.quiet()
    entries = [one for one in aml.cloud.journal() if one["path"] == path][-2:]
    assert [(one["effect"], one["status"], one.get("fault")) for one in entries] == [
        ("read", 503, "status"),
        ("read", 200, None),
    ]


@pytest.mark.parametrize(
    ("rule", "shown", "answers"),
    [
        ({"kind": "unchanged-binding"}, "blue", "blue"),
        ({"kind": "stale-model"}, "green", "blue"),
        ({"kind": "stale-model", "seconds": 0.1}, "green", "green"),
        ({"kind": "rolled-back", "seconds": 0.1}, "blue", "blue"),
    ],
)
def test_a_change_of_traffic_can_be_a_lie(
    aml: Aml, two: Endpoint, rule: dict[str, Any], shown: str, answers: str
) -> None:
    """By rules of faults: its operation succeeds, and what comes of it is something else, until all faults end."""
    assert isinstance(aml.cloud, Shared)
    two.traffic(blue=100)

    def comes_of_it() -> bool:
        split = two.get()["properties"]["traffic"]
        return list(split) == [shown] and two.score(1).json() == [answers, 1]

    aml.cloud.faults({**rule, "path": f"*/{two.name}", "count": 1})
    try:
        two.traffic(green=100)
        eventually(comes_of_it, "what comes of it")
        assert aml.cloud.fired() == [1]
    finally:
        aml.cloud.quiet()
    assert [two.score(1).json()[0]] == list(two.get()["properties"]["traffic"])
    two.traffic(green=100)
    assert two.score(1).json() == ["green", 1]


def test_a_workspace_ends_the_processes_of_its_deployments(aml: Aml) -> None:
    """What runs follows what is kept, whichever way its document went."""
    other = Aml(aml.cloud, "amlg3", "mlgoing").create()
    endpoint = Endpoint(other, "going").create()
    endpoint.deploy("blue", other.code("pid", score_py="import os\ndef run(raw): return os.getpid()"))
    pid = endpoint.score(1, "blue").json()
    assert psutil.pid_exists(pid)
    assert other.ws("DELETE", "").is_success
    eventually(lambda: not psutil.pid_exists(pid), "the end of the process")
    assert Endpoint(aml, "going").put().status_code == 201


def test_killed_it_serves_again_and_goes_on_with_what_had_begun(azurite: Azurite, tmp_path: Path) -> None:
    """No process outlives the server; keys, traffic and a deployment that was being made are as before."""
    gate = tmp_path / "gate"
    cloud = Shared(tmp_path / "cloud", azurite)
    cloud.directory.mkdir()
    try:
        cloud.start()
        aml = Aml(cloud, "g", "mlkilled").create()
        endpoint = Endpoint(aml, "killed").create()
        endpoint.deploy("blue", aml.code("pid", score_py="import os\ndef run(raw): return os.getpid()"))
        endpoint.traffic(blue=100)
        key, pid = endpoint.key(), endpoint.score(1).json()
        script = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\ndef run(raw): return 1"
        configuration = {"codeId": aml.code("waiting", score_py=script), "scoringScript": "score.py"}
        began = endpoint.deployment("green", codeConfiguration=configuration)
        cloud.stop(signal.SIGKILL)
        eventually(lambda: not psutil.pid_exists(pid), "the end of its process")
        cloud.start()
        answer = endpoint.score(1, key=key)
        assert (answer.status_code, answer.json() != pid) == (200, True)
        gate.touch()
        endpoint.done(began)
        assert endpoint.score(1, "green", key=key).json() == 1
    finally:
        cloud.close()


def test_a_directory_token_opens_by_audience_and_role() -> None:
    """AADToken: one for https://ml.azure.com of somebody who may score; not one for Resource Manager."""
    owner = Principal("owner", client_id="o", object_id="oo")
    reader = Principal("reader", client_id="r", object_id="rr")
    directory = Directory(replace(CLOUD, signs_in=(owner, reader)))
    endpoint = {"properties": {"authMode": "AADToken"}}

    def status(principal: Principal, resource: str) -> int:
        token = directory.issue(principal, resource, "http://here").value
        scope = {"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]}
        try:
            check_caller(Request(scope), endpoint, directory)
        except ScoringRefused as refused:
            return refused.status
        return 200

    assert status(owner, "https://ml.azure.com") == 200
    assert status(reader, "https://ml.azure.com") == 403
    assert status(owner, "https://management.azure.com") == 401
