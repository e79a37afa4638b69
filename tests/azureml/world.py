"""A workspace of the run's cloud through our clients: small own code, models that are a number, and one endpoint a test."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clients.azureml.deployments import Deployments
from clients.azureml.jobs import AzureMlJobs
from clients.azureml.services import AzureMlServices
from clients.azureml.traffic import Traffic
from clients.azureml.workspace import AzureMlWorkspace
from clients.clock import SystemClock
from clients.credentials import Target, resolve_target
from clients.storage import BlobRef, Container
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.experiments.package import Part
from retrain_hooks.experiments.published import load_for
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.ledger import Ledger, Run
from tests.cloud.azureml.aml import Aml
from tests.cloud.azureml.serving import Endpoint
from tests.unit.fakes import Listener, OpenGuard
from tests.unit.own_code import write

RESOURCE = "model"
JOB = """\
type: command
code: src
command: python train.py ${{inputs.data}} ${{outputs.model}}
environment: {image: "python:3"}
inputs:
  data: {type: uri_file}
outputs:
  model: {type: custom_model}
"""
DEPLOYMENT = """\
code_configuration: {code: src, scoring_script: score.py}
environment: {image: "python:3"}
instance_type: Standard_DS3_v2
"""
TRAIN = """\
import pathlib, sys
data, model = sys.argv[1:]
print("reads", pathlib.Path(data).name)
pathlib.Path(model, "number.txt").write_text(pathlib.Path(data).read_text())
print("done")
"""
SCORE = """\
import json, os, pathlib

def init():
    global number
    [file] = [path for path in pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("*") if path.is_file()]
    number = float(file.read_text())

def run(raw):
    return [number for _ in json.loads(raw)["input_data"]["data"]]
"""
FILES: Mapping[str, str | None] = {
    "job.yml": JOB,
    "deployment.yml": DEPLOYMENT,
    "conda.yml": None,
    "src/train.py": TRAIN,
    "src/score.py": SCORE,
}


class Meanwhile(Listener):
    """What an update tells; while a step of it bakes, or where *told* says, something *happens* once."""

    def __init__(self, happens: Callable[[], object], told: str = "of the calls, bakes") -> None:
        super().__init__()
        self._happens: Callable[[], object] | None = happens
        self._told = told

    def status(self, message: str) -> None:
        super().status(message)
        happens = self._happens
        if happens and self._told in message:
            self._happens = None
            happens()


@dataclass
class World:
    """The experiment `wine` below *root*, and the services of the workspace *aml*; *name* is the test's own."""

    aml: Aml
    root: Path
    name: str
    target: Target = field(init=False)
    services: AzureMlServices = field(init=False)

    def __post_init__(self) -> None:
        cloud = self.aml.cloud
        self.target = resolve_target("local", {"RETRAIN_CLOUD_FILE": str(cloud.directory / "cloud.json")})
        self.services = AzureMlServices(self.target, self.aml.path, SystemClock())

    @property
    def workspace(self) -> AzureMlWorkspace:
        return AzureMlWorkspace(self.target, self.aml.path, SystemClock())

    @property
    def registry(self) -> Container:
        return self.workspace.registry()

    # Services

    def publish(self, part: Part = "predictive", name: str = "", **files: str | None) -> str:
        """Publish the experiment's *part*, its *files* changed (`score_py`, `job_yml`); the service's id."""
        changed = {
            "src/" * each.endswith("_py") + each.replace("_", "."): text for each, text in files.items()
        }
        write(self.root, {**FILES, **changed})
        deployable = load_for("azureml", "wine", part, self.root).deployable
        return self.services.publish(name or f"{self.name}-{part}", deployable, {}).service

    # Models

    def address(self, number: int, attempt: int = 1) -> str:
        """Where the registry has this test's model that answers *number*."""
        key = hashlib.sha256(f"{self.name} {number}".encode()).hexdigest()
        return f"models/wine/{key}/{attempt}.ilearner"

    def model(self, number: int) -> BlobRef:
        """A model that is there, and answers *number*."""
        address = self.address(number)
        self.aml.cloud.upload("registry", address, str(number).encode())
        return self.registry.writable(address)

    # Endpoints

    @property
    def endpoint(self) -> Endpoint:
        """The test's endpoint, as plain HTTP sees it."""
        return Endpoint(self.aml, self.name)

    def traffic(self, service: str, *, staging: bool = False) -> Traffic:
        """What the endpoint serves, as a new process reads it."""
        return self.services.bindings(service, f"{self.name}/staging" if staging else self.name)

    def deployments(self, service: str) -> Deployments:
        return Deployments(self.workspace, service, f"{self.aml.path}/onlineEndpoints/{self.name}")

    def names(self) -> list[str]:
        """The names of the endpoint's deployments."""
        found = self.aml.ws("GET", f"{self.endpoint.path}/deployments").raise_for_status().json()
        return sorted(one["name"] for one in found["value"])

    def shares(self) -> dict[str, int]:
        """The endpoint's traffic, as it is."""
        found: dict[str, int] = self.endpoint.get()["properties"]["traffic"]
        return found

    def says(self, service: str, *, staging: bool = False) -> str:
        """What the endpoint answers to one row."""
        place = f"{self.name}/staging" if staging else self.name
        [row] = self.services.scoring(service, place).score([{"alcohol": "12"}])
        return row["Scored Labels"]

    # Jobs

    def jobs(self, service: str) -> AzureMlJobs:
        return self.services.jobs(service)

    def submit(self, service: str, number: int, name: str = "", **parameters: str) -> str:
        """Submit the job that trains the model of *number*; its id."""
        self.aml.cloud.upload("data", f"{self.name}/{number}.csv", str(number).encode())
        data = Container(self.target.connection_string, "data", "").readable(f"{self.name}/{number}.csv")
        model = self.registry.writable(self.address(number))
        return self.jobs(service).create(
            name or f"{self.name}-{number}", {"data": data}, {"model": model}, parameters
        )

    def trained(self, service: str, number: int, **parameters: str) -> dict[str, Any]:
        """Train the model of *number*; how its job ended."""
        return self.aml.wait(self.submit(service, number, **parameters))

    # Bindings

    def learnt(self, number: int) -> str:
        """The ledger has the run that trained this test's model of *number*; the model's address."""
        self.model(number)
        key = self.address(number).split("/")[2]
        content = str(number).encode()
        sha256, md5 = hashlib.sha256(content).hexdigest(), hashlib.md5(content, usedforsecurity=False)
        run = Run(
            key,
            "wine",
            {},
            "finished",
            sha256=sha256,
            md5=b64encode(md5.digest()).decode(),
            bytes=len(content),
        )
        Ledger(self.registry).plan(run)
        return self.address(number)

    def up(self, service: str, number: int, told: Listener | None = None, **more: Any) -> dict[str, Any]:
        """An update of the binding by a new process, which serves the model of *number*; its outputs."""
        self.aml.cloud.upload("data", f"{self.name}/holdout.csv", b"alcohol\n12\n13\n")
        workspace = {"resource": self.aml.path, "id": ""}
        props = {
            "target": "local",
            "service": {"id": service, "kind": "azureml", "workspace": workspace},
            "endpointName": self.name,
            "stagingEndpoint": f"{self.name}/staging",
            "resource": RESOURCE,
            "address": self.learnt(number),
            "probe": {"container": "data", "blobs": [f"{self.name}/holdout.csv"], "rows": 2, "settle": 0},
            **more,
        }
        context = Context(
            told or Listener(), OpenGuard(), SystemClock(), resolve_target=lambda _name: self.target
        )
        life = ModelBindingLifecycle(context)
        return life.create(life.check(props, {}))[1]
