"""Names have owners: what is renamed, replaced and reverted, lost, or declared twice takes nothing away from anybody."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.checkout import Checkout, Done, jobs, patches, writes

pytestmark = pytest.mark.cloud

REFUSED = ("-c", 'gateRules=["auc >= 0.999"]')


class Stack:
    """A stack of a checkout: what it does to the cloud, and whether its endpoint answers."""

    def __init__(self, checkout: Checkout, name: str = "dev") -> None:
        self.checkout, self.name = checkout, name
        self.journal: list[dict[str, Any]] = []

    def dev(self, verb: str, *arguments: str) -> Done:
        """Run ``./dev``, and note what it asked of the cloud."""
        self.checkout.reset_journal()
        done = self.checkout.dev(verb, *arguments, "-s", self.name, "--engine", "embedded")
        self.journal = self.checkout.journal()
        return done

    def up(self, *arguments: str) -> Done:
        """Update it."""
        return self.dev("up", "--yes", *arguments)

    def succeed(self, *arguments: str) -> Done:
        """Update it, which must succeed."""
        done = self.up(*arguments)
        assert done.status == 0, done.text
        return done

    def quiet(self) -> bool:
        """Whether a refreshed preview finds nothing to do."""
        done = self.dev("preview", "--refresh", "--expect-no-changes")
        return done.status == 0

    @property
    def url(self) -> str:
        """Where its endpoint answers."""
        return self.checkout.dev("output", "endpointUrl", "-s", self.name).out.strip()

    def answers(self) -> bool:
        """Whether its endpoint is there: scoring without a key is refused by it, and by nobody else."""
        return requests.post(f"{self.url}/execute?api-version=2.0", json={}, timeout=20).status_code == 401


@pytest.fixture(scope="module")
def stack(checkout: Checkout) -> Stack:
    """The example, deployed."""
    checkout.succeed("cloud", "start")
    found = Stack(checkout)
    found.succeed()
    return found


@pytest.fixture
def program(stack: Stack) -> Iterator[Path]:
    """The program, as it was again after the test."""
    path = stack.checkout.root / "__main__.py"
    text = path.read_text()
    yield path
    path.write_text(text)


def rename(program: Path, old: str, new: str, options: str = "") -> None:
    """Rename a component in the program."""
    text = program.read_text()
    [line] = [line for line in text.splitlines() if f'("{old}"' in line and "ml.Endpoint" in line]
    program.write_text(
        text.replace(line, line.replace(f'"{old}"', f'"{new}"').removesuffix(")") + f"{options})")
    )


def test_a_renamed_endpoint_is_refused_before_anything_is_written(stack: Stack, program: Path) -> None:
    """The refusal names the owner and the ways out; the endpoint goes on serving, also after a refresh."""
    rename(program, "endpoint", "renamed")
    done = stack.up()
    assert done.status == 1
    assert re.search(r"the endpoint '\w+' belongs to retraining/dev/endpoint-(studio|staging)", done.text)
    assert "existing=" in done.text
    assert "alias" in done.text
    assert writes(stack.journal) == []
    assert stack.answers()


def test_an_alias_moves_the_mark_and_does_nothing_else(stack: Stack, program: Path) -> None:
    """No service is called to change anything; the next preview is quiet, and back again."""
    url = stack.url
    original = program.read_text()
    for old, new in (("endpoint", "renamed"), ("renamed", "endpoint")):
        program.write_text(original)
        alias = f', opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="{old}")])'
        rename(program, "endpoint", new, alias)
        stack.succeed()
        assert {line for line in writes(stack.journal) if "/registry/owners/" not in line} == set()
        assert stack.quiet()
    assert stack.url == url
    assert stack.answers()


def test_a_replacement_that_is_refused_and_reverted_takes_nothing_along(stack: Stack) -> None:
    """The late delete of the first update meets the endpoint that the second took over again."""
    done = stack.up("-c", "endpointName=other", "-c", "dataVersion=2013-03", *REFUSED)
    assert done.status == 1
    assert stack.answers()
    stack.succeed()
    assert stack.answers()
    assert stack.quiet()


def test_a_replaced_service_that_is_reverted_stays(stack: Stack) -> None:
    """From classic to New and back while the gate refuses: what the first service left behind serves on."""
    url = stack.url
    assert stack.up("-c", "kind=new", "-c", "dataVersion=2013-03", *REFUSED).status == 1
    stack.succeed()
    assert stack.url == url
    assert stack.answers()
    assert stack.quiet()


def test_a_second_stack_has_services_of_its_own(stack: Stack) -> None:
    """On the first one's workspace, too: its end leaves the first one whole."""
    root = stack.checkout.root
    resource = json.loads(stack.checkout.dev("output", "service", "-s", "dev", "--json").out)["workspace"][
        "resource"
    ]
    program = (root / "__main__.py").read_text()
    shutil.copy(root / "Pulumi.dev.yaml", root / "Pulumi.other.yaml")
    lines = program.replace(
        '    location=config.require("location"),\n    owner_email=config.require("ownerEmail"),',
        f'    existing="{resource.replace("resourceGroups", "resourcegroups")}",',
    )
    assert lines != program
    other = Stack(stack.checkout, "other")
    try:
        (root / "__main__.py").write_text(lines)
        other.succeed()
        assert other.url != stack.url
        assert other.answers()
        assert other.quiet()
        done = other.dev("destroy", "--yes")
        assert done.status == 0, done.text
    finally:
        (root / "__main__.py").write_text(program)
    assert stack.answers()
    assert stack.quiet()


def test_another_checkout_takes_nothing_unless_asked_to(stack: Stack, tmp_path: Path) -> None:
    """A lost state is refused in the preview; `up --take-over` gets all back without a job or a binding."""
    url = stack.url
    state = stack.checkout.root / ".pulumi"
    lost = state.rename(tmp_path / "lost")
    refused = stack.up()
    assert refused.status == 1
    assert "belongs to retraining/dev of another checkout, or of a state that was lost" in refused.text
    assert "--take-over" in refused.text
    assert writes(stack.journal) == []
    taken = stack.succeed("--take-over")
    assert (jobs(stack.journal), patches(stack.journal)) == (0, [])
    for name in (
        "local-claim",
        "training-service",
        "predictive-service",
        "endpoint-studio",
        "endpoint-staging",
    ):
        assert f" {name} taken over (" in taken.out
    assert " workspace-group created or taken over (" in taken.out
    assert stack.url == url
    assert stack.quiet()
    # The state that was believed lost turns up: now it is the other one.
    shutil.rmtree(state)
    lost.rename(state)
    assert stack.up().status == 1
    assert stack.answers()
    stack.succeed("--take-over")
    assert stack.quiet()


def test_destroy_leaves_nothing_and_no_mark(stack: Stack) -> None:
    """The stack's services, marks and its claim to its name are gone."""
    done = stack.dev("destroy", "--yes")
    assert done.status == 0, done.text
    for name, said in (
        *((f"{part}-data", "left") for part in ("candidate", "baseline")),
        *((name, "left") for name in ("candidate", "baseline", "endpoint-promotion", "endpoint-binding")),
        *((name, "deleted") for name in ("endpoint-studio", "predictive-service", "workspace-group")),
    ):
        assert f" {name} {said} (" in done.out
    cloud = stack.checkout.cloud
    from clients.storage import Container

    connection = (
        f"DefaultEndpointsProtocol=http;AccountName={cloud['account']};AccountKey={cloud['accountKey']};"
        f"BlobEndpoint={cloud['blob']};"
    )
    registry = Container(connection, "registry", "")
    assert [blob.name for folder in ("owners/", "stacks/") for blob in registry.list(folder)] == []
