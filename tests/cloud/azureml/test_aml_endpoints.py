"""Online endpoints and deployments over HTTP: made, split, called, changed, deleted."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from tests.cloud.azureml.aml import Aml
from tests.cloud.azureml.serving import HEADER, SCORE, Endpoint


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


def test_two_thousand_calls_are_split_as_the_traffic_says(two: Endpoint) -> None:
    """To the call, whichever deployment answers; the header is obeyed past the split."""
    two.traffic(blue=90, green=10)
    key = two.key()
    with httpx.Client(timeout=30, trust_env=False) as http:
        answered = Counter(two.score(n, key=key, http=http).json()[0] for n in range(2000))
        assert answered == {"blue": 1800, "green": 200}
        assert {two.score(n, "green", key=key, http=http).json()[0] for n in range(20)} == {"green"}
