"""A team's own training: ``job.yml``, a command job as `az ml job create` reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import quote

from clients.errors import ExperimentInvalid
from clients.names import nearest, shown
from retrain_hooks.experiments.environments import EnvironmentSpec, read_environment
from retrain_hooks.experiments.folder import Code, read_code
from retrain_hooks.experiments.ports import (
    DATA_TYPES,
    MODEL_TYPES,
    InputSpec,
    OutputSpec,
    ParameterSpec,
    read_input,
    read_output,
    resolve,
)
from retrain_hooks.experiments.yaml_fields import Fields, Scalar, Value, read_yaml
from retrain_hooks.registry.run_key import digest

FILE: Final = "job.yml"
DATA, MODEL, EVALUATION = "data", "model", "evaluation"
FORMAT: Final = "job/1"

_FIELDS = (
    *("$schema", "type", "command", "code", "environment", "environment_variables", "inputs", "outputs"),
    *("resources", "limits", "compute", "experiment_name", "display_name", "description", "tags"),
)
_PLACEHOLDER = re.compile(r"\$\{\{(?P<said>.*?)\}\}")
_PORT = re.compile(r"\s*(?P<kind>inputs|outputs)\.(?P<name>[A-Za-z_]\w*)\s*", re.ASCII)
_PORT_NAME = re.compile(r"[A-Za-z_]\w{0,254}", re.ASCII)
_SIZE = re.compile(r"[1-9]\d*[bkmg]", re.IGNORECASE)
_COMPUTE = re.compile(r"(?:azureml:)?(?P<name>[A-Za-z][A-Za-z0-9-]{1,31})")


@dataclass(frozen=True)
class Resources:
    """What a job runs on: *instance_type* and *shm_size* are empty where the service is to decide."""

    instance_count: int = 1
    instance_type: str = ""
    shm_size: str = ""


@dataclass(frozen=True)
class JobSpec:
    """A command that trains: what it runs, in what, and what enters and leaves it.

    *inputs* are those that are read from storage, *data* the one of them that the data version is given as; *parameters* are
    the literal inputs by their names in a stack's `parameters`. *model* is the output with the trained model, *evaluation*
    that with its evaluation as a table, where there is one. *timeout* is in seconds.
    """

    command: str
    code: Code
    environment: EnvironmentSpec
    data: InputSpec
    model: OutputSpec
    evaluation: OutputSpec | None = None
    inputs: Mapping[str, InputSpec] = field(default_factory=dict)
    parameters: Mapping[str, ParameterSpec] = field(default_factory=dict)
    outputs: Mapping[str, OutputSpec] = field(default_factory=dict)
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    resources: Resources = Resources()
    timeout: int | None = None
    compute: str = ""
    experiment_name: str = ""
    display_name: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Covers what decides the model, apart from data and parameters (64 hex).

        That is the code, the command, the environment and its variables, the inputs and outputs, and on how many instances
        it runs, among which it may divide its work. Where the data lies and the values of parameters are in the run key for
        themselves. The type of an instance, its shared memory, the compute and the time limit decide whether and
        when a job ends, not what it makes: a team that takes a larger machine does not want all its models trained
        again. Descriptions, tags, display and experiment names only describe.
        """
        inputs = {
            name: [each.type, each.mode, "" if each == self.data else each.path]
            for name, each in self.inputs.items()
        }
        return digest(
            {
                "format": FORMAT,
                "command": self.command,
                "code": self.code.digest,
                "environment": self.environment.digest,
                "variables": self.environment_variables,
                "inputs": inputs,
                "parameters": sorted(self.parameters),
                "outputs": {name: [each.type, each.mode] for name, each in self.outputs.items()},
                "instances": self.resources.instance_count,
            }
        )

    def code_files(self) -> Mapping[str, bytes]:
        """The files that the command runs among, by their names in its folder."""
        return self.code.files

    def resolve(self, given: Mapping[str, Scalar | None]) -> dict[str, str]:
        """The value of each parameter: as *given*, else its default. Raises ConfigurationError."""
        return resolve(self.parameters, given)

    def literals(self, values: Mapping[str, str]) -> dict[str, str]:
        """The job's literal inputs, by the inputs' names, for *values* of its parameters; the others have their defaults."""
        found = {}
        for name, parameter in self.parameters.items():
            value = values.get(name, parameter.default)
            if value is not None:
                found[parameter.input] = quote(value, safe="") if parameter.escaped else value
        return found


def read_job(name: str, root: Path) -> JobSpec:
    """Read ``experiments/<name>/job.yml`` below *root*. Raises ExperimentInvalid, with the line, for what it cannot be."""
    folder = root / "experiments" / name
    file = read_yaml(folder / FILE, f"experiments/{name}/{FILE}")
    job = file.fields().only(_FIELDS)
    judge_schema(job, "commandJob")
    if kind := job.get("type"):
        kind.choice(("command",))
    command = job.need("command", "python train.py --data ${{inputs.data}}")
    ports = job.each("inputs", lambda port, value: read_input(_port(port, value), value))
    inputs = {port: each for port, each in ports.items() if isinstance(each, InputSpec)}
    outputs = job.each("outputs", lambda port, value: read_output(_port(port, value), value))
    _judge_command(command, {"inputs": ports, "outputs": outputs})
    folder_of_code = job.get("code")
    code = read_code(folder_of_code, folder) if folder_of_code else Code()
    data, model = _data(file, inputs), _model(file, outputs)
    _judge_inputs(job, inputs, data)
    _judge_used(command, code, f"inputs.{data.name}", f"outputs.{model.name}")
    return JobSpec(
        command=command.text(),
        code=code,
        environment=read_environment(job.need("environment", "azureml:<name>:<version>"), folder),
        data=data,
        model=model,
        evaluation=_evaluation(job, outputs),
        inputs=inputs,
        parameters={port: each for port, each in ports.items() if isinstance(each, ParameterSpec)},
        outputs=outputs,
        environment_variables=job.texts("environment_variables"),
        resources=_resources(job.get("resources")),
        timeout=_timeout(job.get("limits")),
        compute=_compute(job.get("compute")),
        experiment_name=job.text("experiment_name"),
        display_name=job.text("display_name"),
        description=job.text("description"),
        tags=job.texts("tags"),
    )


def judge_schema(fields: Fields, wanted: str) -> None:
    """Refuse a file whose `$schema` is that of something else. Raises ExperimentInvalid."""
    schema = fields.get("$schema")
    if schema and schema.text().rpartition("/")[2] != f"{wanted}.schema.json":
        raise schema.wrong(f"https://azuremlschemas.azureedge.net/latest/{wanted}.schema.json")


def _port(name: str, value: Value) -> str:
    if not _PORT_NAME.fullmatch(name):
        raise value.invalid(
            f"{shown(name)!r} is no name of an input or output",
            remedy="write a name of letters, digits and _",
        )
    return name


def _judge_command(command: Value, ports: Mapping[str, Mapping[str, object]]) -> None:
    for placeholder in _PLACEHOLDER.finditer(command.text()):
        found = _PORT.fullmatch(placeholder["said"])
        if found and found["name"] in ports[found["kind"]]:
            continue
        there = [f"{kind}.{name}" for kind, names in ports.items() for name in names]
        raise command.invalid(
            f"the command names {shown(placeholder[0])}; {nearest(placeholder['said'].strip(), there)}",
            remedy="name an input or output that the job has, or declare this one",
        )


def _judge_used(command: Value, code: Code, *ports: str) -> None:
    """Refuse a job that cannot know where its data is, or where its model is to go."""
    if any(b"AZURE_ML_" in content for content in code.files.values()):
        return  # it may read its ports from its environment
    named = {found["said"].strip() for found in _PLACEHOLDER.finditer(command.text())}
    for port in ports:
        if port not in named:
            raise command.invalid(
                f"the command does not name {port}, so that the job cannot know where it is",
                remedy=f"write ${{{{{port}}}}} into the command",
            )


def _data(file: Value, inputs: Mapping[str, InputSpec]) -> InputSpec:
    found = [each for each in inputs.values() if each.type in DATA_TYPES]
    if DATA in inputs and inputs[DATA] in found:
        return inputs[DATA]
    if len(found) != 1:
        raise ExperimentInvalid(
            f"{file.file} has {len(found)} inputs of a data type ({', '.join(DATA_TYPES)}), and none is called `{DATA}`",
            f"call the input that the data version enters by `{DATA}`",
        )
    return found[0]


def _judge_inputs(job: Fields, inputs: Mapping[str, InputSpec], data: InputSpec) -> None:
    for name, value in job.need("inputs", "{data: {type: uri_file}}").fields():
        if name in inputs and name != data.name and not inputs[name].path:
            raise value.invalid(
                f"the input `{name}` has no path, and only the data version's comes from the stack",
                remedy="give it a path, such as azureml:<data>:<version>",
            )


def _model(file: Value, outputs: Mapping[str, OutputSpec]) -> OutputSpec:
    found = [each for each in outputs.values() if each.type in MODEL_TYPES]
    if len(found) == 1:
        return found[0]
    if MODEL in outputs and (not found or outputs[MODEL] in found):
        return outputs[MODEL]
    raise ExperimentInvalid(
        f"{file.file} has {len(found)} outputs of a model type ({', '.join(MODEL_TYPES)}), and none is called `{MODEL}`",
        f"call the output that the trained model leaves by `{MODEL}`",
    )


def _evaluation(job: Fields, outputs: Mapping[str, OutputSpec]) -> OutputSpec | None:
    found = outputs.get(EVALUATION)
    if found and found.type != "uri_file":
        raise job.need("outputs", "").invalid(
            f"the output `{EVALUATION}` is a {found.type}, and an evaluation is one table",
            remedy="give it the type uri_file, or another name",
        )
    return found


def _resources(value: Value | None) -> Resources:
    if value is None:
        return Resources()
    found = value.fields().only(("instance_count", "instance_type", "shm_size"))
    size = found.get("shm_size")
    if size and not _SIZE.fullmatch(size.text()):
        raise size.wrong("a size such as 2g")
    return Resources(
        found.integer("instance_count", 1) or 1, found.text("instance_type"), size.text() if size else ""
    )


def _timeout(value: Value | None) -> int | None:
    return value.fields().only(("timeout",)).integer("timeout", 1) if value else None


def _compute(value: Value | None) -> str:
    if value is None:
        return ""
    found = _COMPUTE.fullmatch(value.text())
    if found is None or found["name"] == "local":
        raise value.wrong("the name of a compute of the workspace, such as azureml:cpu-cluster")
    return found["name"]
