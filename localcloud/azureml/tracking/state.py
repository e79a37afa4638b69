"""Experiments, runs, metrics and logged models of all workspaces, by the workspaces' guids.

A job has a run of its own name. Numbers are kept as they were written, so that NaN and infinities stay what they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from localcloud.azureml.tracking.errors import TrackingError, invalid, missing
from localcloud.facilities.store import Store

Document = dict[str, Any]
_RESERVED = "Default"
_LATEST = "SELECT name, value, at, step FROM aml_metrics WHERE workspace=? AND run=? ORDER BY step, at, rowid"


def milliseconds() -> int:
    """Now, as MLflow writes times."""
    return int(time.time() * 1000)


class Tracking:
    """What is logged."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def forget(self, workspace: str) -> None:
        """Forget all of a workspace."""
        with self._store.transaction() as connection:
            for table in ("experiments", "runs", "metrics", "models"):
                connection.execute(f"DELETE FROM aml_{table} WHERE workspace=?", (workspace,))  # noqa: S608

    # Experiments

    def experiment(self, workspace: str, experiment_id: str) -> Document:
        """An experiment by its id. Raises TrackingError."""
        row = self._store.row(
            "SELECT document FROM aml_experiments WHERE workspace=? AND id=?", workspace, experiment_id
        )
        if row is None:
            raise missing("Experiment", experiment_id)
        return _read(row["document"])

    def experiment_by_name(self, workspace: str, name: str) -> Document | None:
        """An experiment by its name."""
        row = self._store.row(
            "SELECT document FROM aml_experiments WHERE workspace=? AND name=?", workspace, name
        )
        return None if row is None else _read(row["document"])

    def experiments(self, workspace: str) -> list[Document]:
        """All experiments, the newest first."""
        rows = self._store.rows(
            "SELECT document FROM aml_experiments WHERE workspace=? ORDER BY rowid DESC", workspace
        )
        return [_read(row["document"]) for row in rows]

    def create_experiment(self, workspace: str, name: str, tags: Any = None) -> Document:
        """A new experiment. Raises TrackingError where the name is taken."""
        if not isinstance(name, str) or not name.strip():
            raise invalid("Invalid experiment name: it is missing or empty")
        if self.experiment_by_name(workspace, name) is not None:
            raise TrackingError("RESOURCE_ALREADY_EXISTS", f"Experiment '{name}' already exists.")
        experiment_id, at = str(uuid4()), milliseconds()
        document = {
            "experiment_id": experiment_id,
            "name": name,
            "artifact_location": f"mlflow-artifacts:/ExperimentRun/experiment.{experiment_id}",
            "lifecycle_stage": "active",
            "creation_time": at,
            "last_update_time": at,
            "tags": pairs(tags),
        }
        self._store.insert(
            "aml_experiments", id=experiment_id, workspace=workspace, name=name, document=json.dumps(document)
        )
        return document

    def ensure_experiment(self, workspace: str, name: str) -> Document:
        """The experiment of that name, made where it is missing."""
        return self.experiment_by_name(workspace, name) or self.create_experiment(workspace, name)

    def default_experiment(self, workspace: str) -> Document:
        """The experiment of who names none; MLflow calls it 0."""
        return self.ensure_experiment(workspace, _RESERVED)

    def save_experiment(self, workspace: str, document: Document) -> None:
        """Write an experiment's changes."""
        document["last_update_time"] = milliseconds()
        self._store.change(
            "UPDATE aml_experiments SET name=?, document=? WHERE workspace=? AND id=?",
            document["name"],
            json.dumps(document),
            workspace,
            document["experiment_id"],
        )

    # Runs

    def run(self, workspace: str, run_id: str) -> Document:
        """A run as it is kept: `info`, `params`, `tags`, `outputs`, and `job` for that of a job. Raises TrackingError."""
        row = self._store.row("SELECT document FROM aml_runs WHERE workspace=? AND id=?", workspace, run_id)
        if row is None:
            raise missing("Run", run_id)
        return _read(row["document"])

    def runs(self, workspace: str, experiments: Iterable[str]) -> list[Document]:
        """The runs of experiments, the newest first."""
        wanted = set(experiments)
        rows = self._store.rows(
            "SELECT experiment, document FROM aml_runs WHERE workspace=? ORDER BY started DESC, rowid DESC",
            workspace,
        )
        return [_read(row["document"]) for row in rows if row["experiment"] in wanted]

    def create_run(
        self,
        workspace: str,
        experiment_id: str,
        *,
        run_id: str = "",
        name: str = "",
        user: str = "",
        started: int = 0,
        tags: Mapping[str, str] | None = None,
        job: bool = False,
    ) -> Document:
        """A new run. Raises TrackingError where there is no such experiment, or a run of that id."""
        self.experiment(workspace, experiment_id)
        if (
            self._store.row("SELECT 1 FROM aml_runs WHERE workspace=? AND id=?", workspace, run_id)
            is not None
        ):
            message = f"Run '{run_id}' already exists; the name of a deleted job stays taken."
            raise TrackingError("RESOURCE_ALREADY_EXISTS", message)
        run_id, started = run_id or str(uuid4()), started or milliseconds()
        document = {
            "info": {
                "run_id": run_id,
                "run_uuid": run_id,
                "run_name": name or run_id,
                "experiment_id": experiment_id,
                "user_id": user,
                "status": "SCHEDULED" if job else "RUNNING",
                "start_time": started,
                "artifact_uri": f"mlflow-artifacts:/ExperimentRun/dcid.{run_id}",
                "lifecycle_stage": "active",
            },
            "params": {},
            "tags": {"mlflow.runName": name or run_id, **(tags or {})},
            "outputs": [],
            "job": job,
        }
        self._store.insert(
            "aml_runs",
            workspace=workspace,
            id=run_id,
            experiment=experiment_id,
            started=started,
            document=json.dumps(document),
        )
        return document

    def save_run(self, workspace: str, document: Document) -> None:
        """Write a run's changes."""
        self._store.change(
            "UPDATE aml_runs SET document=? WHERE workspace=? AND id=?",
            json.dumps(document),
            workspace,
            document["info"]["run_id"],
        )

    def log(
        self,
        workspace: str,
        run_id: str,
        metrics: Iterable[Mapping[str, Any]] = (),
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log to a run, all or nothing. Raises TrackingError; a parameter keeps its first value."""
        with self._store.transaction() as connection:
            run = self.run(workspace, run_id)
            for name, value in (params or {}).items():
                if run["params"].setdefault(name, value) != value:
                    raise invalid(
                        f"Changing param values is not allowed. Param with key='{name}' was already logged with"
                        f" value='{run['params'][name]}' for run ID='{run_id}'."
                    )
            run["tags"].update(tags or {})
            self.save_run(workspace, run)
            connection.executemany(
                "INSERT OR IGNORE INTO aml_metrics VALUES (?, ?, ?, ?, ?, ?)",
                [(workspace, run_id, *_metric(one)) for one in metrics],
            )

    def metrics(self, workspace: str, run_id: str) -> list[Document]:
        """The latest value of each metric of a run."""
        latest = {row["name"]: _shown(row) for row in self._store.rows(_LATEST, workspace, run_id)}
        return list(latest.values())

    def history(self, workspace: str, run_id: str, name: str) -> list[Document]:
        """All values of a metric, in the order of their steps."""
        return [_shown(row) for row in self._store.rows(_LATEST, workspace, run_id) if row["name"] == name]

    # Logged models

    def model(self, workspace: str, model_id: str) -> Document:
        """A logged model. Raises TrackingError."""
        row = self._store.row(
            "SELECT document FROM aml_models WHERE workspace=? AND id=?", workspace, model_id
        )
        if row is None:
            raise missing("Logged model", model_id)
        return _read(row["document"])

    def models(self, workspace: str, experiments: Iterable[str]) -> list[Document]:
        """The logged models of experiments, the newest first."""
        wanted = set(experiments)
        rows = self._store.rows(
            "SELECT experiment, document FROM aml_models WHERE workspace=? ORDER BY created DESC, rowid DESC",
            workspace,
        )
        return [_read(row["document"]) for row in rows if row["experiment"] in wanted]

    def save_model(self, workspace: str, document: Document) -> None:
        """Write a logged model, new or changed."""
        info = document["info"]
        info["last_updated_timestamp_ms"] = milliseconds()
        values = (
            workspace,
            info["model_id"],
            info["experiment_id"],
            info.get("source_run_id", ""),
            info["name"],
            info["artifact_uri"],
            info["creation_timestamp_ms"],
            json.dumps(document),
        )
        self._store.change("INSERT OR REPLACE INTO aml_models VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)

    def delete_model(self, workspace: str, model_id: str) -> None:
        """Forget a logged model."""
        self._store.change("DELETE FROM aml_models WHERE workspace=? AND id=?", workspace, model_id)


def pairs(listed: Any) -> dict[str, str]:
    """The `[{"key", "value"}]` of MLflow as a mapping. Raises TrackingError."""
    try:
        return {str(one["key"]): str(one.get("value", "")) for one in listed or ()}
    except (TypeError, KeyError, AttributeError):
        raise invalid("tags and params are lists of objects with key and value") from None


def listed(mapping: Mapping[str, str]) -> list[Document]:
    """A mapping as MLflow lists it."""
    return [{"key": name, "value": value} for name, value in mapping.items()]


def _read(text: str) -> Document:
    document: Document = json.loads(text)
    return document


def _metric(given: Mapping[str, Any]) -> tuple[str, str, int, int]:
    try:
        number = float(given["value"])
        at, step = int(given.get("timestamp") or milliseconds()), int(given.get("step") or 0)
        if max(abs(at), abs(step)) > _LARGEST:
            raise OverflowError
        return str(given["key"]), repr(number), at, step
    except (TypeError, ValueError, OverflowError, KeyError, AttributeError):
        raise invalid("a metric has a key and a number as its value") from None


_LARGEST = 2**63 - 1  # a whole number of the store
_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _shown(row: Any) -> Document:
    value = row["value"]
    number: float | str = _WORDS[value] if value in _WORDS else float(value)
    return {"key": row["name"], "value": number, "timestamp": row["at"], "step": row["step"]}
