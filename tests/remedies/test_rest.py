"""What is advised elsewhere: by the host of the lifecycles, by experiments that are none, by a set-up, by a stack's verbs."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cli.runners
import cli.services.registry
import cli.services.report
import cli.verbs.tooling.bench
from cli import bootstrap
from cli.cloud import example_data, seed, settings
from cli.cloud.processes import Service
from cli.cloud.supervisor import Supervisor
from cli.services.data_factory.carrying import carry
from cli.services.data_factory.documents import read
from cli.services.data_factory.pipeline import retraining
from cli.services.report import secret_outputs
from cli.verbs.models.runs import prune
from cli.verbs.tooling.bench import bench
from clients.clock import ManualClock
from clients.credentials import resolve_target
from clients.protocols import EndpointFound
from clients.storage import Container
from clients.studio_classic.services import ClassicServices
from retrain_hooks.host import interruption
from retrain_hooks.host.interruption import EngineGuard
from retrain_hooks.host.references import ServiceRef
from retrain_hooks.host.settings import refuse_alike
from retrain_hooks.ownership import things
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.markers import Markers, recorded
from retrain_hooks.registry.owners import Owner, Owners
from retrain_hooks.services.web_service import WebServiceLifecycle
from tests.cli.test_data_factory import ASKED, there, v2
from tests.healing import Told
from tests.remedies.test_services import context_of
from tests.studio.running import Azurite
from tests.unit.fakes import MemoryContainer
from tests.unit.test_adopted_services import SVC, WORKSPACE
from tests.unit.test_bound import BLOB, MARKER
from tests.unit.test_heads import GOOD, experiment
from tests.unit.test_heads import World as Preview
from tests.unit.test_run_key_format import DEFINITION
from tests.unit.test_transport import Service as Wire
from tests.unit.test_transport import play
from tests.waiting import own_port

__all__ = ["experiment"]
heals = pytest.mark.heals


# The host


@heals("run ./dev up again: it goes on from here")
def test_an_update_that_is_over(remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled, or without its engine: the next one has an engine of its own, and goes on."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    remedy.fails(EngineGuard(f"127.0.0.1:{own_port()}").check)
    with socket.create_server(("127.0.0.1", 0)) as engine:
        address = f"127.0.0.1:{engine.getsockname()[1]}"
        guard = EngineGuard(address)
        interruption._mark(address).touch()
        remedy.fails(guard.check)
        EngineGuard(address).check()  # a later run at the same address


OVERSTAYS = """
import signal, sys
from retrain_hooks.host import interruption
interruption._GRACE_SECONDS = interruption._WATCH_SECONDS = 0.01
guard = interruption.EngineGuard(sys.argv[1])
interruption._mark(sys.argv[1]).touch()
guard.watch()
signal.pause()
"""


@heals("run ./dev up again: it goes on from what is recorded")
def test_a_provider_that_overstays_a_cancelled_update(
    remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends by itself; the next run's provider goes on."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as engine:
        address = f"127.0.0.1:{engine.getsockname()[1]}"
        command = [sys.executable, "-c", OVERSTAYS, address]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=bootstrap.ROOT)
        remedy(done.stderr)
        EngineGuard(address).check()


@heals("leave out the one that the program does not read")
def test_a_key_in_two_spellings(remedy: Told) -> None:
    """One is enough."""
    remedy.fails(lambda: refuse_alike(["gateRules", "gaterules"]))
    refuse_alike(["gateRules"])


@heals("correct {}", at="retrain_hooks/training/identity.py")
def test_an_experiment_that_is_none(remedy: Told) -> None:
    """The file that it names, corrected."""
    wrong = json.loads(json.dumps(DEFINITION))
    wrong["edges"].append({"from": "nowhere.Dataset", "to": "split.Dataset"})
    file = Path("experiments/late/training.json")
    file.write_text(json.dumps(wrong))
    error = remedy.fails(lambda: Preview({"f/1.csv": GOOD}).check())
    assert error.remedy == f"correct {file}"
    file.write_text(json.dumps(DEFINITION))
    assert Preview({"f/1.csv": GOOD}).check()["runKey"]


# Web services


class Publishes:
    """Publishes one service, which somebody may delete at once."""

    def __init__(self) -> None:
        self.deleted = True

    def find(self, _name: str) -> None:
        return None

    def publish(self, *_arguments: Any) -> Any:
        return SimpleNamespace(service=SVC, experiment="e", endpoint="d")

    def endpoint(self, _service: str, name: str) -> EndpointFound | None:
        return None if self.deleted else EndpointFound(name, "https://a", "https://m", "https://h", "")


@heals("see who else deletes it, then run the update again", at="retrain_hooks/services/web_service.py")
def test_a_service_that_somebody_deletes(remedy: Told) -> None:
    """Once nobody does, it is there."""
    services = Publishes()
    props = {"target": "local", "workspace": WORKSPACE, "name": "late-training", "source": "late"}
    remedy.fails(lambda: WebServiceLifecycle(context_of(services)).create(props))
    services.deleted = False
    assert WebServiceLifecycle(context_of(services)).create(props)[0] == SVC


class Holds(Publishes):
    """A service with an endpoint, until that is deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.names, self.unpublished = ["default", "live"], False

    def exists(self, _service: str) -> bool:
        return True

    def served(self, _service: str) -> dict[str, Any]:
        return {key: [] for key in self.names}

    def unpublish(self, *_arguments: Any) -> None:
        self.unpublished = True


@heals("delete that endpoint first, or retain the web service with it (retain_on_delete)")
def test_a_service_with_somebody_elses_endpoint(remedy: Told) -> None:
    """Once that is deleted, the service is, too."""
    services = Holds()
    context = context_of(services)
    context.target = lambda _name: SimpleNamespace(forget_workspace=lambda _id: None)  # type: ignore[method-assign,assignment,return-value]
    thing = things.endpoint(ServiceRef.parse({"id": SVC, "workspace": WORKSPACE, "kind": "classic"}), "live")
    mine = {"project": "retraining", "stack": "dev", "name": "service", "lineage": "one"}
    other = Owner("retraining", "prod", "endpoint", "two")
    Owners(context.registry("local")).claim(thing, other, "i1", lambda _mark: True)
    props = {"target": "local", "workspace": WORKSPACE, "name": "late", "source": "late", "owner": mine}
    services.deleted = False
    id_, made = WebServiceLifecycle(context).create(props)
    error = remedy.fails(lambda: WebServiceLifecycle(context).delete(id_, made))
    assert "'live' belongs to retraining/prod/endpoint" in error.cause
    services.names.remove("live")
    WebServiceLifecycle(context).delete(id_, made)
    assert services.unpublished


@heals("run ./dev refresh to see what is there, then ./dev up", at="clients/studio_classic/services.py")
def test_a_classic_endpoint_that_is_gone(remedy: Told) -> None:
    """Made again by an update, it scores."""
    endpoint = {"Name": "live", "ApiLocation": "http://studio/live", "PrimaryKey": "k", "Resources": []}
    env = {
        "RETRAIN_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=a2V5",
        "RETRAIN_STUDIO_URL": "http://studio",
    }
    target = resolve_target("environment", env | {"RETRAIN_WORKSPACE_TOKEN": "t"})
    play(Wire((404, {}), (200, endpoint)), "http://studio")
    services = ClassicServices(target, "/w", "w1", ManualClock())
    remedy.fails(lambda: services.scoring("s", "live"))
    assert services.scoring("s", "live")


@heals("get a token that is valid again: ./dev cloud stop, then ./dev cloud start")
def test_a_token_of_another_start(remedy: Told, tmp_path: Path) -> None:
    """A start writes the one that it takes."""
    file = tmp_path / "cloud.json"

    class Takes(Wire):
        def send(self, request: Any, **options: Any) -> Any:
            self.answers = [
                (200, {"a": 1}) if request.headers["Authorization"] == "Bearer new" else (401, {})
            ]
            return super().send(request, **options)

    play(Takes((200, {})), "http://local")
    said = {"studio": "http://local", "blob": "http://b/a", "account": "a", "accountKey": "a2V5"}

    def ask(token: str) -> Any:
        file.write_text(json.dumps(said | {"armToken": token}))
        return resolve_target("local", {"RETRAIN_CLOUD_FILE": str(file)}).arm.get("x")

    remedy.fails(lambda: ask("old"))
    assert ask("new") == {"a": 1}


# Verbs


@pytest.mark.parametrize("way", ["up", "delete"])
@heals(
    "run ./dev up on the stacks in use, which writes their markers anew, delete what cannot be read, or use the release that wrote it"
)
def test_a_prune_that_does_not_know(remedy: Told, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Once it is known what is bound, it goes on."""
    registry = MemoryContainer()
    registry.put(BLOB, b"{")
    found = SimpleNamespace(
        ledger=Ledger(registry),
        in_use=lambda: recorded(registry),
        context=SimpleNamespace(clock=ManualClock()),
    )
    monkeypatch.setattr(cli.services.registry, "open_registry", lambda _stack: found)
    remedy.fails(prune)
    if way == "up":
        Markers(registry).mark(MARKER)
    else:
        registry.delete(BLOB)
    prune()


@heals("name one of ./dev adopt: --{} NAME, or its id")
def test_a_service_of_a_pipeline(remedy: Told, tmp_path: Path) -> None:
    """By a name that `./dev adopt` lists, or by its id."""
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps(v2()))

    def act(predictive: str) -> Any:
        return carry(retraining(read([file])), there(), replace(ASKED, predictive=predictive), "local")

    remedy.fails(lambda: act("socre"))
    assert act("score").chosen.predictive.id == act("c" * 32).chosen.predictive.id


@heals("./dev up -s {}", at="cli/verbs/tooling/bench.py")
def test_a_bench_of_what_serves(remedy: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update that has bound a model."""
    outputs: dict[str, Any] = {}
    monkeypatch.setattr(cli.runners, "open_runner", lambda *_: SimpleNamespace(outputs=lambda: outputs))
    timed: list[str] = []
    for part in ("_training", "_scoring", "_previews"):
        monkeypatch.setattr(cli.verbs.tooling.bench, part, lambda *_, part=part: timed.append(part))
    remedy.fails(bench)
    outputs["endpointUrl"] = "http://127.0.0.1/e"
    bench()
    assert len(timed) == 3


@heals("export service, target and endpointName, and not as secrets: they are names only")
def test_outputs_that_name_the_service(remedy: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exported as it says, its keys are fetched."""
    monkeypatch.setattr(
        cli.services.report,
        "_services",
        lambda _outputs: SimpleNamespace(key=lambda _id, name: f"key of {name}"),
    )
    named = {"service": {"id": "s"}, "target": "local", "endpointName": "live", "endpointUrl": "http://a"}
    remedy.fails(lambda: secret_outputs(named | {"target": "[secret]"}))
    assert secret_outputs(named) == {"baselineKey": "key of default", "endpointKey": "key of live"}


@heals("stop that program, or ./dev cloud start --new-ports (the next ./dev up then shows new addresses)")
def test_a_port_of_this_checkout(remedy: Told, tmp_path: Path) -> None:
    """Free, or another one."""
    supervisor = Supervisor(tmp_path / "cloud.json")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        remedy.fails(lambda: supervisor._require_ports(Service("studio", [], (), (port,))))
        supervisor._require_ports(Service("studio", [], (), (own_port(),)))
    supervisor._require_ports(Service("studio", [], (), (port,)))


@pytest.fixture
def seeded(azurite: Azurite, tmp_path: Path) -> settings.Cloud:
    """A cloud with the run's blob store."""
    cloud = settings.new_cloud(tmp_path)
    return replace(
        cloud,
        blob=f"http://127.0.0.1:{azurite.port}/retrainlocal",
        account="retrainlocal",
        accountKey=azurite.key,
        dataContainer="seeded",
    )


@heals("./dev cloud stop, then run the command again; ./dev cloud logs shows more")
@heals("delete .venv and run the command again", at="cli/cloud/seed.py")
def test_the_examples_data(
    remedy: Told, seeded: settings.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploaded to a blob store that was started with this key, from a package that is whole."""
    other = replace(seeded, accountKey="b3RoZXI=")
    with monkeypatch.context() as without:
        without.setattr(example_data, "TABLE", "data/none.zip")
        remedy.fails(lambda: seed.upload(seeded, tmp_path, print))
    remedy.fails(lambda: seed.upload(other, tmp_path, print))
    seed.upload(seeded, tmp_path, print)
    assert seed.done(tmp_path)


@heals("create it and fill it (locally: ./dev cloud start)")
def test_a_container_that_is_gone(remedy: Told, seeded: settings.Cloud, tmp_path: Path) -> None:
    """`./dev cloud start` looks for it, though it was filled once; other verbs do not ask."""
    data = Container(seeded.connection_string, "seeded", "start it")
    supervisor = Supervisor(tmp_path / "cloud.json")
    supervisor._seed(seeded, look=False)
    assert data.list()
    data._client.delete_container()
    remedy.fails(data.list)
    supervisor._seed(seeded, look=False)
    remedy.fails(data.list)
    supervisor._seed(seeded, look=True)
    assert data.list()


# Set-up


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A .venv whose Python and uv fail as long as there is a file `fails`."""
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    for name in ("python", "uv"):
        script = folder / "bin" / name
        script.write_text(
            '#!/bin/sh\necho "$0 $*" >> asked\ntest ! -e fails || { echo no network; exit 1; }\n'
        )
        script.chmod(0o755)
    (tmp_path / "requirements-uv.lock").write_text("uv==1.2.3\n")
    (tmp_path / "requirements.lock").write_text("a==1\n")
    for name, value in (
        ("ROOT", tmp_path),
        ("VENV", folder),
        ("BIN", folder / "bin"),
        ("PYTHON", folder / "bin" / "python"),
        ("INSTALLING", folder / "installing"),
    ):
        monkeypatch.setattr(bootstrap, name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fails").touch()
    return folder


@heals("check the network and pip's index setting (pip config list), then run ./dev again")
@heals(
    "check the network and the package index's address (pip config list), then run ./dev again: it goes on"
)
def test_a_set_up_without_a_network(remedy: Told, venv: Path) -> None:
    """With one, the next goes on: what was half installed is installed anew."""
    remedy.fails(bootstrap.install_uv)
    remedy.fails(bootstrap.install_packages)
    (venv.parent / "fails").unlink()
    bootstrap.install_uv()
    bootstrap.install_packages()
    assert "--reinstall" in (venv.parent / "asked").read_text()
    assert not bootstrap.INSTALLING.exists()


@heals("delete .venv and run ./dev again")
@heals("where the system's Python comes in parts, install its venv part (Debian, Ubuntu: python3-venv)")
def test_a_python_without_its_parts(remedy: Told, venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the venv part one is made, and where .venv was deleted, too: pip is in it."""
    system = venv.parent / "python3"
    system.write_text("#!/bin/sh\ntest ! -e fails || exit 1\nmkdir -p .venv/bin\n")
    system.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(system))
    remedy.fails(bootstrap.make_venv)
    with monkeypatch.context() as there:
        there.setattr(bootstrap, "venv_works", lambda: True)
        remedy.fails(bootstrap.make_venv)
    shutil.rmtree(venv)
    (venv.parent / "fails").unlink()
    bootstrap.make_venv()
    assert bootstrap.INSTALLING.exists()
