"""A stack with two models and the plan of a retraining, in a checkout whose world may be changed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from azure.storage.blob import BlobServiceClient, ContentSettings

from clients.storage import Container
from clients.studio_data_plane.references import written
from plans.contract import Contract
from retrain_hooks.registry.plans import AppliedPlans
from tests.e2e.checkout import Checkout, Done

ENGINE = ("--engine", "embedded")
VERSION, OTHER = "2013-03", "2013-02"
WANTED = ("-c", f"dataVersion={VERSION}")
_AGAIN = ("-c", "ownerEmail=somebody@example.com")


@dataclass
class House:
    """The checkout, its saved *plan*, and what a change needs to know of it."""

    checkout: Checkout
    plan: Path
    bound: str
    """The address of the model that serves."""
    earlier: str
    """The address of the one before it."""
    outputs: dict[str, Any]
    state: Path
    """The stack's state in Pulumi's file backend; `later` is one of an update since."""
    later: Path

    @classmethod
    def built(cls, checkout: Checkout, folder: Path) -> House:
        """Deploys a stack twice, and saves the plan of what comes next in *folder*."""
        earlier = _deployed(checkout, "-c", f"dataVersion={OTHER}")
        _deployed(checkout)
        state = checkout.root / ".pulumi/stacks/retraining/dev.json"
        later = folder / "later.json"
        checkout.up(*_AGAIN)
        shutil.copyfile(state, later)
        outputs = _deployed(checkout)
        found = cls(
            checkout,
            folder / "plan.json",
            outputs["modelAddress"],
            earlier["modelAddress"],
            outputs,
            state,
            later,
        )
        found.save(found.plan)
        shutil.copyfile(checkout.root / "Pulumi.dev.yaml", checkout.root / "Pulumi.other.yaml")
        return found

    def save(self, plan: Path) -> None:
        """Save the plan of the retraining, in the world as it is now."""
        self.checkout.succeed("preview", *ENGINE, *WANTED, "--summary", "--save-plan", str(plan))

    def contract(self, plan: Path) -> Contract:
        """The plan that a file has."""
        return Contract.read(plan.read_text(encoding="utf-8"))

    def update(self, *arguments: str) -> Done:
        """Try to carry the plan out."""
        return self.checkout.dev("up", "--yes", "--summary", *ENGINE, *arguments, "--plan", str(self.plan))

    def applied(self) -> AppliedPlans:
        """Which plans were carried out."""
        return AppliedPlans(self._container("registry"))

    def forget(self, key: str) -> None:
        """As if the plan had not been carried out."""
        self.blob("registry", f"plans/{key}.json").delete_blob()

    def blob(self, container: str, name: str) -> Any:
        """One blob of the local storage account."""
        cloud = self.checkout.cloud
        credential = {"account_name": cloud["account"], "account_key": cloud["accountKey"]}
        return BlobServiceClient(cloud["blob"], credential).get_blob_client(container, name)

    def upload(self, name: str, content: bytes) -> None:
        """Write a blob of the data."""
        settings = ContentSettings(content_type="text/csv")
        self.blob("data", name).upload_blob(content, overwrite=True, content_settings=settings)

    def bind(self, address: str) -> None:
        """Have the endpoint serve a model, behind the stack's back."""
        url, head = self.outputs["patchUrl"], {"Authorization": f"Bearer {self.outputs['endpointKey']}"}
        name = requests.get(url, headers=head, timeout=20).json()["Resources"][0]["Name"]
        location = written(self._container("registry").readable(address))
        resources = {"Resources": [{"Name": name, "Location": location}]}
        requests.patch(url, json=resources, headers=head, timeout=20).raise_for_status()

    def _container(self, name: str) -> Container:
        cloud = self.checkout.cloud
        account = f"AccountName={cloud['account']};AccountKey={cloud['accountKey']}"
        return Container(f"{account};BlobEndpoint={cloud['blob']};", name, "")


def _deployed(checkout: Checkout, *arguments: str) -> dict[str, Any]:
    checkout.up(*arguments)
    return dict(checkout.succeed("output", "--json", "--show-secrets").json)
