"""A plain pulumi_azure_native program, unchanged, under the real Pulumi CLI."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.azure_native.cli import Run, attached

PROGRAM = Path(__file__).with_name("program")

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI is not on PATH"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the program."""
    return Path(shutil.copytree(PROGRAM, tmp_path / "program"))


@pytest.fixture
def configure(project: Path) -> Callable[..., None]:
    """Sets the configuration of the stack `dev`, leaving what else is in its file."""

    def write(**config: str) -> None:
        file = project / "Pulumi.dev.yaml"
        kept = [line for line in file.read_text().splitlines() if line.startswith("encryption")]
        values = {"azure-native:location": "West Europe", **{f"small:{k}": v for k, v in config.items()}}
        lines = ["config:", *(f"  {name}: {value}" for name, value in values.items())]
        file.write_text("\n".join([*kept, *lines, ""]))

    return write


@pytest.fixture
def pulumi(project: Path, tmp_path: Path, stand_in: Any) -> Run:
    """Runs the CLI in the program's folder, attached to the stand-in."""
    return attached(project, tmp_path, stand_in.port)


def test_a_stack_lives_from_preview_to_destroy(
    pulumi: Run, configure: Callable[..., None], cloud: Any
) -> None:
    """Preview, up, no-op, an update in place, drift, a replacement, destroy: each does what it does on Azure."""
    configure()
    assert json.loads(pulumi("preview", "--json"))["changeSummary"] == {"create": 4}
    assert cloud.kept() == []

    pulumi("up", "--yes", "--skip-preview")
    outputs = json.loads(pulumi("stack", "output", "--json"))
    assert len(outputs["workspaceId"]) == 32
    assert outputs["location"] == "westeurope"
    assert outputs["blob"] == "http://127.0.0.1:10001/retrainlocal/"
    assert outputs["token"] == "[secret]"
    token = cloud.store.workspace(outputs["workspaceId"]).primary_token
    assert token not in pulumi("stack", "export")
    assert len(cloud.kept()) == 3
    pulumi("preview", "--expect-no-changes")

    configure(owner="other")
    assert "~ 2 updated" in pulumi("up", "--yes", "--skip-preview")
    group = f"/resourceGroups/{outputs['groupName']}"
    assert cloud.arm("GET", group).json()["tags"] == {"owner": "other"}

    cloud.arm("PATCH", group, {"tags": {"owner": "intruder"}})
    pulumi("preview", "--refresh", "--expect-no-changes", ok=False)
    assert '~ owner: "other" => "intruder"' in pulumi("refresh", "--yes", "--diff")

    configure(owner="other", groupName="Chosen")
    assert "+-3 replaced" in pulumi("up", "--yes", "--skip-preview")
    assert len(cloud.kept()) == 3
    assert all("/resourceGroups/Chosen" in one for one in cloud.kept())

    pulumi("destroy", "--yes", "--skip-preview")
    assert cloud.kept() == []
    assert cloud.store.rows("SELECT * FROM workspaces") == []


def test_a_refusal_is_shown_with_its_remedy(pulumi: Run, configure: Callable[..., None], cloud: Any) -> None:
    """What exists already is not taken over, and the user reads why and what to do."""
    cloud.arm("PUT", "/resourceGroups/mine", {"location": "westus"})
    configure(groupName="mine")
    said = pulumi("up", "--yes", "--skip-preview", ok=False)
    assert "error: cannot create already existing resource '/subscriptions/" in said
    assert "remedy: choose another resourceGroupName, or adopt it" in said
