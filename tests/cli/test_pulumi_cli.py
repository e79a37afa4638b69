"""What was measured of the real CLI, and the code relies on: run where there is one on PATH."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.services.report
from cli.app import build

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="no Pulumi CLI on PATH"),
]

PROGRAM = """import pulumi
pulumi.export("dataVersion", pulumi.Config().require("dataVersion"))
pulumi.export("token", pulumi.Output.secret("s3cret"))
"""


@pytest.fixture
def deployed(project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that the real CLI has deployed once, with another data version than the stack's file says."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cli.services.report, "after_up", lambda outputs, console: None)
    text = (project_root / "Pulumi.yaml").read_text()
    runtime = f"runtime: {{name: python, options: {{virtualenv: {json.dumps(sys.prefix)}}}}}"
    (project_root / "Pulumi.yaml").write_text(text.replace("runtime: {name: python}", runtime))
    (project_root / "__main__.py").write_text(PROGRAM)
    result = CliRunner().invoke(build(), ["up", "--engine", "pulumi", "-c", "dataVersion=2013-07"])
    assert result.exit_code == 0, result.output
    return project_root


def outputs() -> dict[str, str]:
    result = CliRunner().invoke(build(), ["output", "--json", "--engine", "pulumi"])
    return dict(json.loads(result.output))


def test_a_runs_configuration_leaves_the_stacks_file_alone(deployed: Path) -> None:
    """Creating a stack and updating it with -c, twice, changes no byte of its file, and keeps the state's salt."""
    before = "# ours\nconfig:\n  retraining:dataVersion: 2013-01  # a month\n"
    assert (deployed / "Pulumi.dev.yaml").read_text() == before
    assert outputs() == {"dataVersion": "2013-07", "token": "[secret]"}
    state = deployed / ".pulumi" / "stacks" / "retraining" / "dev.json"
    salt = json.loads(state.read_text())["checkpoint"]["latest"]["secrets_providers"]["state"]["salt"]
    assert CliRunner().invoke(build(), ["up", "--engine", "pulumi"]).exit_code == 0
    assert outputs()["dataVersion"] == "2013-01"
    assert (deployed / "Pulumi.dev.yaml").read_text() == before
    assert json.loads(state.read_text())["checkpoint"]["latest"]["secrets_providers"]["state"]["salt"] == salt


def test_the_same_configuration_previews_no_change(deployed: Path) -> None:
    """With what it was deployed with, --expect-no-changes is quiet."""
    arguments = ["preview", "--engine", "pulumi", "--expect-no-changes", "-c", "dataVersion=2013-07"]
    assert CliRunner().invoke(build(), arguments).exit_code == 0


def test_the_cli_itself_leaves_no_salt_in_the_stacks_file(deployed: Path) -> None:
    """`./dev pulumi up` is the CLI as it is; only the salt that it adds to the stack's file is taken out again."""
    before = (deployed / "Pulumi.dev.yaml").read_text()
    assert CliRunner().invoke(build(), ["pulumi", "up", "--yes", "--skip-preview"]).exit_code == 0
    assert outputs()["dataVersion"] == "2013-01"
    assert (deployed / "Pulumi.dev.yaml").read_text() == before


def test_a_failed_update_ends_with_why(deployed: Path) -> None:
    """Cause and remedy are the last lines, below the CLI's own display."""
    (deployed / "__main__.py").write_text(
        f"{PROGRAM}\nraise pulumi.RunError('it went wrong\\nremedy: do better')\n"
    )
    done = CliRunner().invoke(build(), ["up", "--yes", "--engine", "pulumi"])
    assert done.exit_code == 1
    assert done.stderr.rstrip().splitlines()[-2:] == ["error: it went wrong", "remedy: do better"]
