"""What resources pass to each other: references with stable ids. What else there is to know is looked up at call time.

Ids are compared as services compare them: Resource Manager's ignore case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.protocols import AZUREML, KINDS, NEW
from clients.web_services import kind_of
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import UNKNOWN, known


def same_id(one: Any, other: Any) -> bool:
    """Whether two ids are the same to their service; an id that is not known is another."""
    if one is UNKNOWN or other is UNKNOWN:
        return False
    return str(one or "").rstrip("/").casefold() == str(other or "").rstrip("/").casefold()


class ResourceId(str):
    """An id in Resource Manager, or one that is compared alike."""

    def same(self, other: Any) -> bool:
        """Whether both are one thing's."""
        return same_id(self, other)


@dataclass(frozen=True)
class WorkspaceRef(Inputs):
    """A workspace: its ARM id, and its 32-hex id where that is known already."""

    resource: str = prop("resource id of the workspace, or of a resource group")
    id: str = prop("32-hex id of the workspace; looked up where it is not given", default="")

    def same(self, other: WorkspaceRef) -> bool:
        """Whether both are one workspace."""
        return same_id(self.resource, other.resource)


@dataclass(frozen=True)
class ServiceRef(Inputs):
    """A web service. Of one that is not there yet the id is empty."""

    id: str = prop("id of the web service: an ARM id, or 32 hex digits")
    workspace: WorkspaceRef = prop("the workspace that it is in")
    kind: str = prop("how it is spoken to", default="", choices=("", *KINDS))
    plan: str | None = prop("commitment plan that pays for it", default=None)
    input: str | None = prop("name of its input, where that is not input1", default=None)

    @property
    def is_new(self) -> bool:
        """Whether it is a New web service."""
        return kind_of(self.props()) == NEW

    @property
    def is_azureml(self) -> bool:
        """Whether it is a service of Azure ML v2, whose endpoints are not its own."""
        return kind_of(self.props()) == AZUREML

    def same(self, other: ServiceRef) -> bool:
        """Whether both are one web service."""
        return same_id(self.id, other.id) and self.workspace.same(other.workspace)


def same_service(one: Any, other: Any) -> bool:
    """Whether two references, as plain properties, are to one web service; one that is not known is another."""
    if not known(one, other) or not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return False
    return ServiceRef.parse(one).same(ServiceRef.parse(other))


@dataclass(frozen=True)
class ModelRef(Inputs):
    """A trained model: its address in the registry, and the SHA-256 of its bytes where that is known."""

    address: str = prop("path of the model in the registry container")
    sha256: str = prop("SHA-256 of the model, 64 hex digits", default="")


@dataclass(frozen=True)
class ExperimentRef(Inputs):
    """What others need to know of a published experiment: its digest, and the names of its ports."""

    name: str = prop("name of the experiment")
    digest: str = prop("digest of what is published, 64 hex digits")
    input: str = prop("name of the web service input", default="", output=True)
    model_output: str = prop("web service output of the trained model", default="", output=True)
    evaluation_output: str = prop("web service output of the evaluation", default="", output=True)
    parameters: tuple[str, ...] = prop("names of its web service parameters", default=())
    resource: str = prop("name of the trained model that can be replaced", default="", output=True)
