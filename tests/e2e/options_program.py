"""A program that declares every resource of docs/resource-options.md, and stacks of it on a local cloud."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pytest
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

import components as ml
from backend.checkpoint import State
from backend.urns import urn_type
from engine.events import Result
from engine.testing import ProgramStack
from tests.e2e.checkout import SOURCE, Checkout
from tests.e2e.resource_options import ALL, DATA

Options = Mapping[str, Any]
Transformation = Callable[[pulumi.ResourceTransformationArgs], pulumi.ResourceTransformationResult | None]
NATIVE = ("ResourceGroup", "StorageAccount", "Workspace")


class Noted(ResourceProvider):
    """Makes nothing."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("noted", props)


class Note(Resource, module="tests", name="Note"):
    """A resource that is not the project's."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(Noted(), name, {}, opts)


def kind_of(urn_or_type: str) -> str:
    """Which resource it is, as the table calls it; the resources of others begin with a star."""
    found = urn_type(urn_or_type) if urn_or_type.startswith("urn:") else urn_or_type
    ours = "retrain" in found
    return ("" if ours else "*") + found.rpartition(":")[2]


class Program:
    """Declares every resource of the table. Its options and its inputs may be changed between two runs.

    *options* go to what a program declares itself, *transformed* to each resource by a transformation of the stack.
    """

    def __init__(self) -> None:
        self.options: Callable[[str], Options] = lambda name: {}
        self.transformed: Transformation | None = None
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[dict[str, pulumi.Resource]], None] = lambda declared: None
        self.names: Callable[[str], str] = lambda name: name
        self.inputs: dict[str, Any] = {}

    def __call__(self) -> None:
        if self.transformed:
            pulumi.runtime.register_stack_transformation(self.transformed)
        self.before()
        made: dict[str, pulumi.Resource] = {}

        def declare(declares: Callable[..., Any], name: str, **inputs: Any) -> Any:
            given = {**inputs, **self.inputs.get(name, {})}
            options = pulumi.ResourceOptions(**self.options(name))
            made[name] = declares(self.names(name), **given, opts=options)
            return made[name]

        workspace = declare(
            ml.Workspace, "workspace", target="local", location="westeurope", owner_email="a@example.org"
        )
        published: dict[str, Any] = {"workspace": workspace, "experiment": "flights"}
        training = declare(ml.TrainingWebService, "training", **published)
        declare(ml.TrainingWebService, "training-new", **published, kind="new")  # has a commitment plan
        data = declare(ml.DataVersion, "data", target="local", path=DATA, version="2013-01")
        model = declare(ml.TrainedModel, "model", service=training, data=data)
        predictive = declare(ml.PredictiveWebService, "predictive", **published, model=model)
        declare(ml.Endpoint, "endpoint", service=predictive, candidate=model)
        self.after(made)


@pytest.fixture(scope="module")
def make(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ProgramStack]:
    """Makes stacks of such a program, by name, on the checkout's cloud."""
    checkout.succeed("cloud", "start")
    environment = {"RETRAIN_CLOUD_FILE": str(checkout.root / ".local/cloud/cloud.json")}
    attach = {"azure-native": int(checkout.cloud["azureNative"])}

    def stack(name: str) -> ProgramStack:
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(SOURCE / "experiments", folder / "experiments")
        return ProgramStack(Program(), folder, name, attach=attach, env=environment)

    return stack


@pytest.fixture(scope="module")
def deployed(make: Callable[[str], ProgramStack]) -> ProgramStack:
    """A stack that is there already."""
    stack = make("deployed")
    stack.up()
    assert {kind_of(state.urn) for state in stack.resources} >= {*ALL, *(f"*{each}" for each in NATIVE)}
    return stack


@pytest.fixture
def stack(deployed: ProgramStack) -> ProgramStack:
    """That stack, with a program that says nothing yet."""
    deployed.program = Program()
    return deployed


def program_of(stack: ProgramStack) -> Program:
    """What it runs."""
    assert isinstance(stack.program, Program)
    return stack.program


def ours(stack: ProgramStack) -> list[State]:
    """The resources of the table in its state."""
    return [state for state in stack.resources if kind_of(state.urn) in ALL]


def to_all(**given: Any) -> Transformation:
    """A transformation that gives an option to all resources."""

    def give(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(**given))
        return pulumi.ResourceTransformationResult(args.props, options)

    return give


def to_parts(**given: Any) -> Transformation:
    """A transformation that gives an option to the resources that are declared at the root by themselves."""
    give = to_all(**given)
    return lambda args: give(args) if kind_of(args.type_) in ("Lineage", "StackClaim") else None


def ops(result: Result, *kinds: str) -> dict[str, set[str]]:
    """The operations of a run by resource; of these, or of all in the table."""
    found: dict[str, set[str]] = {each: set() for each in kinds or ALL}
    for step in result.steps:
        found.setdefault(kind_of(step.urn), set()).add(step.op)
    return {each: found[each] for each in kinds or ALL}
