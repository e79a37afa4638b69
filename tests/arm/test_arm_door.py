"""Who gets in, and what ARM says to those who do not."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "AuthenticationFailed"),
        ({"Authorization": "Bearer wrong"}, "InvalidAuthenticationToken"),
        ({"Authorization": "Basic arm-token-of-this-test"}, "AuthenticationFailed"),
        ({"Authorization": "Bearer"}, "AuthenticationFailed"),
        ({"Authorization": "Bearer arm-token-of-this-test2"}, "InvalidAuthenticationToken"),
        ({"Authorization": "Bearer größer"}, "InvalidAuthenticationToken"),
    ],
)
def test_a_call_without_the_token_is_refused(arm: Any, header: dict[str, str], code: str) -> None:
    """Nothing but the cloud's own bearer token opens the ARM side, and the answer is ARM's 401."""
    headers = {name: value.encode() for name, value in header.items()}
    answer = arm.client.request(
        "GET", "/subscriptions", params={"api-version": "2020-01-01"}, headers=headers
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == code
    assert answer.headers["www-authenticate"].startswith('Bearer authorization_uri="http://studio.test/')
    assert "arm-token" not in answer.text


def test_the_scheme_is_read_as_published_clients_write_it(arm: Any) -> None:
    """A lower-case scheme and two blanks before the token are accepted."""
    headers = {"Authorization": f"bearer  {arm.cloud.arm_token}"}
    answer = arm.client.request(
        "GET", "/subscriptions", params={"api-version": "2020-01-01"}, headers=headers
    )
    assert answer.status_code == 200


def test_a_call_without_api_version_is_refused(arm: Any) -> None:
    """ARM wants an api-version on every request; which one, does not matter here."""
    path = f"/subscriptions/{arm.cloud.subscription}/resourceGroups"
    headers = {"Authorization": f"Bearer {arm.cloud.arm_token}"}
    answer = arm.client.request("GET", path, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "MissingApiVersionParameter"
    assert (
        arm.client.request("GET", path, headers=headers, params={"api-version": "1999-01-01"}).status_code
        == 200
    )


def test_another_subscription_is_not_found(arm: Any) -> None:
    """The cloud has one subscription; resources of others are not served under it."""
    answer = arm.raw("GET", "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "SubscriptionNotFound"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/resourceGroups/rg/providers/Microsoft.Nothing/things/x", "InvalidResourceNamespace"),
        ("/resourceGroups/rg/providers/Microsoft.Storage/things/x", "InvalidResourceType"),
        ("/providers/Microsoft.MachineLearning/gadgets", "InvalidResourceType"),
    ],
)
def test_what_the_cloud_does_not_have_is_named(arm: Any, path: str, code: str) -> None:
    """An unknown namespace and an unknown type are told apart, in ARM's gateway form."""
    arm.group()
    answer = arm("GET", path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == code
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert "details" not in answer.json()["error"]


def test_an_unknown_method_names_the_known_ones(arm: Any) -> None:
    """A method that a path does not have is a 405 with `Allow`."""
    answer = arm("POST", arm.group(), {})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"


def test_every_answer_has_arms_headers(arm: Any) -> None:
    """Request ids, rate limits and no caching, on success and on error; the client's own ids come back."""
    headers = {
        "Authorization": f"Bearer {arm.cloud.arm_token}",
        "x-ms-client-request-id": "mine",
        "x-ms-correlation-request-id": "ours",
    }
    for path in ("/subscriptions", f"/subscriptions/{arm.cloud.subscription}/resourceGroups/none"):
        answer = arm.client.request("GET", path, params={"api-version": "1"}, headers=headers)
        assert answer.headers["x-ms-request-id"]
        assert answer.headers["x-ms-client-request-id"] == "mine"
        assert answer.headers["x-ms-correlation-request-id"] == "ours"
        assert answer.headers["x-ms-ratelimit-remaining-subscription-reads"]
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"text"', b"\xff"])
def test_a_body_that_is_no_object_is_refused(arm: Any, raw: bytes) -> None:
    """PUT without a JSON object is InvalidRequestContent, never a 500."""
    answer = arm.client.request(
        "PUT",
        f"/subscriptions/{arm.cloud.subscription}/resourceGroups/rg",
        params={"api-version": "1"},
        headers={"Authorization": f"Bearer {arm.cloud.arm_token}"},
        content=raw,
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "InvalidRequestContent"


def test_the_data_plane_below_subscriptions_is_not_arms(arm: Any) -> None:
    """New web services are scored below /subscriptions too; those paths are left to others."""
    answer = arm.raw("POST", "/subscriptions/5d0c3f5e/services/abc/execute", {})
    assert answer.status_code == 404
    assert "x-ms-request-id" not in answer.headers


def test_the_subscription_is_listed(arm: Any) -> None:
    """Sign-in tools look for subscriptions first."""
    listed = arm.raw("GET", "/subscriptions").json()["value"]
    assert [one["subscriptionId"] for one in listed] == [arm.cloud.subscription]
    assert arm("GET", "").json() == listed[0]
