"""A program of `pulumi_azure_native` with all that Azure ML v2 needs, on a local cloud."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import engine as embedded
from localcloud.azure_native.server import Server
from tests.studio.running import ARM_TOKEN
from tests.studio.shared import Shared

PROGRAM = Path(__file__).with_name("program")
RESOURCES = 12
Deploy = Callable[..., embedded.Result]


@pytest.fixture
def stand_in(cloud: Shared) -> Iterator[Server]:
    """The provider's stand-in, before the run's cloud."""
    server = Server(cloud.directory / "cloud.json")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the program."""
    (tmp_path / "state").mkdir()
    return Path(shutil.copytree(PROGRAM, tmp_path / "program"))


@pytest.fixture
def deploy(project: Path, stand_in: Server, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Runs a verb of the embedded engine on the program."""
    (project / "Pulumi.dev.yaml").write_text("config:\n  azure-native:location: westeurope\n")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{project.parent / 'state'}")
    options = embedded.Options(env={"PULUMI_DEBUG_PROVIDERS": f"azure-native:{stand_in.port}"})

    def run(verb: Callable[..., embedded.Result], **config: str) -> embedded.Result:
        workspace = embedded.Workspace.open(project, "dev", config=config, passphrase="")
        result = verb(workspace, options, lambda _event: None)
        assert result.ok, result.failures
        return result

    return run


@pytest.fixture
def arm(cloud: Shared) -> Callable[..., httpx.Response]:
    """Calls Resource Manager as somebody else."""

    def call(method: str, path: str, body: Any = None) -> httpx.Response:
        return cloud.http.request(
            method,
            f"{cloud.url}{path}",
            params={"api-version": "2024-10-01"},
            headers={"Authorization": f"Bearer {ARM_TOKEN}"},
            json=body,
        )

    return call


def test_a_workspace_lives_with_all_it_stands_on(
    deploy: Deploy, arm: Callable[..., httpx.Response], cloud: Shared, project: Path
) -> None:
    """Preview, up, nothing to do, changed tags, a bigger cluster, destroy: nothing is left, no secret in the state."""
    assert deploy(embedded.preview).changes == {"create": RESOURCES}
    outputs = deploy(embedded.up).outputs
    found = arm("GET", outputs["workspace"]).json()
    assert found["properties"]["systemDatastoresAuthMode"] == "Identity"
    assert found["identity"]["principalId"] == outputs["principal"]
    assert list(found["identity"]["userAssignedIdentities"]) == [outputs["identity"]]
    assert outputs["insights"] == outputs["storageKey"] == "[secret]"
    state = "".join(file.read_text() for file in (project.parent / "state").rglob("*.json*"))
    assert outputs["principal"] in state
    insights = arm("GET", found["properties"]["applicationInsights"]).json()["properties"]
    for secret in (cloud.azurite.key, insights["InstrumentationKey"]):
        assert secret not in state

    assert deploy(embedded.preview).changes == {"same": RESOURCES}
    assert deploy(embedded.up).changes == {"same": RESOURCES}
    assert deploy(embedded.refresh).changes == {"same": RESOURCES}
    changed = deploy(embedded.up, owner="other", nodes="3")
    # All that has tags, the cluster among them; not the container and the role.
    assert changed.changes == {"same": 3, "update": RESOURCES - 3}
    assert arm("GET", outputs["workspace"]).json()["tags"] == {"owner": "other"}
    deploy(embedded.destroy)
    group = outputs["workspace"].partition("/providers/")[0]
    assert arm("GET", group).status_code == 404
    assert not cloud.blobs().get_container_client("amln-models").exists()
