"""The stack dev goes back and forth between the engines; run where the Pulumi CLI is on PATH."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.e2e.checkout import Checkout

pytestmark = [
    pytest.mark.cli,
    pytest.mark.cloud,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="no Pulumi CLI on PATH"),
]


@pytest.mark.parametrize("kind", ["classic", "new", "azureml"])
@pytest.mark.parametrize(("first", "second"), [("embedded", "pulumi"), ("pulumi", "embedded")])
def test_what_one_engine_made_the_other_leaves_updates_refreshes_and_destroys(
    checkout: Checkout, kind: str, first: str, second: str
) -> None:
    """And hands back: neither sees changes in what the other did."""

    def run(verb: str, engine: str, data_version: str, *arguments: str) -> str:
        config = ("-c", f"kind={kind}", "-c", f"dataVersion={data_version}")
        return checkout.succeed(verb, "--engine", engine, *config, *arguments).text

    run("up", first, "2013-01", "--yes")
    run("preview", second, "2013-01", "--expect-no-changes")
    run("up", second, "2013-04", "--yes")
    served = checkout.succeed("output", "--json", "--engine", second).json
    run("preview", first, "2013-04", "--expect-no-changes")
    run("preview", first, "2013-04", "--refresh", "--expect-no-changes")
    # The state of an online endpoint learns of its traffic, which a rollout makes.
    run("refresh", first, "2013-04", "--yes", *(() if kind == "azureml" else ("--expect-no-changes",)))
    run("up", second, "2013-04", "--yes", "--expect-no-changes")
    assert checkout.succeed("output", "--json", "--engine", first).json == served
    run("destroy", first, "2013-04", "--yes")
    checkpoint = next((checkout.root / ".pulumi/stacks").rglob("dev.json"))
    assert "resources" not in json.loads(checkpoint.read_text())["checkpoint"]["latest"]
