"""The same plain program under the embedded engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import engine as embedded

PROGRAM = Path(__file__).with_name("program")


@pytest.fixture
def deploy(tmp_path: Path, stand_in: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., embedded.Result]:
    """Runs a verb of the engine on a copy of the program, attached to the stand-in."""
    project, state = shutil.copytree(PROGRAM, tmp_path / "program"), tmp_path / "state"
    state.mkdir()
    (project / "Pulumi.dev.yaml").write_text("config:\n  azure-native:location: West Europe\n")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{state}")
    options = embedded.Options(env={"PULUMI_DEBUG_PROVIDERS": f"azure-native:{stand_in.port}"})

    def run(verb: Callable[..., embedded.Result], **config: str) -> embedded.Result:
        workspace = embedded.Workspace.open(project, "dev", config=config, passphrase="")
        result = verb(workspace, options, lambda _event: None)
        assert result.ok, result.failures
        return result

    return run


def test_a_stack_lives_under_the_embedded_engine(deploy: Callable[..., embedded.Result], cloud: Any) -> None:
    """Preview, up, no-op, update, drift and destroy do the same as under the CLI."""
    assert deploy(embedded.preview).changes == {"create": 4}
    assert cloud.kept() == []
    outputs = deploy(embedded.up).outputs
    assert len(outputs["workspaceId"]) == 32
    assert outputs["token"] == "[secret]"
    assert deploy(embedded.up).changes == {"same": 4}
    updated = deploy(embedded.up, owner="other")
    assert updated.changes == {"same": 2, "update": 2}

    cloud.arm("PATCH", f"/resourceGroups/{outputs['groupName']}", {"tags": {"owner": "intruder"}})
    drifted = deploy(embedded.refresh, owner="other")
    assert [(one.path, one.old, one.new) for step in drifted.steps for one in step.diff] == [
        ("tags.owner", "other", "intruder")
    ]
    assert deploy(embedded.up, owner="other", groupName="Chosen").changes == {"same": 1, "replace": 3}
    assert all("/resourceGroups/Chosen" in one for one in cloud.kept())
    deploy(embedded.destroy)
    assert cloud.kept() == []
