"""Azure's own libraries, unchanged, over HTTPS: every way of signing in that the default chain has without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import (
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.aad.conftest import SUBSCRIPTION, TENANT


def secret_credential(door, name="owner", secret=None):
    who = door.principal(name)
    return ClientSecretCredential(
        TENANT,
        who.client_id,
        secret or who.secret,
        authority=door.https,
        disable_instance_discovery=True,
        connection_verify=door.ca,
    )


def federated_credential(door, name="owner", file: Path | None = None):
    who = door.principal(name)
    return WorkloadIdentityCredential(
        tenant_id=TENANT,
        client_id=who.client_id,
        token_file_path=str(file or who.federated_token_file),
        authority=door.https,
        disable_instance_discovery=True,
        connection_verify=door.ca,
    )


def subscription_seen_with(door, credential) -> str:
    """The subscription's id as the bearer of the credential's token reads it."""
    with credential:
        token = credential.get_token(door.scope).token
    answer = door.arm(token)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["subscriptionId"])


def test_a_service_principal_signs_in_with_its_secret(door):
    """ClientSecretCredential: discovery, token, call."""
    assert subscription_seen_with(door, secret_credential(door)) == SUBSCRIPTION


def test_a_service_principal_signs_in_with_a_federated_token(door):
    """WorkloadIdentityCredential: the file is what a CI system or a cluster would write."""
    assert subscription_seen_with(door, federated_credential(door)) == SUBSCRIPTION


def test_a_managed_identity_needs_no_secret_of_its_own(door, monkeypatch):
    """ManagedIdentityCredential, by the endpoint of App Service."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{door.https}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", door.cloud.identity_header)
    assert subscription_seen_with(door, ManagedIdentityCredential(connection_verify=door.ca)) == SUBSCRIPTION


def test_a_managed_identity_is_not_for_everybody_on_the_machine(door, monkeypatch):
    """Without the header that only the cloud file tells, there is no token."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{door.https}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "guessed")
    with (
        ManagedIdentityCredential(connection_verify=door.ca) as credential,
        pytest.raises(ClientAuthenticationError),
    ):
        credential.get_token(door.scope)


@pytest.mark.parametrize("way", ["secret", "federated", "managed"])
def test_the_default_chain_finds_what_the_environment_names(door, monkeypatch, way):
    """DefaultAzureCredential, with nothing but environment variables; the authority is trusted by REQUESTS_CA_BUNDLE."""
    owner, environment = door.principal("owner"), door.environment()
    if way == "secret":
        environment["AZURE_CLIENT_SECRET"] = owner.secret
    elif way == "federated":
        environment["AZURE_FEDERATED_TOKEN_FILE"] = str(owner.federated_token_file)
    else:
        environment |= {
            "IDENTITY_ENDPOINT": f"{door.https}/msi/token",
            "IDENTITY_HEADER": door.cloud.identity_header,
        }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (
        subscription_seen_with(door, DefaultAzureCredential(disable_instance_discovery=True)) == SUBSCRIPTION
    )


@pytest.mark.parametrize("name", ["owner", "reader"])
def test_each_principal_has_its_own_federated_token(door, name):
    """The reader's token does not make anybody the owner."""
    other = door.principal("reader" if name == "owner" else "owner").federated_token_file
    with (
        federated_credential(door, name, other) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS700213"),
    ):
        credential.get_token(door.scope)


def test_a_wrong_secret_is_refused_by_name_and_not_shown(door):
    """AADSTS7000215 is what people search for."""
    with (
        secret_credential(door, secret="wrong-secret-of-nobody") as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215") as caught,
    ):
        credential.get_token(door.scope)
    assert "wrong-secret" not in str(caught.value)


def test_an_sdk_of_azures_own_works_unchanged(door):
    """azure-mgmt-resource makes, lists and deletes a resource group over HTTPS, and registers a provider."""
    with (
        secret_credential(door) as credential,
        ResourceManagementClient(
            credential,
            SUBSCRIPTION,
            base_url=door.https,
            credential_scopes=[f"{door.https}/.default"],
            connection_verify=door.ca,
        ) as client,
    ):
        made = client.resource_groups.create_or_update("team", {"location": "westeurope", "tags": {"a": "b"}})
        assert (made.name, made.tags) == ("team", {"a": "b"})
        assert [group.name for group in client.resource_groups.list()] == ["team"]
        assert client.resource_groups.check_existence("team")
        client.resource_groups.begin_delete("team").result()
        assert not client.resource_groups.check_existence("team")
        namespace = "Microsoft.MachineLearning"
        assert client.providers.unregister(namespace).registration_state == "NotRegistered"
        assert client.providers.register(namespace).registration_state == "Registered"
        assert namespace in [each.namespace for each in client.providers.list()]


def test_an_sdk_shows_a_reader_why_not(door):
    """The SDK's own error has ARM's code and sentence."""
    with (
        secret_credential(door, "reader") as credential,
        ResourceManagementClient(
            credential,
            SUBSCRIPTION,
            base_url=door.https,
            credential_scopes=[f"{door.https}/.default"],
            connection_verify=door.ca,
        ) as client,
    ):
        assert list(client.resource_groups.list()) == []
        with pytest.raises(HttpResponseError) as caught:
            client.resource_groups.create_or_update("team", {"location": "westeurope"})
    assert caught.value.status_code == 403
    assert caught.value.error.code == "AuthorizationFailed"
    assert "'Microsoft.Resources/subscriptions/resourceGroups/write'" in caught.value.error.message
