"""A registry in memory with runs, verdicts and bindings, and MLflow's own client over a store in a folder."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cli.mirroring.facts import facts_of
from cli.mirroring.mirror import Done, mirror
from cli.mirroring.server import Server
from retrain_hooks.gate.rules import Ruling, Verdict
from retrain_hooks.gate.verdicts import Case, Found, Model, Verdicts
from retrain_hooks.registry.ledger import Job, Ledger, Run
from retrain_hooks.registry.markers import Marker, Markers
from retrain_hooks.registry.owners import Owner
from tests.unit.fakes import MemoryContainer

DAY = "2026-11-{:02}T10:00:00+00:00"
WORKSPACE = {"id": "w1", "resource": "/subscriptions/s/workspaces/mlw"}


def key(day: int) -> str:
    return sha256(f"run of {day}".encode()).hexdigest()


class World:
    """One registry; a run a *day*."""

    def __init__(self) -> None:
        self.registry = MemoryContainer()
        self.ledger = Ledger(self.registry)

    def trained(self, day: int, experiment: str = "flights", **changes: Any) -> Run:
        """A run that left a model."""
        content = f"model of {day}".encode()
        run = Run(
            key(day),
            experiment,
            {"data": "2-d1", "experiment": "c0de", "parameters": {"Learning rate": "0.1"}, "seed": 0},
            "finished",
            data={"version": f"2013-{day:02}"},
            job=Job("j1", "s1", WORKSPACE),
            planned_at=DAY.format(day),
            started_at=DAY.format(day),
            ended_at=DAY.format(day),
            seconds=3.0,
            sha256=sha256(content).hexdigest(),
            bytes=len(content),
            metrics={"auc": 0.7 + day / 100, "number_of_examples": 100},
        )
        run = replace(run, **changes)
        if run.state == "finished":
            self.registry.put(run.address, content)
        self.record(run)
        return run

    def record(self, run: Run) -> None:
        """Write a run's record over what is there."""
        self.registry.blobs.pop(f"runs/{run.key}.json", None)
        self.ledger.plan(run)

    def judged(self, run: Run, passed: bool = True) -> None:
        case = Case(Model(run.address, run.key), None, {"rules": ["auc >= 0.65"]}, run.sha256)
        rules = (Ruling("auc >= 0.65", 0.7, 0.65, passed, "auc 0.7 >= 0.65"),)
        Verdicts(self.registry).keep(case, Verdict(rules), DAY.format(28), Found())

    def bound(self, run: Run, endpoint: str = "live", stack: str = "dev") -> None:
        marker = Marker("local", "s1", WORKSPACE, endpoint, "a model", run.address)
        Markers(self.registry).mark(marker, Owner("retraining", stack, "binding", "l1"))

    def mirror(self, server: Server, prefix: str = "") -> Done:
        return mirror(facts_of(self.registry), self.registry, server, prefix)


def a_server(folder: Path) -> Server:
    """As a verb of its own has it."""
    return Server.at(folder.as_uri())


def seen(server: Server) -> dict[str, Any]:
    """All that is there, without ids and times of MLflow's own."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=server.uri, registry_uri=server.uri)
    experiments = [each for each in client.search_experiments() if each.name != "Default"]
    runs = {}
    for experiment in experiments:
        for run in client.search_runs([experiment.experiment_id]):
            told = run.info, run.data
            where = f"{experiment.name}/{run.data.tags['retrain.key'][:7]}"
            assert where not in runs, "twice"
            history = {
                name: [(each.step, each.value) for each in client.get_metric_history(run.info.run_id, name)]
                for name in run.data.metrics
            }
            tags = {name: value for name, value in told[1].tags.items() if name.startswith("retrain.")}
            runs[where] = (told[0].run_name, told[0].status, told[1].params, history, tags)
    models = {}
    for model in client.search_registered_models():
        versions = sorted(
            ((str(each.version), each.tags) for each in client.search_model_versions(f"name='{model.name}'")),
            key=lambda each: int(each[0]),
        )
        models[model.name] = (model.tags, _aliases(client, model.name), versions)
    return {"runs": runs, "models": models}


def _aliases(client: Any, model: str) -> dict[str, str]:
    found = client.get_registered_model(model).aliases
    return {alias: str(version) for alias, version in found.items()}
