"""A fleet's services in memory: a shop a member, whose model is what its data says; driven as an engine drives it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from clients.clock import ManualClock
from clients.errors import NotFound, RetrainError
from clients.protocols import Binding, EndpointFound, JobState, JobStatus
from retrain_hooks.fleet.lifecycle import FleetLifecycle
from retrain_hooks.fleet.records import MemberRecords, is_staging
from retrain_hooks.fleet.roster import FleetRosterLifecycle
from retrain_hooks.fleet.verdict import FleetVerdictLifecycle
from retrain_hooks.host.lifecycle import Context, Props
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard

RESOURCE = "Model [trained model]"
WORKSPACE = {"resource": "/w", "id": "w1"}
SERVICE = {"id": "predictive", "kind": "classic", "workspace": WORKSPACE}
TRAINING = {"id": "training", "kind": "classic", "workspace": WORKSPACE}
EXPERIMENT = {
    "name": "shops",
    "digest": "e" * 64,
    "input": "input1",
    "modelOutput": "output1",
    "evaluationOutput": "output2",
    "parameters": ["Rate"],
    "resource": RESOURCE,
}
OWNER = {"project": "p", "stack": "s", "name": "fleet", "lineage": "l" * 32}
PATH = "shops/{member}/{version}.csv"


class Jobs:
    """Batch jobs that end at their second look; the model is its data's hash, its AUC what the data says after ``auc=``.

    Data that says ``broken`` fails its job. *before_create* is called with the member's blob before each; of those that it
    *loses*, the model is gone when its job has ended.
    """

    def __init__(self, registry: MemoryContainer, data: MemoryContainer) -> None:
        self._registry, self._data = registry, data
        self._lock = threading.Lock()
        self.created: list[str] = []
        self._jobs: dict[str, tuple[str, Any]] = {}
        self._looks: dict[str, int] = {}
        self.before_create: Callable[[str], None] = lambda _blob: None
        self.running = self.most = 0
        self.loses: set[str] = set()

    def create(self, _name: str, inputs: Any, outputs: Any, _parameters: Any, _seconds: float = 0.0) -> str:
        blob = inputs["input1"].path.partition("/")[2]
        self.before_create(blob)
        with self._lock:
            self.created.append(blob)
            job = f"job{len(self.created)}"
            self._jobs[job] = (blob, outputs)
        return job

    def start(self, job: str) -> None:
        with self._lock:
            self._looks[job] = 0
            self.running += 1
            self.most = max(self.most, self.running)

    def status(self, job: str) -> JobStatus:
        if job not in self._looks:
            return JobStatus(JobState.NOT_STARTED, {})
        with self._lock:
            self._looks[job] += 1
            if self._looks[job] < 2:
                return JobStatus(JobState.RUNNING, {})
            self.running -= self._looks[job] == 2
        blob, outputs = self._jobs[job]
        content = self._data.read(blob)[0]
        if b"broken" in content:
            return JobStatus(JobState.FAILED, {}, "the label has one class")
        for ref in outputs.values():
            path = ref.path.partition("/")[2]
            model = b"model of " + hashlib.sha256(content).digest()
            if not path.endswith(".ilearner"):
                self._registry.put(path, self._evaluation(content))
            elif blob not in self.loses:
                self._registry.put(path, model)
        return JobStatus(JobState.FINISHED, outputs)

    def _evaluation(self, content: bytes) -> bytes:
        auc = content.partition(b"auc=")[2].split()[0].decode() if b"auc=" in content else "0.8"
        return f"AUC,Number of Examples\r\n{auc},100\r\n".encode()

    def cancel(self, job: str) -> None:
        self._jobs.pop(job, None)

    def fetch(self, result: Any) -> bytes:
        return self._registry.read(result.path.partition("/")[2])[0]

    def gather(self, model: Any) -> None:
        """The job has written it to its place."""

    def register(self, model: Any, tags: Mapping[str, str]) -> None:
        """No register is kept."""


class Services:
    """The two web services: batch jobs, and endpoints that answer by the bytes of the model that each serves."""

    def __init__(self, registry: MemoryContainer, data: MemoryContainer) -> None:
        self._registry = registry
        self.batch = Jobs(registry, data)
        self.serving = {"default": "registry/models/shops/base/1.ilearner"}
        self.calls: list[str] = []
        self.errors: dict[str, Callable[[], RetrainError]] = {}
        registry.put("models/shops/base/1.ilearner", b"the baseline")

    def _models(self, name: str) -> tuple[Binding, ...]:
        return (Binding(RESOURCE, self.serving[name]),)

    def endpoint(self, _service: str, name: str) -> EndpointFound | None:
        self.calls.append("endpoint")
        if name not in self.serving:
            return None
        return EndpointFound(name, f"http://{name}", f"http://{name}/patch", "", "", {}, self._models(name))

    def listed(self, _service: str) -> dict[str, list[Binding]]:
        self.calls.append("listed")
        return {name: list(self._models(name)) for name in self.serving}

    def put_endpoint(self, _service: str, name: str, _description: str) -> None:
        self.calls.append("put")
        self.serving.setdefault(name, self.serving["default"])

    def refresh_endpoint(self, _service: str, _name: str) -> None: ...

    def delete_endpoint(self, _service: str, name: str) -> None:
        self.calls.append("delete")
        self.serving.pop(name, None)

    def jobs(self, _service: str) -> Jobs:
        return self.batch

    def bindings(self, _service: str, endpoint: str) -> Any:
        def write(_resource: str, model: Any) -> None:
            if error := self.errors.get(endpoint):
                raise error()
            self.calls.append(f"bind {endpoint}")
            self.serving[endpoint] = model.path

        return SimpleNamespace(read=lambda: list(self._models(endpoint)), write=write)

    def scoring(self, _service: str, endpoint: str) -> Any:
        if endpoint not in self.serving:
            raise NotFound("there is no endpoint", "make it", status=404)

        def score(rows: Any) -> list[dict[str, str]]:
            model = self._registry.read(self.serving[endpoint].removeprefix("registry/"))[0]
            digit = hashlib.sha256(model).hexdigest()[:6]
            return [{"Scored Labels": "1", "Scored Probabilities": f"0.{int(digit, 16)}"} for _row in rows]

        return SimpleNamespace(score=score)


class Fleet:
    """One stack's fleet, as an engine keeps it: its last inputs and outputs."""

    def __init__(self) -> None:
        self.registry, self.data = MemoryContainer(), MemoryContainer("data")
        self.services = Services(self.registry, self.data)
        self.told, self.guard, self.clock = Listener(), OpenGuard(), ManualClock()
        self.inputs: Props = {}
        self.outputs: Props = {}

    @property
    def context(self) -> Context:
        """As a new provider process has it."""
        context = Context(self.told, self.guard, self.clock)
        context.registry = lambda _target: self.registry
        context.data = lambda _target, name=None: self.registry if name == "registry" else self.data
        context.services = lambda _target, _service: self.services
        return context

    def shop(self, name: str, version: str = "1", says: str = "auc=0.8") -> None:
        """A customer uploads data."""
        rows = "".join(f"{number},{name}\n" for number in range(30))
        self.data.put(f"shops/{name}/{version}.csv", f"number,shop\n0,{says} \n{rows}".encode())

    @property
    def roster(self) -> Props:
        """What stands for all that the fleet makes."""
        place = {
            "target": "local",
            "service": SERVICE,
            "resource": RESOURCE,
            "graph": "g" * 64,
            "owner": OWNER,
        }
        return FleetRosterLifecycle(self.context).create(place)[1]

    def props(self, *, version: str = "1", schedule: Props | None = None, **given: Any) -> Props:
        """What the component gives to the resource."""
        return {
            "target": "local",
            "service": SERVICE,
            "resource": RESOURCE,
            "graph": "g" * 64,
            "training": TRAINING,
            "experiment": EXPERIMENT,
            "source": "",
            "members": {"path": PATH},
            "path": "shops/all/{version}.csv",
            "version": version,
            "gate": {"rules": ["auc >= 0.6"]},
            "probeRows": 5,
            "schedule": {"maxFailures": "100", **(schedule or {})},
            "owner": OWNER,
            **given,
        }

    def preview(self, **given: Any) -> list[str]:
        """The lines of the plan; nothing is written."""
        writes, calls = list(self.registry.writes), list(self.services.calls)
        checked = FleetLifecycle(self.context).check(self.props(**given), self.inputs)
        assert self.registry.writes == writes
        assert [one for one in self.services.calls[len(calls) :] if one not in ("listed", "endpoint")] == []
        return list(checked["plan"])

    def up(self, **given: Any) -> Props:
        """An update; the fleet's outputs."""
        life = FleetLifecycle(self.context)
        checked = life.check(self.props(**given), self.inputs)
        if not self.outputs:
            self.outputs = life.create(checked)[1]
        elif life.diff(self.outputs, checked).changes:
            self.outputs = life.update("id", self.outputs, checked)
        self.inputs = checked
        return self.outputs

    def verdict(self, most: str) -> Props:
        """What the verdict says of the last update. Raises FleetError."""
        props = {"counts": self.outputs["counts"], "failed": self.outputs["failed"], "maxFailures": most}
        return FleetVerdictLifecycle(self.context).create(props)[1]

    def destroy(self) -> None:
        """Delete the fleet."""
        FleetLifecycle(self.context).delete("id", self.outputs)
        FleetRosterLifecycle(self.context).delete("id", self.roster)

    @property
    def records(self) -> MemberRecords:
        """Of its members."""
        return MemberRecords(self.registry, self.outputs["fleet"])

    def states(self) -> dict[str, str]:
        """Where each member is."""
        return {name: one.state for name, one in self.records.standings().items() if not is_staging(name)}

    def serves(self, member: str) -> str:
        """The model's content that a member's endpoint serves."""
        return self.registry.read(self.services.serving[member].removeprefix("registry/"))[0].decode(
            "latin-1"
        )

    @property
    def live(self) -> set[str]:
        """The endpoints of members."""
        return {
            name for name in self.services.serving if name != "default" and not name.startswith("staging")
        }
