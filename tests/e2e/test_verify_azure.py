"""`./dev verify-azure` at the local cloud, which it signs in to as to Azure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from cli.cloud import settings
from tests.e2e.checkout import Checkout, Done, writes
from tests.healing import Told

pytestmark = pytest.mark.cloud

AZURE = ("-c", "target=environment")
ML = (*AZURE, "-c", "kind=azureml")


@pytest.fixture
def cloud(checkout: Checkout) -> settings.Cloud:
    """The checkout's cloud."""
    found = settings.load(checkout.root / ".local/cloud/cloud.json")
    assert found is not None
    return found


@pytest.fixture
def azure(checkout: Checkout, cloud: settings.Cloud) -> Iterator[Checkout]:
    """The checkout, signed in as the cloud's owner."""
    before = dict(checkout.environment)
    checkout.environment.update(cloud.sign_in("owner"))
    checkout.reset_journal()
    yield checkout
    checkout.environment = before


def arm(cloud: settings.Cloud, method: str, path: str) -> Any:
    """A call of Resource Manager as its owner."""
    answer = requests.request(
        method,
        f"{cloud.studio}/subscriptions/{cloud.subscription}{path}",
        params={"api-version": "2021-04-01"},
        headers={"Authorization": f"Bearer {cloud.armToken}"},
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()


def lines(done: Done, word: str) -> list[str]:
    """The lines of an outcome."""
    return [line for line in done.out.splitlines() if line.startswith(word)]


def test_a_subscription_that_has_all_is_found_so(azure: Checkout, cloud: settings.Cloud) -> None:
    """Each check is one line; nothing is written."""
    done = azure.succeed("verify-azure", *ML)
    assert lines(done, "FAIL") == []
    assert cloud.owner["clientId"] in done.out
    assert [line.split()[1] for line in lines(done, "ok")] == [
        *("signed", "subscription", "role", "role", "role", "provider", "region"),
        *("provider", "provider", "provider", "provider", "quota", "quota"),
    ]
    assert writes(azure.journal()) == []


def test_what_is_missing_is_named_with_the_command(azure: Checkout, cloud: settings.Cloud) -> None:
    """A reader's roles, and a provider; done by somebody who may, it is there."""
    azure.environment.update(cloud.sign_in("reader"))
    done = azure.dev("verify-azure", *ML)
    assert (done.status, len(lines(done, "FAIL"))) == (1, 3)
    assert "may not train, register, deploy, score and keep times" in done.out
    assert (
        f"--assignee-object-id {cloud.reader['objectId']} --assignee-principal-type ServicePrincipal"
        in done.out
    )
    assert '--role "AzureML Data Scientist"' in done.out
    azure.environment.update(cloud.sign_in("owner"))
    arm(cloud, "POST", "/providers/Microsoft.KeyVault/unregister")
    missing = azure.dev("verify-azure", *ML, "--json")
    assert missing.status == 1
    assert [one["remedy"] for one in missing.json["checks"] if not one["ok"]] == [
        "az provider register --namespace Microsoft.KeyVault --wait"
    ]
    arm(cloud, "POST", "/providers/Microsoft.KeyVault/register")
    assert azure.dev("verify-azure", *ML).status == 0


@pytest.mark.heals("use one of: {}", at="cli/verbs/tooling/verify.py")
def test_a_kind_that_is_none(remedy: Told, azure: Checkout) -> None:
    """One of those that there are."""
    remedy(azure.dev("verify-azure", *AZURE, "-c", "kind=odd").err)
    azure.succeed("verify-azure", *AZURE, "-c", "kind=new")


def left(checkout: Checkout, cloud: settings.Cloud) -> list[str]:
    """What is there of throw-away stacks."""
    groups = [one["name"] for one in arm(cloud, "GET", "/resourcegroups")["value"]]
    with BlobServiceClient(
        cloud.blob, {"account_name": cloud.account, "account_key": cloud.accountKey}
    ) as account:
        containers = [one.name for one in account.list_containers()]
    files = [path.name for path in Path(checkout.root).rglob("*verify*.yaml")]
    files += [path.name for path in Path(checkout.root / ".pulumi/stacks").rglob("verify*.json")]
    return [name for name in (*groups, *containers, *files) if "verify" in name]


@pytest.mark.heals("mend what it names, then verify again")
def test_the_whole_walk_leaves_nothing(remedy: Told, azure: Checkout, cloud: settings.Cloud) -> None:
    """Up, a score, destroy of Azure ML v2, each with its time; and the same end where a walk fails on its way."""
    failed = azure.dev("verify-azure", *AZURE, "--deploy", "-c", 'gateRules=["auc >= 0.99"]')
    assert failed.status == 1
    remedy(failed.err)
    assert "auc" in failed.err
    assert left(azure, cloud) == []
    early = azure.dev("verify-azure", *AZURE, "--deploy", "-c", "dataVersion=1999-01")
    assert (early.status, left(azure, cloud)) == (1, [])
    done = azure.dev("verify-azure", *ML, "-c", "location=westeurope", "--deploy", "--json", seconds=600)
    assert done.status == 0, done.text
    assert [one["step"] for one in done.json["steps"]] == ["up", "score", "destroy"]
    assert left(azure, cloud) == []
