"""A graph carried as own code: a job and a deployment that run it where no service does.

The scripts in `scripts/` and the sources of `graph` and `tables` go with the experiment's definition; the environment has
exactly the packages that these import, as the project's lock file pins them. So the model is, byte for byte, the one that a
Studio's batch execution makes of the same data and parameters.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from clients.errors import ExperimentInvalid
from graph.identity import Declared, parameters
from retrain_hooks.experiments.deployment import DeploymentSpec
from retrain_hooks.experiments.environments import EnvironmentSpec
from retrain_hooks.experiments.folder import Code
from retrain_hooks.experiments.job import DATA, EVALUATION, MODEL, JobSpec
from retrain_hooks.experiments.own_code import OwnCode
from retrain_hooks.experiments.package import Experiment, load
from retrain_hooks.experiments.pins import pins
from retrain_hooks.experiments.ports import InputSpec, OutputSpec, ParameterSpec
from retrain_hooks.registry.run_key import canonical_json

IMAGE: Final = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
SERVER: Final = "azureml-inference-server-http==1.5.1"  # what answers HTTP in Azure ML's containers

_HERE = Path(__file__).parent
_HOUSE = _HERE.parents[1]
_ROOMS = ("graph", "sandbox", "tables", "tasks")
_DESCRIPTIVE = ("name", "description")


def carry(name: str, root: Path | None = None) -> OwnCode:
    """The graph ``experiments/<name>/`` below *root* as a job and a deployment.

    The job's literal inputs are the graph's parameters, percent-encoded, so that no shell reads them. Its model is one file,
    the `.ilearner`; its evaluation the table of Evaluate Model. Raises ExperimentInvalid.
    """
    root = root or Path.cwd()
    training, predictive = load(name, "training", root), load(name, "predictive", root)
    training.reference()
    for each in (training, predictive):
        if each.scripts:
            raise ExperimentInvalid(
                f"experiments/{name}/{each.part}.json: {each.scripts[0]} runs a script, which is not carried to Azure ML",
                "write the script as own code, with a job.yml, or leave the module out",
            )
    sources = _sources()
    packages = pins(sources.values(), root)
    return OwnCode(
        name, _job(training, sources, packages), _deployment(predictive, sources, (*packages, SERVER))
    )


def _job(training: Experiment, sources: Mapping[str, bytes], packages: tuple[str, ...]) -> JobSpec:
    data = InputSpec(DATA, "uri_file")
    model, evaluation = OutputSpec(MODEL, "uri_file"), OutputSpec(EVALUATION, "uri_file")
    declared = _parameters(training)
    command = [
        "python train.py",
        f"--data ${{{{inputs.{data.name}}}}}",
        f"--model ${{{{outputs.{model.name}}}}}",
        f"--evaluation ${{{{outputs.{evaluation.name}}}}}",
        *(f"--set {quote(name, safe='')}=${{{{inputs.{each.input}}}}}" for name, each in declared.items()),
    ]
    return JobSpec(
        command=" ".join(command),
        code=Code(
            {
                **sources,
                "train.py": _script("train.py"),
                "training.json": _definition(training.definition),
            }
        ),
        environment=_environment(packages),
        data=data,
        model=model,
        evaluation=evaluation,
        inputs={data.name: data},
        parameters=declared,
        outputs={model.name: model, evaluation.name: evaluation},
        experiment_name=training.name,
        display_name=str(training.definition.get("name") or training.name),
        description=str(training.definition.get("description") or ""),
    )


def _deployment(
    predictive: Experiment, sources: Mapping[str, bytes], packages: tuple[str, ...]
) -> DeploymentSpec:
    return DeploymentSpec(
        code=Code(
            {
                **sources,
                "score.py": _script("score.py"),
                "predictive.json": _definition(predictive.definition),
            }
        ),
        scoring_script="score.py",
        environment=_environment(packages),
        description=str(predictive.definition.get("description") or ""),
    )


def _sources() -> dict[str, bytes]:
    """The files of the rooms that run a graph."""
    return {
        path.relative_to(_HOUSE).as_posix(): path.read_bytes()
        for room in _ROOMS
        for path in sorted((_HOUSE / room).rglob("*.py"))
    }


def _script(name: str) -> bytes:
    return (_HERE / "scripts" / name).read_bytes()


def _definition(definition: Mapping[str, Any]) -> bytes:
    """A definition without what only describes it, written in one way: laid out otherwise it is the same code."""
    told = {key: value for key, value in definition.items() if key not in _DESCRIPTIVE}
    return canonical_json({**told, "name": "graph"})


def _environment(packages: tuple[str, ...]) -> EnvironmentSpec:
    python = f"python={sys.version_info.major}.{sys.version_info.minor}"
    return EnvironmentSpec(image=IMAGE, packages={"dependencies": [python, "pip", {"pip": list(packages)}]})


def _parameters(training: Experiment) -> dict[str, ParameterSpec]:
    """The graph's parameters by their names, each an input of the job by a name that the service takes."""
    declared = parameters(training.definition)
    taken: set[str] = {DATA}
    found = {}
    for name, each in declared.items():
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "parameter"
        plain = plain if plain[0].isalpha() else f"_{plain}"
        number = next(n for n in range(1, len(declared) + 2) if _numbered(plain, n) not in taken)
        taken.add(_numbered(plain, number))
        found[name] = _parameter(name, _numbered(plain, number), each)
    return found


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}_{number}"


def _parameter(name: str, port: str, declared: Declared) -> ParameterSpec:
    """What is given to it has passed the graph's own check: it is carried as the text that it is."""
    return ParameterSpec(name, port, "string", declared.default, escaped=True)
