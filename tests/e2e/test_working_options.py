"""The options of resources that work, each on every resource, on the local cloud: see docs/resource-options.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
import pulumi_azure_native as azure_native
import pytest

import components as ml
from backend.urns import split_reference, urn_name
from backend.values import Secret
from engine.deployment import destroy
from engine.testing import ProgramStack
from tests.e2e.checkout import Checkout, writes
from tests.e2e.options_program import (
    NATIVE,
    Note,
    Options,
    Program,
    deployed,
    kind_of,
    make,
    ops,
    ours,
    program_of,
    stack,
    to_all,
    to_parts,
)
from tests.e2e.resource_options import ALL, BY_ENGINE, IGNORABLE, PAGE, PARTS, RESOURCES, WORKS

__all__ = ["deployed", "make", "stack"]
pytestmark = pytest.mark.cloud


def test_protect_keeps_each_resource_and_its_parts(stack: ProgramStack) -> None:
    """Neither deleted nor replaced: the preview says so of each."""
    program = program_of(stack)
    program.options, program.transformed = lambda name: {"protect": True}, to_parts(protect=True)
    stack.up()
    assert {kind_of(state.urn) for state in ours(stack) if state.protect} == set(WORKS["protect"])
    assert [state.urn for state in ours(stack) if not state.protect] == []
    kept = stack.run(partial(destroy, preview_only=True), check=False)
    assert "cannot be deleted\nbecause it is protected" in str(kept.failures[0])
    assert [step.urn for step in kept.steps if kind_of(step.urn) in ALL] == []
    program.inputs = {"endpoint": {"endpoint_name": "other"}}
    refused = stack.preview(check=False)
    assert "endpoint-studio" in "\n".join(map(str, refused.failures))
    stack.program = Program()
    stack.up()
    assert [state.urn for state in stack.resources if state.protect] == []


def test_a_change_that_is_ignored_changes_nothing(stack: ProgramStack) -> None:
    """Each property that the table names, all at once: the value stays the one that the state has."""
    seen = set()

    def give(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        names = IGNORABLE.get(kind_of(args.type_))
        if not names:
            return None
        seen.add(kind_of(args.type_))
        options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=list(names)))
        return pulumi.ResourceTransformationResult(
            {**args.props, **dict.fromkeys(names, "nonsense")}, options
        )

    program_of(stack).transformed = give
    assert ops(stack.preview(), *IGNORABLE) == {each: {"same"} for each in IGNORABLE}
    assert seen == set(WORKS["ignore_changes"])


def test_what_is_renamed_and_moved_with_an_alias_stays_what_it_is(stack: ProgramStack) -> None:
    """A component's parts with it: nothing is created, replaced or deleted."""
    program = program_of(stack)
    parents: list[pulumi.Resource] = []
    program.before = lambda: parents.append(pulumi.ComponentResource("team:index:Models", "models"))
    program.names = lambda name: f"{name}-renamed"
    program.options = lambda name: {
        "parent": parents[-1],
        "aliases": [pulumi.Alias(name=name, parent=pulumi.ROOT_STACK_RESOURCE)],
    }
    program.transformed = to_parts(aliases=[pulumi.Alias(name="before")])
    result = stack.preview()
    assert set().union(*ops(result, *ALL, *(f"*{each}" for each in NATIVE)).values()) <= {"same", "update"}
    moved = [step.urn for step in result.steps if "team:index:Models$" in step.urn]
    assert {kind_of(urn) for urn in moved} >= set(ALL) - {"Lineage", "StackClaim"}


def test_a_target_is_all_that_is_updated(stack: ProgramStack) -> None:
    """Everything else stays as it is, whatever the program says of it."""
    program_of(stack).inputs = {
        "data": {"version": "2013-02"},
        "endpoint": {"description": "Another"},
        "workspace": {"tags": {"team": "other"}},
    }
    for name in ("data", "endpoint-studio", "workspace-storage"):
        target = stack.resource(name).urn
        changed = [step.urn for step in stack.preview(targets=(target,)).steps if step.op != "same"]
        assert changed == [target]


@pytest.mark.parametrize("option", BY_ENGINE)
def test_what_the_embedded_engine_does_not_do_it_refuses_by_name(stack: ProgramStack, option: str) -> None:
    """On every resource: the first that is registered ends the preview."""
    given = {"transforms": [lambda args: None], "hide_diffs": ["version"]}[option]
    for kind in BY_ENGINE[option] if option == "hide_diffs" else ("Workspace", "DataVersion"):
        give = to_all(**{option: given})
        program_of(stack).transformed = lambda args, kind=kind, give=give: (
            give(args) if kind_of(args.type_) == kind else None
        )
        text = "\n".join(map(str, stack.preview(check=False).failures))
        assert "not implemented by the embedded engine\nremedy: " in text


def test_azure_natives_resources_in_a_workspace_take_what_azure_native_takes(stack: ProgramStack) -> None:
    """By a transformation of the workspace: what is ignored stays, what is to replace replaces."""

    def give(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        return to_all(**given)(args) if kind_of(args.type_) == "*StorageAccount" else None

    given: dict[str, Any]
    program = program_of(stack)
    program.inputs = {"workspace": {"tags": {"team": "other"}}}
    program.options = lambda name: {"transformations": [give]} if name == "workspace" else {}
    for options, expected in (
        ({}, {"update"}),
        ({"ignore_changes": ["tags"]}, {"same"}),
        ({"replace_on_changes": ["tags"]}, {"replace", "create-replacement", "delete-replaced"}),
    ):
        given = options
        assert ops(stack.preview(), "*StorageAccount")["*StorageAccount"] == expected


def test_the_documents_transformation_does_what_it_says(stack: ProgramStack) -> None:
    """As it is written in docs/resource-options.md: the storage account's tags stay, the workspace's change."""
    [written] = re.findall(
        r"^```python\n(.*?)\n\n\n", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    names: dict[str, Any] = {"pulumi": pulumi}
    exec(written, names)
    program = program_of(stack)
    program.inputs = {"workspace": {"tags": {"team": "other"}}}
    given = [names["keep_tags"]]
    program.options = lambda name: {"transformations": given} if name == "workspace" else {}
    done = ops(stack.preview(), "*StorageAccount", "*ResourceGroup")
    assert done == {"*StorageAccount": {"same"}, "*ResourceGroup": {"update"}}


def test_a_new_stack_goes_by_what_its_resources_are_given(make: Callable[[str], ProgramStack]) -> None:
    """depends_on, hooks, transformations, provider and providers, of every resource and every part, up and down again."""
    stack = make("given")
    program = program_of(stack)
    hooked: set[str] = set()
    transformed: set[str] = set()
    first: list[pulumi.Resource] = []
    given: list[Any] = []

    def note(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        transformed.add(kind_of(args.type_))
        if kind_of(args.type_) != "*StorageAccount":
            return None
        more = pulumi.ResourceOptions(
            additional_secret_outputs=["primaryEndpoints"], custom_timeouts=pulumi.CustomTimeouts(create="9m")
        )
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, more))

    def before() -> None:
        async def seen(args: pulumi.ResourceHookArgs) -> None:
            hooked.add(kind_of(args.type))

        first[:] = [Note("first")]
        hook = pulumi.ResourceHook("seen", seen)
        provider = azure_native.Provider("given", location="westeurope")
        given[:] = [pulumi.ResourceHookBinding(after_create=[hook]), provider]

    def options(name: str) -> Options:
        more = {"provider": given[1]} if name == "workspace" else {}
        return {"depends_on": first, "hooks": given[0], "transformations": [note], **more}

    def hooks_of_parts(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if kind_of(args.type_) not in PARTS:
            return None
        note(args)
        alone = kind_of(args.type_) in ("Lineage", "StackClaim")  # the others wait with their components
        return to_all(hooks=given[0], **({"depends_on": first} if alone else {}))(args)

    def after(declared: dict[str, pulumi.Resource]) -> None:
        place: dict[str, Any] = {"target": "local", "location": "westeurope", "owner_email": "a@example.org"}
        ml.Workspace("second", **place, opts=pulumi.ResourceOptions(providers=[given[1]]))
        Note("last", pulumi.ResourceOptions(depends_on=list(declared.values())))

    program.before, program.options, program.after = before, options, after
    program.transformed = hooks_of_parts
    made = [step.name for step in stack.up().steps if step.op == "create"]
    declared = [state for state in ours(stack) if not urn_name(state.urn).startswith("second")]
    assert hooked >= set(WORKS["hooks"])
    assert transformed >= {*WORKS["transformations"], *(f"*{each}" for each in NATIVE)}
    for state in declared:
        assert made.index("first") < made.index(urn_name(state.urn)), state.urn
        if kind_of(state.urn) not in ("Lineage", "StackClaim"):
            assert made.index(urn_name(state.urn)) < made.index("last"), state.urn
    for name in ("workspace", "second"):
        for state in (each for each in stack.resources if urn_name(each.urn).startswith(f"{name}-")):
            if kind_of(state.urn).startswith("*"):
                assert urn_name(split_reference(state.provider)[0]) == "given"
    storage = stack.resource("workspace-storage")
    assert isinstance(storage.outputs["primaryEndpoints"], Secret)
    assert storage.custom_timeouts == {"create": 540.0}
    gone = [step.name for step in stack.destroy().steps if step.op == "delete"]
    for state in declared:
        assert gone.index("last") < gone.index(urn_name(state.urn)) < gone.index("first") or kind_of(
            state.urn
        ) in ("Lineage", "StackClaim"), state.urn
    assert stack.resources == []


def test_what_is_retained_is_there_after_a_destroy(
    make: Callable[[str], ProgramStack], checkout: Checkout
) -> None:
    """Its state is gone, and no service was asked to delete or change anything; its owner's mark says whose it is."""
    stack = make("retained")
    program = program_of(stack)
    program.options = lambda name: {"retain_on_delete": True}
    program.transformed = to_parts(retain_on_delete=True)
    stack.up()
    assert {kind_of(state.urn) for state in ours(stack) if state.retain_on_delete} == set(
        WORKS["retain_on_delete"]
    )
    checkout.reset_journal()
    stack.destroy()
    assert stack.resources == []
    assert writes(checkout.journal()) == []
    text = "\n".join(map(str, stack.preview(check=False).failures))
    assert "--take-over" in text


def test_a_refusal_is_two_lines_at_the_terminal(checkout: Checkout) -> None:
    """Cause and remedy, no traceback; nothing is written."""
    path: Path = checkout.root / "__main__.py"
    text = path.read_text()
    old = "gate=gate, rollout=rollout)"
    assert text.count(old) == 1
    path.write_text(text.replace(old, f"{old[:-1]}, opts=pulumi.ResourceOptions(replace_on_changes=['*']))"))
    try:
        checkout.reset_journal()
        done = checkout.dev("up", "--yes", "--engine", "embedded")
        assert done.status == 1
        assert "Endpoint 'endpoint': replace_on_changes is refused: " in done.text
        assert "remedy: leave it out" in done.text
        assert "Traceback" not in done.text
        assert writes(checkout.journal()) == []
    finally:
        path.write_text(text)


def test_every_cell_that_works_is_one_of_these() -> None:
    """What the table calls working is shown above, on every resource that it names."""
    shown = {"aliases", "depends_on", "hooks", "ignore_changes", "parent", "protect", "provider", "providers"}
    assert set(WORKS) == shown | {"retain_on_delete", "transformations"}
    assert set(RESOURCES) == set(BY_ENGINE["hide_diffs"])
