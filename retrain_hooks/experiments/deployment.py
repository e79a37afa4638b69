"""How a team's own model is served: ``deployment.yml``, as `az ml online-deployment create` reads it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from retrain_hooks.experiments.environments import EnvironmentSpec, read_environment
from retrain_hooks.experiments.folder import Code, read_code
from retrain_hooks.experiments.job import judge_schema
from retrain_hooks.experiments.yaml_fields import Fields, Value, read_yaml
from retrain_hooks.host.python_source import parsed
from retrain_hooks.registry.run_key import digest

FILE: Final = "deployment.yml"
FORMAT: Final = "deployment/1"
DEFAULT_INSTANCE_TYPE: Final = "Standard_DS3_v2"

_FIELDS = (
    *("$schema", "type", "name", "endpoint_name", "model", "code_configuration", "environment"),
    *("environment_variables", "instance_type", "instance_count", "liveness_probe", "readiness_probe"),
    *("startup_probe", "request_settings", "app_insights_enabled", "description", "tags"),
)
_PROBE = ("initial_delay", "period", "timeout", "failure_threshold", "success_threshold")
_REQUESTS = ("request_timeout_ms", "max_concurrent_requests_per_instance", "max_queue_wait_ms")
_FUNCTIONS = ("init", "run")


@dataclass(frozen=True)
class Probe:
    """When a container counts as ready or alive, in seconds and tries; None is the service's default."""

    initial_delay: int | None = None
    period: int | None = None
    timeout: int | None = None
    failure_threshold: int | None = None
    success_threshold: int | None = None


@dataclass(frozen=True)
class RequestSettings:
    """How many requests an instance takes at once, and how long they may take; None is the service's default."""

    request_timeout_ms: int | None = None
    max_concurrent_requests_per_instance: int | None = None
    max_queue_wait_ms: int | None = None


@dataclass(frozen=True)
class DeploymentSpec:
    """What serves a model: a scoring script among its code, in an environment; without script, the service's own for MLflow.

    *name*, *endpoint_name* and *model* are what the file says for use with `az ml` alone: a stack gives its own.
    """

    instance_type: str = DEFAULT_INSTANCE_TYPE
    instance_count: int = 1
    code: Code = field(default_factory=Code)
    scoring_script: str = ""
    environment: EnvironmentSpec | None = None
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    request_settings: RequestSettings | None = None
    app_insights_enabled: bool = False
    name: str = ""
    endpoint_name: str = ""
    model: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Covers what decides an answer, apart from the model (64 hex): code, script, environment and its variables.

        Not on how many machines of what type it is given, nor probes, limits and descriptions.
        """
        return digest(
            {
                "format": FORMAT,
                "code": self.code.digest,
                "script": self.scoring_script,
                "environment": self.environment.digest if self.environment else "",
                "variables": self.environment_variables,
            }
        )

    @cached_property
    def settings_digest(self) -> str:
        """Covers what else a running deployment is asked to be, but for the number of its instances, which can be changed."""
        probes = (self.liveness_probe, self.readiness_probe, self.startup_probe, self.request_settings)
        return digest(
            {
                "instance": self.instance_type,
                "settings": [asdict(each) if each else None for each in probes],
                "insights": self.app_insights_enabled,
            }
        )

    def code_files(self) -> Mapping[str, bytes]:
        """The files that the scoring script is among, by their names in its folder."""
        return self.code.files


def read_deployment(name: str, root: Path) -> DeploymentSpec:
    """Read ``experiments/<name>/deployment.yml`` below *root*. Raises ExperimentInvalid, with the line, for what it cannot be."""
    folder = root / "experiments" / name
    found = read_yaml(folder / FILE, f"experiments/{name}/{FILE}").fields().only(_FIELDS)
    judge_schema(found, "managedOnlineDeployment")
    if kind := found.get("type"):
        kind.choice(("managed",))
    environment = found.get("environment")
    code, script = _code(found.get("code_configuration"), folder)
    if script and environment is None:
        found.need("environment", "azureml:<name>:<version>")
    insights = found.get("app_insights_enabled")
    return DeploymentSpec(
        instance_type=found.need("instance_type", DEFAULT_INSTANCE_TYPE).text(),
        instance_count=found.integer("instance_count", 1) or 1,
        code=code,
        scoring_script=script,
        environment=read_environment(environment, folder) if environment else None,
        environment_variables=found.texts("environment_variables"),
        liveness_probe=_probe(found, "liveness_probe"),
        readiness_probe=_probe(found, "readiness_probe"),
        startup_probe=_probe(found, "startup_probe"),
        request_settings=_requests(found.get("request_settings")),
        app_insights_enabled=insights.boolean() if insights else False,
        name=found.text("name"),
        endpoint_name=found.text("endpoint_name"),
        model=found.text("model"),
        description=found.text("description"),
        tags=found.texts("tags"),
    )


def _probe(fields: Fields, name: str) -> Probe | None:
    value = fields.get(name)
    if value is None:
        return None
    found = value.fields().only(_PROBE)
    return Probe(**{each: found.integer(each, 0 if each == "initial_delay" else 1) for each in _PROBE})


def _requests(value: Value | None) -> RequestSettings | None:
    if value is None:
        return None
    found = value.fields().only(_REQUESTS)
    return RequestSettings(
        **{each: found.integer(each, 0 if each == "max_queue_wait_ms" else 1) for each in _REQUESTS}
    )


def _code(value: Value | None, folder: Path) -> tuple[Code, str]:
    if value is None:
        return Code(), ""
    found = value.fields().only(("code", "scoring_script"))
    code = read_code(found.need("code", "src"), folder)
    script = found.need("scoring_script", "score.py")
    name = script.text().removeprefix("./")
    if name not in code.files:
        raise script.invalid(
            f"there is no {name} in the code folder", remedy="create the scoring script, or correct its path"
        )
    missing = [each for each in _FUNCTIONS if each not in _defined(code.files[name])]
    if missing:
        raise script.invalid(
            f"{name} has no function {' and '.join(missing)}",
            remedy="define init() and run(data) in the scoring script",
        )
    return code, name


def _defined(content: bytes) -> set[str]:
    """What a script defines when it is imported, as far as can be told without running it."""
    try:
        tree = parsed(content)
    except (SyntaxError, ValueError):
        # The environment's Python may be a newer one than ours.
        return set(re.findall(r"^(?:async\s+)?def\s+(\w+)", content.decode(errors="replace"), re.MULTILINE))
    return set(_names(tree))


def _names(node: ast.AST) -> Iterator[str]:
    for each in ast.iter_child_nodes(node):
        match each:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield each.name
            case ast.ImportFrom() if any(name.name == "*" for name in each.names):
                yield from _FUNCTIONS
            case ast.Import() | ast.ImportFrom():
                yield from (name.asname or name.name for name in each.names)
            case ast.Name(ctx=ast.Store()):
                yield each.id
            case _:
                yield from _names(each)
