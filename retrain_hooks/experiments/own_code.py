"""Experiments of a team's own code: ``experiments/<name>/job.yml`` and ``deployment.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clients.errors import ExperimentInvalid
from clients.names import nearest
from retrain_hooks.experiments import deployment, job
from retrain_hooks.experiments.deployment import DeploymentSpec, read_deployment
from retrain_hooks.experiments.job import JobSpec, read_job

Form = Literal["graph", "own code"]

_FILES: dict[Form, tuple[str, ...]] = {
    "graph": ("training.json", "predictive.json"),
    "own code": (job.FILE, deployment.FILE),
}


@dataclass(frozen=True)
class OwnCode:
    """An experiment as a job that trains and a deployment that serves."""

    name: str
    training: JobSpec
    deployment: DeploymentSpec

    @property
    def training_digest(self) -> str:
        """Stands for the training in run keys, 64 hex: `JobSpec.digest`."""
        return self.training.digest

    @property
    def serving_digest(self) -> str:
        """Stands for what a deployment answers with, apart from the model, 64 hex: `DeploymentSpec.digest`."""
        return self.deployment.digest


def load_own_code(name: str, root: Path | None = None) -> OwnCode:
    """Read an experiment below *root* (default: the working directory, the project's root).

    Raises ExperimentInvalid for what cannot be run or served, with file and line.
    """
    root = root or Path.cwd()
    training, serving = read_job(name, root), read_deployment(name, root)
    if not serving.scoring_script and training.model.type != "mlflow_model":
        raise ExperimentInvalid(
            f"experiments/{name}/{deployment.FILE} has no `code_configuration`, and the model is a {training.model.type}",
            "give it a code_configuration with code and scoring_script, or train an mlflow_model",
        )
    return OwnCode(name, training, serving)


def form_of(name: str, root: Path | None = None) -> Form:
    """Whether an experiment is a graph or a team's own code, by the files in its folder.

    Raises ExperimentInvalid where it is neither, both, or there is no such folder.
    """
    folder = (root or Path.cwd()) / "experiments"
    found: list[Form] = [
        form for form, files in _FILES.items() if any((folder / name / each).is_file() for each in files)
    ]
    if len(found) > 1:
        raise ExperimentInvalid(
            f"experiments/{name} has both a graph ({', '.join(_FILES['graph'])}) and own code ({job.FILE}, {deployment.FILE})",
            "keep one of them there, and give the other a folder of its own",
        )
    if not found:
        there = [
            path.name
            for path in folder.glob("*")
            if any((path / each).is_file() for files in _FILES.values() for each in files)
        ]
        raise ExperimentInvalid(
            f"there is no experiment {name!r}; {nearest(name, there)}",
            f"create experiments/{name} with training.json and predictive.json, or with job.yml and deployment.yml",
        )
    return found[0]
