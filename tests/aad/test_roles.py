"""Roles and registered providers, as Resource Manager has them, and how our own clients say so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients.credentials import resolve_target
from localcloud.arm import roles
from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Operation
from localcloud.arm.types import OPERATIONS
from tests.aad.conftest import SUBSCRIPTION

OWNER, READER = "static-token-of-the-owner", "static-token-of-the-reader"
ROOT = Path(__file__).parents[2]


def operation(method: str, path: str) -> Operation:
    return Operation(method, f"/subscriptions/{{subscription}}{path}", lambda _call: Answer(200))


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "", "Microsoft.Resources/subscriptions/read"),
        ("PUT", "/resourceGroups/{group}", "Microsoft.Resources/subscriptions/resourceGroups/write"),
        ("GET", "/providers/{namespace}", "Microsoft.Resources/subscriptions/providers/read"),
        ("POST", "/providers/{namespace}/register", "Microsoft.Any/register/action"),
        ("PUT", "/resourceGroups/{g}/providers/Microsoft.X/things/{n}", "Microsoft.X/things/write"),
        ("PATCH", "/resourceGroups/{g}/providers/Microsoft.X/things/{n}", "Microsoft.X/things/write"),
        ("DELETE", "/resourceGroups/{g}/providers/Microsoft.X/things/{n}", "Microsoft.X/things/delete"),
        ("GET", "/providers/Microsoft.X/things", "Microsoft.X/things/read"),
        ("GET", "/resourceGroups/{g}/providers/Microsoft.X/a/{n}/b/{m}", "Microsoft.X/a/b/read"),
        ("POST", "/resourceGroups/{g}/providers/Microsoft.X/a/{n}/b/{m}/move", "Microsoft.X/a/b/move/action"),
        ("GET", "/resourceGroups/{g}/providers/Microsoft.X/a/{n}/listKeys", "Microsoft.X/a/listKeys/action"),
        ("GET", "/providers/Microsoft.X/locations/{l}/operationsStatus/{o}", "Microsoft.X/locations/operationsStatus/read"),
    ],
)  # fmt: skip
def test_an_operation_is_an_action(method, path, action):
    """As Azure's list of provider operations has them."""
    assert roles.action_of(operation(method, path), "Microsoft.Any") == action


def test_a_reader_reads_everything_and_changes_nothing(door):
    """Of all operations there are: those that are no reading are refused, before anything else is looked at."""

    def may(name: str, one: Operation) -> bool:
        try:
            roles.require(door.principal(name), one, "/path")
        except ArmError:
            return False
        return True

    changing = [
        one for one in OPERATIONS if one.method not in ("GET", "HEAD") or one.path.lower().endswith("keys")
    ]
    assert [one for one in OPERATIONS if not may("reader", one)] == changing
    assert all(may("owner", one) for one in OPERATIONS)
    assert changing


def test_the_refusal_is_arms(door):
    """Code, sentence and the header by which clients tell the gateway's errors from a provider's."""
    path = "/resourceGroups/team/providers/Microsoft.MachineLearning/workspaces/flights"
    answer = door.arm(READER, path, "PUT", {"location": "westeurope"})
    reader = door.principal("reader")
    assert answer.status_code == 403
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert answer.json() == {
        "error": {
            "code": "AuthorizationFailed",
            "message": (
                f"The client '{reader.client_id}' with object id '{reader.object_id}' does not have authorization to"
                " perform action 'Microsoft.MachineLearning/workspaces/write' over scope"
                f" '/subscriptions/{SUBSCRIPTION}{path}' or the scope is invalid. If access was recently granted,"
                " please refresh your credentials."
            ),
        }
    }


def test_keys_are_no_reading(door):
    """The scope of an action is the resource."""
    path = "/resourceGroups/team/providers/Microsoft.MachineLearning/workspaces/flights"
    error = door.arm(READER, f"{path}/listWorkspaceKeys", "POST").json()["error"]
    assert "'Microsoft.MachineLearning/workspaces/listWorkspaceKeys/action'" in error["message"]
    assert f"over scope '/subscriptions/{SUBSCRIPTION}{path}'" in error["message"]


def test_who_created_a_resource_is_kept(door):
    """systemData names the application."""
    door.arm(door.token(), "/resourceGroups/team", "PUT", {"location": "westeurope"})
    body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    path = "/resourceGroups/team/providers/Microsoft.Storage/storageAccounts/teamstore"
    made = door.arm(door.token(), path, "PUT", body).json()
    assert made["systemData"]["createdBy"] == door.principal("owner").client_id


def test_an_unregistered_provider_refuses_writes_until_it_is_registered(door):
    """As after a new subscription: reading works, creating is a 409 that names the provider."""
    provider = "/providers/microsoft.machinelearning"
    path = "/resourceGroups/team/providers/Microsoft.MachineLearning/workspaces/flights"
    assert door.arm(OWNER, provider).json()["registrationState"] == "Registered"
    door.arm(OWNER, f"{provider}/unregister", "POST").raise_for_status()
    assert door.arm(OWNER, provider).json()["registrationState"] == "NotRegistered"
    answer = door.arm(OWNER, path, "PUT", {"location": "westeurope"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "MissingSubscriptionRegistration")
    assert "is not registered to use namespace 'Microsoft.MachineLearning'" in error["message"]
    assert error["details"][0]["target"] == "Microsoft.MachineLearning"
    assert door.arm(OWNER, path).status_code == 404
    assert door.arm(READER, f"{provider}/register", "POST").status_code == 403
    door.arm(OWNER, f"{provider}/register", "POST").raise_for_status()
    assert (
        door.arm(OWNER, path, "PUT", {"location": "westeurope"}).json()["error"]["code"]
        == "ResourceGroupNotFound"
    )


@pytest.mark.parametrize(
    ("provider", "status"), [("Microsoft.Nothing/register", 404), ("Microsoft.Resources/unregister", 409)]
)
def test_not_every_provider_can_be_switched(door, provider, status):
    """There is no such provider, or nothing works without it."""
    assert door.arm(OWNER, f"/providers/{provider}", "POST").status_code == status


@pytest.fixture
def signed_in(door, monkeypatch):
    """The environment of a principal, by its secret."""

    def sign_in(name: str, **changes: str):
        environment = door.environment(name) | {"AZURE_CLIENT_SECRET": door.principal(name).secret} | changes
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        return resolve_target("environment").arm

    return sign_in


GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/team"
VERSION = {"api-version": "2021-04-01"}


def test_our_own_client_signs_in_through_the_same_door(signed_in):
    """The target `environment`, by the default chain, over HTTPS."""
    arm = signed_in("owner")
    assert arm.put(GROUP, {"location": "westeurope"}, **VERSION)["name"] == "team"
    assert arm.get(GROUP, **VERSION)["location"] == "westeurope"


@pytest.mark.heals(
    "ask for a role that allows it there (Contributor does), or sign in with a credential that has one"
)
def test_a_readers_credential_is_a_clear_error(remedy, signed_in):
    """Which action is missing, where, and what to ask for; the secret is nowhere. The owner has the role."""
    arm = signed_in("reader")
    refused = remedy.fails(lambda: arm.put(GROUP, {"location": "westeurope"}, **VERSION))
    assert "'Microsoft.Resources/subscriptions/resourceGroups/write'" in refused.cause
    assert GROUP in refused.cause
    assert refused.request_id
    assert "secret" not in str(refused)
    assert signed_in("owner").put(GROUP, {"location": "westeurope"}, **VERSION)["name"] == "team"


@pytest.mark.heals("register the provider once for the subscription: az provider register --namespace {}")
def test_an_unregistered_provider_is_a_clear_error(remedy, door, signed_in):
    """The remedy is the command that registers it, by a POST."""
    arm = signed_in("owner")
    arm.put(GROUP, {"location": "westeurope"}, **VERSION)
    door.arm(OWNER, "/providers/Microsoft.MachineLearning/unregister", "POST").raise_for_status()
    path = f"{GROUP}/providers/Microsoft.MachineLearning/commitmentPlans/p"
    body = {"location": "southcentralus", "sku": {"name": "S1", "tier": "Standard", "capacity": 1}}
    version = {"api-version": "2016-05-01-preview"}
    refused = remedy.fails(lambda: arm.put(path, body, **version))
    assert refused.code == "MissingSubscriptionRegistration"
    namespace = refused.remedy.rpartition("--namespace ")[2]
    door.arm(OWNER, f"/providers/{namespace}/register", "POST").raise_for_status()
    assert arm.put(path, body, **version)["name"] == "p"


def test_a_token_that_expires_on_the_way_is_renewed(door, signed_in):
    """The service's clock passes the token's end; the write is refused, signed anew, and done once."""
    arm = signed_in("owner")
    arm.get(f"/subscriptions/{SUBSCRIPTION}", **VERSION)
    door.clock.ahead = 3601
    assert arm.put(GROUP, {"location": "westeurope"}, **VERSION)["name"] == "team"


@pytest.mark.heals(
    "run az login again, or renew the secret or the federated token that the AZURE_… variables name"
)
def test_a_wrong_secret_is_a_clear_error(remedy, signed_in):
    """Azure's own code, and what to do; with the right one it is let in."""
    arm = signed_in("owner", AZURE_CLIENT_SECRET="wrong-secret-of-nobody")
    refused = remedy.fails(lambda: arm.get(GROUP, **VERSION))
    assert "AADSTS7000215: Invalid client secret" in refused.cause
    assert "wrong-secret" not in str(refused)
    assert "\n" not in refused.cause
    assert signed_in("owner").put(GROUP, {"location": "westeurope"}, **VERSION)


@pytest.mark.heals("name the file of its certificate authority in REQUESTS_CA_BUNDLE")
def test_an_untrusted_door_is_a_clear_error(remedy, door, signed_in, monkeypatch):
    """Without the authority's file nobody is sent a secret; with it the call is made."""
    arm = signed_in("owner")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert "not trusted" in remedy.fails(lambda: arm.get(GROUP, **VERSION)).cause
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", door.ca)
    assert arm.put(GROUP, {"location": "westeurope"}, **VERSION)


@pytest.fixture
def azure_cli(tmp_path, monkeypatch):
    """An `az` that prints what it is told and ends as it is told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")

    def says(output: str, status: int) -> None:
        script = folder / "az"
        script.write_text(
            f"#!/bin/sh\ncat >&{1 if status == 0 else 2} <<'END'\n{output}\nEND\nexit {status}\n"
        )
        script.chmod(0o755)

    return says


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for az is a shell script")
def test_the_azure_clis_sign_in_is_used(door, signed_in, azure_cli):
    """What a developer has after az login."""
    answer = {"accessToken": door.token(), "expires_on": int(door.clock()) + 3600, "tokenType": "Bearer"}
    azure_cli(json.dumps(answer), 0)
    assert signed_in("owner").put(GROUP, {"location": "westeurope"}, **VERSION)["name"] == "team"


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for az is a shell script")
@pytest.mark.parametrize(
    ("says", "status", "cause"),
    [
        pytest.param(
            "ERROR: AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 1",
            1,
            "Azure refused the sign-in: AADSTS700082: The refresh token has expired due to inactivity",
            marks=pytest.mark.heals(
                "run az login again, or renew the secret or the federated token that the AZURE_… variables name"
            ),
        ),
        pytest.param(
            "ERROR: Please run 'az login' to setup account.",
            1,
            "nobody is signed in to Azure",
            marks=pytest.mark.heals(
                "run az login, or set AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE"
            ),
        ),
        pytest.param(
            '{"accessToken": "of-nobody", "expires_on": 4102444800, "tokenType": "Bearer"}',
            0,
            "Azure Resource Manager answered 401 InvalidAuthenticationToken",
            marks=pytest.mark.heals(
                "sign in again (az login), or check the AZURE_… variables of the credential"
            ),
        ),
    ],
)
def test_an_expired_sign_in_of_the_azure_cli_is_a_clear_error(
    remedy, door, signed_in, azure_cli, says, status, cause
):
    """The remedy is to sign in again, after which the same call is made."""
    azure_cli(says, status)
    arm = signed_in("owner")
    assert remedy.fails(lambda: arm.get(GROUP, **VERSION)).cause.startswith(cause)
    answer = {"accessToken": door.token(), "expires_on": int(door.clock()) + 3600, "tokenType": "Bearer"}
    azure_cli(json.dumps(answer), 0)
    assert arm.put(GROUP, {"location": "westeurope"}, **VERSION)["name"] == "team"


def test_no_secret_is_logged_or_printed(door):
    """Azure's libraries at their most talkative, in a process of their own."""
    code = (
        "import logging; logging.basicConfig(level=logging.DEBUG)\n"
        "from clients.credentials import resolve_target\n"
        f"print(resolve_target('environment').arm.get('{GROUP[:-5]}', **{VERSION}))"
    )
    owner = door.principal("owner")
    environment = os.environ | door.environment() | {"AZURE_CLIENT_SECRET": owner.secret}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "azure.identity" in done.stderr
    assert owner.secret not in done.stdout + done.stderr
    assert "eyJ" not in done.stdout + done.stderr, "a token was logged"
