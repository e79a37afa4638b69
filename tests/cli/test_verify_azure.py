"""What `./dev verify-azure` makes of what Azure says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import jwt
import pytest

from cli.services.azure.checks import Checks, Finding, Wanted, family_and_cores, may
from cli.services.azure.needs import NEEDS
from clients.credentials import Target
from clients.errors import CredentialError
from localcloud.arm.types import RESOURCE_TYPES
from localcloud.azureml.registered import TYPES
from tests.healing import Told

SUBSCRIPTION = "5d0c3f5e-2a44-4c55-9a7b-0f5a1b2c3d4e"
WRITE = "Microsoft.MachineLearningServices/workspaces/jobs/write"


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ([{"actions": ["*"]}], True),
        ([{"actions": ["microsoft.machinelearningservices/workspaces/*"]}], True),
        ([{"actions": ["*/read"]}], False),
        ([{"actions": ["*"], "notActions": ["Microsoft.MachineLearningServices/workspaces/*/write"]}], False),
        ([{"actions": ["*"], "notActions": ["*/write"]}, {"actions": [WRITE]}], True),
        ([{"actions": ["Microsoft.MachineLearningServices/workspaces/jobs"]}], False),
        ([], False),
    ],
)
def test_permissions_are_read_as_azure_means_them(granted: list[Any], expected: bool) -> None:
    """Patterns in any case; what one role excludes, another may give."""
    assert may(granted, WRITE) is expected


@pytest.mark.parametrize(
    ("size", "family", "cores"),
    [
        ("Standard_DS3_v2", "dsv2", 4),
        ("STANDARD_D2", "d", 2),
        ("Standard_E8s_v3", "esv3", 8),
        ("Standard_NC6", "nc", 6),
        ("odd", "odd", 1),
    ],
)
def test_a_size_says_its_family_and_cores(size: str, family: str, cores: int) -> None:
    """As the names of quotas have the family."""
    assert family_and_cores(size) == (family, cores)


def test_each_kind_asks_for_types_that_there_are() -> None:
    """A mistyped provider or action would never be granted."""
    known = {one.type.lower() for one in (*RESOURCE_TYPES, *TYPES)}
    known |= {"microsoft.resources/subscriptions/resourcegroups"}
    more = ("jobs", "models/versions", "environments/versions", "codes/versions")
    known |= {f"microsoft.machinelearningservices/workspaces/{one}" for one in more}
    for needs in NEEDS.values():
        for action in (action for need in needs.roles for action in need.actions):
            kind = action.lower().rpartition("/")[0]
            assert kind in known or kind.rpartition("/")[0] in known, action
        assert f"{needs.home}/{needs.workspaces}".lower() in known


@dataclass
class Azure:
    """A subscription as Resource Manager answers for it; the transport to it, too."""

    claims: Mapping[str, Any] = field(default_factory=lambda: {"upn": "ann@example.org", "oid": "o-1"})
    subscriptions: tuple[str, ...] = (SUBSCRIPTION,)
    actions: tuple[str, ...] = ("*",)
    in_group: tuple[str, ...] = ()
    unregistered: tuple[str, ...] = ()
    free: int = 50
    base_url: str = "https://management.example"

    def authorize(self) -> Mapping[str, str]:
        """The sign-in."""
        if not self.claims:
            raise CredentialError("nobody is signed in to Azure", "run az login")
        return {"Authorization": f"Bearer {jwt.encode(dict(self.claims), 'k' * 32)}"}

    def send(self, _method: str, path: str, **_more: Any) -> SimpleNamespace:
        """An answer."""
        return SimpleNamespace(path=path, headers={})

    def said(self, answer: SimpleNamespace) -> dict[str, Any]:
        """What is in an answer."""
        return self.object("GET", answer.path)

    def object(self, _method: str, path: str, **_query: str) -> dict[str, Any]:
        """What a GET answers."""
        if path == "/subscriptions":
            return {"value": [{"subscriptionId": one, "displayName": "ours"} for one in self.subscriptions]}
        if path.endswith("/permissions"):
            given = self.in_group if "/resourceGroups/ours/" in path else self.actions
            return {"value": [{"actions": list(given), "notActions": []}]}
        if path.endswith("/usages"):
            names = ("Clusters", "Standard DSv2 Family Cluster Dedicated vCPUs", "Standard NC Family vCPUs")
            return {
                "value": [
                    {"name": {"localizedValue": name}, "limit": 100, "currentValue": 100 - self.free}
                    for name in names
                ]
            }
        namespace = path.rpartition("/")[2]
        return {
            "registrationState": "NotRegistered" if namespace in self.unregistered else "Registered",
            "resourceTypes": [{"resourceType": "workspaces", "locations": ["West Europe"]}],
        }

    def failed(self, **wanted: str) -> list[Finding]:
        """What is wrong for a stack on Azure ML."""
        target = cast(Target, Ours(self))
        asked = Wanted(**{"kind": "azureml", "location": "westeurope", **wanted})
        return [one for one in Checks(target, asked).all() if not one.ok]


@dataclass
class Ours:
    """A target at it."""

    arm: Azure
    name: str = "environment"


def test_nothing_is_wrong_where_all_is_there() -> None:
    """An owner with quota."""
    assert Azure().failed() == []


def test_without_a_sign_in_nothing_else_is_looked_at() -> None:
    """One line, with what to do."""
    found = Azure(claims={}).failed()
    assert [(one.what, one.remedy) for one in found] == [("signed in", "run az login")]


@pytest.mark.parametrize(
    ("claims", "who"),
    [
        ({"upn": "ann@example.org", "oid": "o-1"}, "--assignee-object-id o-1 --assignee-principal-type User"),
        (
            {"appid": "a", "oid": "o-2", "idtyp": "app"},
            "--assignee-object-id o-2 --assignee-principal-type ServicePrincipal",
        ),
        ({"sub": "x"}, "--assignee WHO"),
    ],
)
def test_a_missing_role_is_named_with_its_command(claims: dict[str, str], who: str) -> None:
    """For the one who is signed in; a reader lacks all three."""
    found = Azure(claims=claims, actions=("*/read",)).failed()
    assert [one.remedy for one in found] == [
        f'az role assignment create {who} --role "{role}" --scope /subscriptions/{SUBSCRIPTION}'
        for role in ("Contributor", "AzureML Data Scientist", "Role Based Access Control Administrator")
    ]


@pytest.mark.heals('az role assignment create {} --role "{}" --scope {}')
def test_roles_in_a_group_count(remedy: Told) -> None:
    """What is missing is then asked for there."""
    contributor = (
        "Microsoft.Resources/*",
        "Microsoft.Storage/*",
        "Microsoft.KeyVault/*",
        "Microsoft.Insights/*",
    )
    contributor += ("Microsoft.ContainerRegistry/*", "Microsoft.MachineLearningServices/*")
    azure = Azure(actions=("*/read",), in_group=contributor)
    assert len(azure.failed()) == 3
    (left,) = azure.failed(group="ours")
    remedy(left)
    assert left.remedy.endswith(f"--scope /subscriptions/{SUBSCRIPTION}/resourceGroups/ours")
    azure.in_group += ("Microsoft.Authorization/roleAssignments/*",)
    assert azure.failed(group="ours") == []


@pytest.mark.heals("az provider register --namespace {} --wait")
def test_a_provider_that_is_not_registered_is_named_with_its_command(remedy: Told) -> None:
    """Once for the subscription."""
    azure = Azure(unregistered=("Microsoft.KeyVault",))
    (found,) = azure.failed()
    remedy(found)
    azure.unregistered = ()
    assert azure.failed() == []
    assert found.remedy == "az provider register --namespace Microsoft.KeyVault --wait"


@pytest.mark.heals("./dev config set location REGION; {}")
def test_a_region_without_the_service_is_named(remedy: Told) -> None:
    """With those that have it."""
    (found,) = Azure().failed(location="Mars North")
    remedy(found)
    assert (found.what, "westeurope" in found.remedy) == ("region", True)
    assert Azure().failed(location="westeurope") == []


@pytest.mark.heals("ask for more of {} in {}: https://aka.ms/azureml-quota")
def test_a_quota_that_is_too_small_says_how_much_is_needed(remedy: Told) -> None:
    """Of the family of the machines, and no other."""
    (found,) = Azure(free=8).failed()
    remedy(found)
    assert found.says == "Standard DSv2 Family Cluster Dedicated vCPUs: 8 of 100 free, 9 needed"
    assert Azure(free=9).failed() == []
    assert len(Azure(free=40).failed(size="Standard_NC24")) == 1


@pytest.mark.heals("set ARM_SUBSCRIPTION_ID to the id of one that the sign-in may use")
def test_one_of_several_subscriptions_is_named(remedy: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it is not known which is meant."""
    azure = Azure(subscriptions=("one", SUBSCRIPTION))
    remedy(azure.failed()[0])
    monkeypatch.setenv("ARM_SUBSCRIPTION_ID", SUBSCRIPTION)
    assert azure.failed() == []
    assert azure.failed(subscription="one") == []
