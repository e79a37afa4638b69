"""Check: names, locations and what is refused, as azure-native does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from localcloud.azure_native.wire import UNKNOWN, Secret, decode, encode

GROUP, ACCOUNT, WORKSPACE = "resources:ResourceGroup", "storage:StorageAccount", "machinelearning:Workspace"


def test_a_name_is_the_logical_name_and_eight_hex_digits(engine: Any, urn: Callable[..., str]) -> None:
    """The same seed gives the same name, so that preview and update agree; another seed another."""
    first, _ = engine.check(urn(GROUP, "team"), {}, seed=b"1")
    again, _ = engine.check(urn(GROUP, "team"), {}, seed=b"1")
    other, _ = engine.check(urn(GROUP, "team"), {}, seed=b"2")
    assert re.fullmatch(r"team[0-9a-f]{8}", first["resourceGroupName"])
    assert first == again
    assert other["resourceGroupName"] != first["resourceGroupName"]
    assert first["__createBeforeDelete"] is True


def test_a_made_up_name_stays(engine: Any, urn: Callable[..., str]) -> None:
    """A later check keeps the name of the old inputs, whatever its seed."""
    olds, _ = engine.check(urn(GROUP), {}, seed=b"1")
    news, _ = engine.check(urn(GROUP), {"tags": {"a": "1"}}, olds, seed=b"2")
    assert news == {**olds, "tags": {"a": "1"}}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("PROPOSE", "proposed-name"), ("ENFORCE", "proposed-name"), ("DISABLE", None)],
)
def test_naming_follows_the_projects_configuration(
    engine: Any, urn: Callable[..., str], mode: str, expected: str | None
) -> None:
    """`pulumi:autonaming` proposes, enforces or forbids; forbidden, a name is required."""
    options = provider_pb2.CheckRequest.AutonamingOptions(
        proposed_name="proposed-name", mode=getattr(provider_pb2.CheckRequest.AutonamingOptions, mode)
    )
    answer = engine.stub.Check(
        provider_pb2.CheckRequest(urn=urn(GROUP), news=encode({}), randomSeed=b"1", autonaming=options)
    )
    assert decode(answer.inputs).get("resourceGroupName") == expected
    reasons = [failure.reason for failure in answer.failures]
    assert reasons == ([] if expected else ["missing required property 'resourceGroupName'"])


def test_the_location_comes_from_the_providers_configuration(engine: Any, urn: Callable[..., str]) -> None:
    """`azure-native:location` is the default, and the program's own location comes first."""
    assert engine.check(urn(GROUP), {})[0]["location"] == "West Europe"
    assert engine.check(urn(GROUP), {"location": "eastus"})[0]["location"] == "eastus"


def test_without_a_configured_location_the_groups_is_taken(attach: Any, urn: Callable[..., str]) -> None:
    """What is in a resource group is where the group is; unknown as long as the group is unknown."""
    run = attach(location="")
    run.make(urn(GROUP), resourceGroupName="rg", location="eastus")
    body = {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    assert run.check(urn(ACCOUNT), {**body, "resourceGroupName": "rg"})[0]["location"] == "eastus"
    unknown, failures = run.check(urn(ACCOUNT), {**body, "resourceGroupName": UNKNOWN})
    assert unknown["location"] is UNKNOWN
    assert failures == []


def test_a_missing_location_says_how_to_set_it(attach: Any, urn: Callable[..., str]) -> None:
    """With no location anywhere the failure names the setting, in azure-native's words."""
    _, failures = attach(location="").check(urn(GROUP), {})
    assert failures == [
        "missing required property 'location'. Either set it explicitly or configure it with"
        " 'pulumi config set azure-native:location <value>'."
    ]


def test_what_is_required_is_named(engine: Any, urn: Callable[..., str]) -> None:
    """Each missing property is one failure."""
    _, failures = engine.check(urn(WORKSPACE), {"resourceGroupName": "rg"})
    assert failures == [
        "missing required property 'ownerEmail'",
        "missing required property 'userStorageAccountId'",
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ab", "'accountName' is too short (2): at least 3 characters required"),
        ("a" * 25, "'accountName' is too long (25): at most 24 characters allowed"),
        ("My-Store", "'accountName' does not match expression '^[a-z0-9]+$'"),
    ],
)
def test_account_names_are_held_to_their_rules(
    engine: Any, urn: Callable[..., str], name: str, reason: str
) -> None:
    """A name that Azure would refuse is refused before anything is called."""
    news = {
        "accountName": name,
        "resourceGroupName": "rg",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
    }
    assert engine.check(urn(ACCOUNT), news)[1] == [reason]


def test_unknowns_and_secrets_come_back_as_they_went_in(engine: Any, urn: Callable[..., str]) -> None:
    """Check keeps unknown values unknown and secret values secret, at any depth."""
    news = {
        "resourceGroupName": UNKNOWN,
        "ownerEmail": Secret("owner@example.org"),
        "userStorageAccountId": UNKNOWN,
        "tags": {"plain": "x", "hidden": Secret("y"), "later": Secret(UNKNOWN)},
    }
    checked, failures = engine.check(urn(WORKSPACE), news)
    assert failures == []
    assert {name: checked[name] for name in news} == news


def test_a_type_that_is_not_there_is_named(engine: Any, urn: Callable[..., str]) -> None:
    """A program that declares more than the local cloud has is told what there is."""
    with pytest.raises(grpc.RpcError) as caught:
        engine.check(urn("network:VirtualNetwork"), {})
    lines = caught.value.details().splitlines()
    assert lines[0] == "the local cloud has no resource type azure-native:network:VirtualNetwork"
    assert lines[1].startswith("remedy: it has azure-native:applicationinsights:Component, ")
