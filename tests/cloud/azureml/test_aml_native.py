"""A program of `pulumi_azure_native` with all that Azure ML v2 needs, on a local cloud."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

import engine as embedded
from localcloud.azure_native.server import Server
from localcloud.azure_native.wire import decode
from tests.azure_native.cli import attached
from tests.studio.running import ARM_TOKEN
from tests.studio.shared import Shared
from tests.waiting import eventually

PROGRAM = Path(__file__).with_name("program")
RESOURCES = 12
# The container and the role have no tags; the stack has none, and the endpoint keeps its own.
UNTAGGED = 4
Arm = Callable[..., httpx.Response]
Deploy = Callable[..., embedded.Result]


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
def arm(cloud: Shared) -> Arm:
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


def described(arm: Arm, endpoint: str) -> Any:
    """What an endpoint is described as, once nothing goes on on it."""

    def settled() -> Any:
        properties = arm("GET", endpoint).json()["properties"]
        return properties if properties["provisioningState"] == "Succeeded" else None

    return eventually(settled, "the endpoint's operation")["description"]


def describe(arm: Arm, endpoint: str, text: str) -> None:
    """Change an endpoint as somebody else does who PUTs it."""
    live = arm("GET", endpoint).json()
    body = {"location": live["location"], "tags": live["tags"], "properties": live["properties"]}
    arm(
        "PUT", endpoint, {**body, "properties": {**live["properties"], "description": text}}
    ).raise_for_status()
    assert described(arm, endpoint) == text


def test_a_workspace_lives_with_all_it_stands_on(
    deploy: Deploy, arm: Arm, cloud: Shared, project: Path
) -> None:
    """Preview, up, nothing to do, changed tags, a bigger cluster, destroy: nothing is left, no secret in the state."""
    assert deploy(embedded.preview).changes == {"create": RESOURCES}
    outputs = deploy(embedded.up).outputs
    found = arm("GET", outputs["workspace"]).json()
    assert found["properties"]["systemDatastoresAuthMode"] == "Identity"
    assert found["identity"]["principalId"] == outputs["principal"]
    assert list(found["identity"]["userAssignedIdentities"]) == [outputs["identity"]]
    assert outputs["scoring"].endswith("/score")
    assert outputs["insights"] == outputs["storageKey"] == "[secret]"
    state = "".join(file.read_text() for file in (project.parent / "state").rglob("*.json*"))
    assert outputs["principal"] in state
    insights = arm("GET", found["properties"]["applicationInsights"]).json()["properties"]
    for secret in (cloud.azurite.key, insights["InstrumentationKey"], "mfeOperations"):
        assert secret not in state

    for verb in (embedded.preview, embedded.up, embedded.refresh):
        assert deploy(verb).changes == {"same": RESOURCES}
    describe(arm, outputs["endpoint"], "by others")
    changed = deploy(embedded.up, owner="other", nodes="3")
    assert changed.changes == {"same": UNTAGGED, "update": RESOURCES - UNTAGGED}
    assert arm("GET", outputs["workspace"]).json()["tags"] == {"owner": "other"}
    assert described(arm, outputs["endpoint"]) == "by others"
    deploy(embedded.destroy)
    assert arm("GET", outputs["workspace"].partition("/providers/")[0]).status_code == 404
    assert not cloud.blobs().get_container_client("amln-models").exists()


def declared(given: Any, found: Any) -> bool:
    """Whether all that a program gave is in what an import found."""
    if isinstance(given, dict):
        return isinstance(found, dict) and all(declared(one, found.get(name)) for name, one in given.items())
    return bool(given == found)


def test_what_is_declared_is_what_an_import_finds(deploy: Deploy, stand_in: Server, project: Path) -> None:
    """The inputs of each resource are read back in the program's form, without what only the service sets."""
    deploy(embedded.up)
    exported = embedded.export_stack(embedded.Workspace.open(project, "dev", passphrase=""))
    resources = [
        one for one in exported["deployment"]["resources"] if one["type"].startswith("azure-native:")
    ]
    assert len(resources) == RESOURCES - 1
    with grpc.insecure_channel(f"127.0.0.1:{stand_in.port}") as channel:
        provider = provider_pb2_grpc.ResourceProviderStub(channel)
        for one in resources:
            answer = provider.Read(provider_pb2.ReadRequest(urn=one["urn"], id=one["id"]))
            given = {name: value for name, value in one["inputs"].items() if not name.startswith("__")}
            found = decode(answer.inputs)
            assert declared(given, found), (given, found)
            assert not {"principalId", "tenantId"} & set(found.get("identity", {}))
            assert not {"scoringUri", "vaultUri", "provisioningState"} & set(found.get("properties", {}))
    deploy(embedded.destroy)


@pytest.mark.cli
@pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI is not on PATH")
def test_the_program_runs_under_the_cli(project: Path, stand_in: Server, arm: Arm) -> None:
    """The same life, and a traffic that others set stays."""
    pulumi = attached(project, project.parent, stand_in.port)

    def configure(**values: str) -> None:
        file = project / "Pulumi.dev.yaml"
        kept = [line for line in file.read_text().splitlines() if line.startswith("encryption")]
        given = {
            "azure-native:location": "westeurope",
            **{f"aml:{name}": one for name, one in values.items()},
        }
        file.write_text(
            "\n".join([*kept, "config:", *(f"  {name}: {one}" for name, one in given.items()), ""])
        )

    configure()
    assert json.loads(pulumi("preview", "--json"))["changeSummary"] == {"create": RESOURCES}
    pulumi("up", "--yes", "--skip-preview")
    outputs = json.loads(pulumi("stack", "output", "--json"))
    pulumi("preview", "--refresh", "--expect-no-changes")
    describe(arm, outputs["endpoint"], "by others")
    configure(owner="other")
    assert f"~ {RESOURCES - UNTAGGED} updated" in pulumi("up", "--yes", "--skip-preview")
    assert described(arm, outputs["endpoint"]) == "by others"
    pulumi("destroy", "--yes", "--skip-preview")
    assert arm("GET", outputs["workspace"].partition("/providers/")[0]).status_code == 404
