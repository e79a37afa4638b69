"""Every option of Pulumi on every resource does what Pulumi's documents say, or the preview refuses it by name."""

from __future__ import annotations

import subprocess
from typing import Any

import pulumi
import pytest

import components as ml
from engine.testing import MakeStack, pulumi_stack
from retrain_hooks import providers
from tests.e2e.checkout import SOURCE
from tests.e2e.resource_options import (
    ALL,
    BY_ENGINE,
    DATA,
    IGNORABLE,
    NO_OPTIONS,
    OPTIONS,
    PAGE,
    WORKS,
    cell,
    page,
    refusals,
)
from tests.healing import Told

__all__ = ["pulumi_stack"]


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """What is said of each option on each resource that refuses it."""
    return refusals(tmp_path_factory.mktemp("refusals"))


@pytest.mark.parametrize(
    "option", [each for each in OPTIONS if any(cell(each, one) == "refused" for one in ALL)]
)
def test_an_option_that_would_do_nothing_is_refused_by_name(
    refused: dict[tuple[str, str], str], option: str
) -> None:
    """One line of cause, which names resource and option, and one of remedy."""
    for resource in (each for each in ALL if cell(option, each) == "refused"):
        cause, remedy = refused[option, resource].split("\n")
        assert cause.startswith(f"{resource} 'one': {option}")
        assert " is refused: " in cause
        assert remedy.startswith("remedy: ")


@pytest.mark.parametrize("resource", IGNORABLE)
def test_what_is_derived_cannot_be_ignored(refused: dict[tuple[str, str], str], resource: str) -> None:
    """An old address beside a new hash would be nobody's model; the remedy names what can be ignored."""
    text = refused["ignore_changes", resource]
    assert f"{resource} 'one': ignore_changes of 'address' is refused" in text
    assert all(name in text for name in IGNORABLE[resource])


@pytest.mark.parametrize("resource", IGNORABLE)
def test_what_can_be_ignored_is_given_by_a_program(resource: str) -> None:
    """By its name, as docs/resources.md has it; what a check finds out is not among it."""
    inputs = getattr(providers, f"{resource}Provider").lifecycle.inputs
    given = {row.name for row in inputs.table() if not row.rules.output and not row.rules.identity}
    assert {*IGNORABLE[resource]} <= given


def test_the_table_has_every_option_and_says_what_the_resources_say(
    refused: dict[tuple[str, str], str],
) -> None:
    """The page is what `./dev docs resource-options` writes; what it calls refused is what was refused."""
    assert {*WORKS, *BY_ENGINE} <= {*OPTIONS}
    assert PAGE.read_text(encoding="utf-8") == page(refused)


def failure_of(make: MakeStack, program: Any) -> str:
    """What a preview of *program* fails with; no cloud is there."""
    return "\n".join(map(str, make(program).preview(check=False).failures))


def given_by(transformation: Any, to: str) -> Any:
    """A program whose data version is declared below *transformation*, which the stack or a parent has."""

    def program() -> None:
        parent = None
        if to == "the stack":
            pulumi.runtime.register_stack_transformation(transformation)
        else:
            options = pulumi.ResourceOptions(transformations=[transformation])
            parent = pulumi.ComponentResource("team:index:Models", "models", None, options)
        options = pulumi.ResourceOptions(parent=parent)
        ml.DataVersion("data", target="local", path=DATA, version="2013-01", opts=options)

    return program


@pytest.mark.parametrize("to", ["the stack", "a parent"])
def test_an_option_that_a_transformation_gives_is_refused_as_well(pulumi_stack: MakeStack, to: str) -> None:
    """The last word of all transformations is judged."""

    def give(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        given = pulumi.ResourceOptions(replace_on_changes=["version"])
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, given))

    text = failure_of(pulumi_stack, given_by(give, to))
    assert "DataVersion 'data': replace_on_changes is refused" in text


@pytest.mark.parametrize("to", ["the stack", "a parent"])
def test_a_secret_that_a_transformation_gives_is_refused_as_well(pulumi_stack: MakeStack, to: str) -> None:
    """What is made from it would be kept as plain text, whoever put it there."""

    def give(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if "version" not in args.props:
            return None
        return pulumi.ResourceTransformationResult(
            {**args.props, "version": pulumi.Output.secret("2013-01")}, args.opts
        )

    assert "data: version is a secret" in failure_of(pulumi_stack, given_by(give, to))


@pytest.mark.parametrize(
    ("kind", "holders"),
    [
        ("classic", ["PredictiveWebService 'predictive'", "Workspace 'workspace'"]),
        ("new", ["Workspace 'workspace'"]),
    ],
)
@pytest.mark.heals("give retain_on_delete to {} as well, or to neither")
def test_a_component_whose_holder_is_deleted_is_not_half_retained(
    remedy: Told, pulumi_stack: MakeStack, kind: str, holders: list[str]
) -> None:
    """A classic endpoint is deleted with its web service, and all with the workspace: each is named until all are retained."""
    retained: set[str] = {"endpoint"}
    told: list[str] = []

    def program() -> None:
        def kept(name: str) -> pulumi.ResourceOptions:
            return pulumi.ResourceOptions(retain_on_delete=True if name in retained else None)

        workspace = ml.Workspace(
            "workspace",
            target="local",
            location="westeurope",
            owner_email="a@example.org",
            opts=kept("workspace"),
        )
        published: dict[str, Any] = {"workspace": workspace, "experiment": "flights", "kind": kind}
        training = ml.TrainingWebService("training", **published)
        data = ml.DataVersion("data", target="local", path=DATA, version="2013-01")
        model = ml.TrainedModel("model", service=training, data=data)
        try:
            predictive = ml.PredictiveWebService(
                "predictive", **published, model=model, opts=kept("predictive")
            )
            ml.Endpoint("endpoint", service=predictive, candidate=model, opts=kept("endpoint"))
        except pulumi.RunError as refused:
            told.append(str(refused))

    stack = pulumi_stack(program)
    for holder in holders:
        stack.preview(check=False)
        text = told.pop()
        assert f"it is deleted with {holder}, which is not retained" in text
        assert f"remedy: give retain_on_delete to {holder} as well, or to neither" in text
        remedy(text)
        retained.add(holder.split("'")[1])
    stack.preview(check=False)
    assert told == []


@pytest.mark.heals("give it to {}")
def test_a_part_is_not_retained_without_its_component(remedy: Told, pulumi_stack: MakeStack) -> None:
    """It is asked of the component, which all that rests on it looks at."""

    def give(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.endswith(":StudioWebService") and args.name not in retained:
            return None
        given = pulumi.ResourceOptions(retain_on_delete=True)
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, given))

    def program() -> None:
        pulumi.runtime.register_stack_transformation(give)
        place = {"target": "local", "location": "westeurope", "owner_email": "a@example.org"}
        workspace = ml.Workspace("workspace", **place)
        try:
            ml.TrainingWebService("training", workspace=workspace, experiment="flights")
        except pulumi.RunError as refused:
            told.append(str(refused))

    retained: set[str] = set()
    told: list[str] = []
    stack = pulumi_stack(program)
    stack.preview(check=False)
    remedy(text := told.pop())
    assert text == (
        "StudioWebService 'training-service': retain_on_delete is refused: it is a part of TrainingWebService "
        "'training', which is not retained\nremedy: give it to TrainingWebService 'training'"
    )
    retained |= {"workspace", "training"}
    stack.preview(check=False)
    assert told == []


@pytest.mark.parametrize("option", NO_OPTIONS)
def test_what_no_verb_takes_is_refused_by_name(option: str) -> None:
    """Before anything is run."""
    done = subprocess.run(
        ["./dev", "preview", option], cwd=SOURCE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"No such option: {option}" in done.stderr
