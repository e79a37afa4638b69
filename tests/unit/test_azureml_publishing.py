"""What is published in a workspace of Azure ML v2, and told again from the registry that stacks share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from clients.azureml.publishing import Publisher
from clients.errors import NotFound
from clients.protocols import CodePackage
from tests.unit.fakes import MemoryContainer

SETTINGS = {
    "environment": {"name": "", "version": "", "label": "", "registry": "", "image": "i", "conda": ""}
}
PACKAGE = CodePackage(SETTINGS, {}, "d" * 64, "e" * 64)


class Workspace:
    """One workspace's assets, by their ids."""

    def __init__(self, name: str, registry: MemoryContainer) -> None:
        self.id, self.registry = f"/workspaces/{name}", lambda: registry
        self.assets: dict[str, Any] = {}
        self.arm = SimpleNamespace(find=self.assets.get, get=self.assets.__getitem__)

    def put(self, resource: str, properties: Any) -> None:
        self.assets[resource] = {"properties": properties}


def test_the_same_package_in_two_workspaces_names_the_assets_of_each() -> None:
    """Stacks share a registry: what one of them published is not the other's."""
    registry = MemoryContainer()
    one, other = Workspace("one", registry), Workspace("other", registry)
    for workspace in (one, other):
        service = Publisher(workspace).publish("flights", PACKAGE, lambda: None)  # type: ignore[arg-type]
        recipe = Publisher(workspace).current(service)  # type: ignore[arg-type]
        assert recipe.digest == PACKAGE.digest
        assert recipe.environment in workspace.assets


def test_a_code_container_that_nothing_was_published_in_is_no_service() -> None:
    """It is somebody else's."""
    workspace = Workspace("one", MemoryContainer())
    workspace.put("/workspaces/one/codes/theirs", {"tags": {}})
    with pytest.raises(NotFound, match="no web service"):
        Publisher(workspace).current("/workspaces/one/codes/theirs")  # type: ignore[arg-type]
