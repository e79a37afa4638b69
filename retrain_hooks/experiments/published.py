"""What is published of an experiment, by the kind of service: Studio's take the graph itself, Azure ML v2 code that runs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from clients.azureml.jobs import MEASURED
from clients.errors import ExperimentInvalid
from clients.protocols import AZUREML, CodePackage, Deployable
from retrain_hooks.experiments import job
from retrain_hooks.experiments.carried import carry
from retrain_hooks.experiments.environments import EnvironmentSpec
from retrain_hooks.experiments.folder import Code
from retrain_hooks.experiments.own_code import OwnCode, form_of, load_own_code
from retrain_hooks.experiments.package import Part, load
from retrain_hooks.host.references import ExperimentRef
from retrain_hooks.registry.run_key import digest

_MODEL = "model"


class Publishable(Protocol):
    """An experiment's training or predictive part, as one kind of service takes it."""

    def reference(self) -> ExperimentRef:
        """What other resources need to know of it."""

    @property
    def deployable(self) -> Deployable:
        """What is handed to the service."""


@dataclass(frozen=True)
class PublishedCode:
    """The *part* of an experiment called *name*: a team's own code, or a graph's, which is carried as such.

    *resource* names the trained model that is replaced, where the experiment says it.
    """

    name: str
    part: Part
    code: OwnCode
    resource: str = _MODEL

    def reference(self) -> ExperimentRef:
        """What other resources need to know of it; its digest covers all that is published."""
        if self.part == "predictive":
            return ExperimentRef(self.name, self._package.digest, resource=self.resource)
        training = self.code.training
        return ExperimentRef(
            self.name,
            self._package.digest,
            input=training.data.name,
            model_output=training.model.name,
            evaluation_output=training.evaluation.name if training.evaluation else MEASURED,
            parameters=tuple(sorted(training.parameters)),
        )

    @property
    def deployable(self) -> Deployable:
        """The code, with how it is run."""
        return Deployable({}, lambda: self._package)

    @cached_property
    def _package(self) -> CodePackage:
        spec = self.code.training if self.part == "training" else self.code.deployment
        settings = _plain(asdict(replace(spec, code=Code())))
        settings |= {"environment": _environment(spec.environment)}
        return CodePackage(
            settings,
            spec.code.files,
            digest({"settings": settings, "code": spec.code.digest}),
            spec.environment.digest if spec.environment else "",
        )


def load_for(kind: str, name: str, part: Part, root: Path | None = None) -> Publishable:
    """An experiment's *part* as services of *kind* take it. Raises ExperimentInvalid."""
    if kind != AZUREML:
        if is_own_code(name, root):
            raise ExperimentInvalid(
                f"the experiment {name!r} is a team's own code ({job.FILE}), and Studio runs graphs only",
                "set `kind` to azureml in the stack's config, or name an experiment with a training.json",
            )
        return load(name, part, root)
    if form_of(name, root) == "own code":
        return PublishedCode(name, part, load_own_code(name, root))
    graph = load(name, "predictive", root).reference()
    return PublishedCode(name, part, carry(name, root), graph.resource)


def is_own_code(name: str, root: Path | None = None) -> bool:
    """Whether an experiment is a team's own code."""
    return ((root or Path.cwd()) / "experiments" / name / job.FILE).is_file()


def _environment(spec: EnvironmentSpec | None) -> dict[str, str] | None:
    if spec is None:
        return None
    names = ("name", "version", "label", "registry", "image", "conda")
    return {name: getattr(spec, name) for name in names}


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it: its lists are no tuples."""
    found: dict[str, Any] = json.loads(json.dumps(value))
    return {name: each for name, each in found.items() if name != "code"}
