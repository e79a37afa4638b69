"""A plain pulumi_azure_native program, unchanged, under the real Pulumi CLI."""

from __future__ import annotations

import ensurepip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("program")

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI is not on PATH"),
]

Run = Callable[..., subprocess.CompletedProcess[str]]


def _python_path() -> str:
    """The CLI asks this Python's pip for its packages; where there is none, Python's bundled one will do."""
    if subprocess.run([sys.executable, "-c", "import pip"], capture_output=True, check=False).returncode == 0:
        return ""
    return ":".join(str(wheel) for wheel in Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))


@pytest.fixture
def pulumi(tmp_path: Path, stand_in: Any) -> Run:
    """Runs the CLI in a copy of the program, attached to the stand-in, with a stack `dev` of its own."""
    project, home, state = tmp_path / "program", tmp_path / "home", tmp_path / "state"
    shutil.copytree(PROGRAM, project)
    home.mkdir()
    state.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": _python_path(),
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DEBUG_PROVIDERS": f"azure-native:{stand_in.port}",
    }

    def run(*arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done

    run("stack", "init", "dev")
    run("config", "set", "azure-native:location", "West Europe")
    return run


def _operations(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    counts: dict[str, int] = json.loads(done.stdout)["changeSummary"]
    return counts


def test_a_stack_lives_from_preview_to_destroy(pulumi: Run, cloud: Any) -> None:
    """Preview, up, no-op, an update in place, drift, a replacement, destroy: each does what it does on Azure."""
    assert _operations(pulumi("preview", "--json")) == {"create": 4}
    assert cloud.kept() == []

    pulumi("up", "--yes", "--skip-preview")
    outputs = json.loads(pulumi("stack", "output", "--json").stdout)
    assert len(outputs["workspaceId"]) == 32
    assert outputs["location"] == "westeurope"
    assert outputs["blob"] == "http://127.0.0.1:10001/retrainlocal/"
    assert outputs["token"] == "[secret]"
    token = cloud.store.workspace(outputs["workspaceId"]).primary_token
    assert token not in pulumi("stack", "export").stdout
    assert len(cloud.kept()) == 3
    pulumi("preview", "--expect-no-changes")

    pulumi("config", "set", "owner", "other")
    assert _operations(pulumi("preview", "--json")) == {"update": 2, "same": 2}
    pulumi("up", "--yes", "--skip-preview")
    group = outputs["groupName"]
    assert cloud.arm("GET", f"/resourceGroups/{group}").json()["tags"] == {"owner": "other"}

    cloud.arm("PATCH", f"/resourceGroups/{group}", {"tags": {"owner": "intruder"}})
    pulumi("preview", "--expect-no-changes")
    pulumi("preview", "--refresh", "--expect-no-changes", ok=False)
    shown = pulumi("refresh", "--yes", "--diff").stdout
    assert '~ owner: "other" => "intruder"' in shown
    assert _operations(pulumi("preview", "--json")) == {"update": 1, "same": 3}
    pulumi("up", "--yes", "--skip-preview")

    pulumi("config", "set", "groupName", "Chosen")
    assert _operations(pulumi("preview", "--json")) == {"replace": 3, "same": 1}
    pulumi("up", "--yes", "--skip-preview")
    assert len(cloud.kept()) == 3
    assert all("/resourceGroups/Chosen" in one for one in cloud.kept())

    pulumi("destroy", "--yes", "--skip-preview")
    assert cloud.kept() == []
    assert cloud.store.rows("SELECT * FROM workspaces") == []


def test_a_refusal_is_shown_with_its_remedy(pulumi: Run, cloud: Any) -> None:
    """What exists already is not taken over, and the user reads why and what to do."""
    cloud.arm("PUT", "/resourceGroups/mine", {"location": "westus"})
    pulumi("config", "set", "groupName", "mine")
    said = pulumi("up", "--yes", "--skip-preview", ok=False).stdout
    assert "error: cannot create already existing resource '/subscriptions/" in said
    assert "remedy: choose another resourceGroupName, or adopt it" in said
