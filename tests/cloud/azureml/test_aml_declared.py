"""What components/services/azureml.py declares by the provider's own names, held against azure-native's classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import _types as sdk
from pulumi_azure_native.machinelearningservices import (
    AmlComputeArgs,
    AmlComputePropertiesArgs,
    OnlineEndpointPropertiesArgs,
    compute,
    online_endpoint,
    workspace,
)

from components.services import azureml
from engine.testing import ProgramStack
from localcloud.azure_native.server import Server

ARGS = {
    "Workspace": workspace.WorkspaceArgs,
    "Compute": compute.ComputeArgs,
    "OnlineEndpoint": online_endpoint.OnlineEndpointArgs,
}
# Which of the types that a property may have is declared.
MEANT = {("Compute", "properties"): AmlComputeArgs}


def program() -> None:
    """A workspace with an endpoint."""
    child = pulumi.ResourceOptions()
    parts = azureml.workspace(
        "w", location="westeurope", tags={"a": "b"}, vm_size="Standard_DS3_v2", nodes=2, child=child
    )
    azureml.online_endpoint("e", parts, "by-name", "Serves", child)


@pytest.fixture
def declared(stand_in: Server, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """The inputs in a first preview, by the last part of the type."""
    result = ProgramStack(program, tmp_path, attach={"azure-native": stand_in.port}).preview()
    found = {step.type.rpartition(":")[2]: dict(step.new or {}) for step in result.steps}
    for inputs in found.values():
        inputs.pop("azureApiVersion", None)  # the provider's
    return found


def unknown(args: type, given: Mapping[str, Any], at: tuple[str, ...]) -> list[str]:
    """What is *given*, at any depth, under a name that the class *args* has not."""
    types, found = sdk.input_type_types(args), []
    for name, value in given.items():
        place = (*at, name)
        if name not in types:
            found.append(".".join(place))
        elif isinstance(value, Mapping) and name != "tags":
            found += unknown(MEANT.get(place, types[name]), value, place)
    return found


def test_each_name_is_one_of_azure_natives(declared: Mapping[str, dict[str, Any]]) -> None:
    """A misspelt property, which Python would find in a class's arguments, is found here, at any depth."""
    for kind, args in ARGS.items():
        assert unknown(args, declared[kind], (kind,)) == []
    compute = declared["Compute"]
    compute["properties"]["properties"]["vmsize"] = "s"
    assert unknown(ARGS["Compute"], compute, ("Compute",)) == ["Compute.properties.properties.vmsize"]


@pytest.mark.parametrize(
    ("kind", "args", "path"),
    [
        ("Compute", AmlComputePropertiesArgs(), ("properties", "properties")),
        ("OnlineEndpoint", OnlineEndpointPropertiesArgs(auth_mode="Key"), ("properties",)),
    ],
    ids=["compute", "endpoint"],
)
def test_what_the_classes_fill_in_is_declared(
    declared: Mapping[str, dict[str, Any]], kind: str, args: Any, path: tuple[str, ...]
) -> None:
    """A stack that was deployed with the classes finds no change."""
    given = declared[kind]
    for part in path:
        given = given[part]
    names = sdk.input_type_py_to_pulumi_names(type(args))
    filled = {wire: getattr(args, name) for name, wire in names.items()}
    filled = {wire: value for wire, value in filled.items() if value is not None}
    assert filled
    assert {wire: given.get(wire) for wire in filled} == filled


def test_a_workspace_that_is_there_is_read(stand_in: Server, tmp_path: Path) -> None:
    """Another stack adopts it by its id, finds its region, and creates nothing."""
    made = ProgramStack(program, tmp_path, attach={"azure-native": stand_in.port})
    made.up()
    id_ = made.resource("w-studio").id

    def adopt() -> None:
        pulumi.export("location", azureml.adopted("w", id_, pulumi.ResourceOptions()).location)

    other = ProgramStack(adopt, tmp_path, "other", attach={"azure-native": stand_in.port})
    assert other.up().outputs["location"] == "westeurope"
    assert other.resource("w-studio").external
    assert set(made.preview().changes) == {"same"}
    other.destroy()
    made.destroy()
