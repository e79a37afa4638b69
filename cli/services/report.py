"""What a person wants to see of a stack after an update: where it answers, with what model, how well, and an answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from backend.values import SECRET_TEXT, UNKNOWN_TEXT
from clients.clock import SystemClock
from clients.credentials import resolve_target
from clients.errors import ConfigurationError
from clients.protocols import AZUREML, DEFAULT_ENDPOINT, Services
from clients.web_services import kind_of, web_services
from retrain_hooks.registry.run_key import key_of
from tasks import ROWS, measured_as

if TYPE_CHECKING:
    from rich.console import Console

_LABEL = "Scored Labels"
_PROBABILITY = "Scored Probabilities"


def after_up(outputs: Mapping[str, Any], console: Console) -> None:
    """Print what serves, what was judged where that is another run, and the sample scored by baseline and retrained.

    *outputs* are the stack's, secrets masked; of a program that exports no model there is nothing to say. Each line tells
    of one run. Where no experiment is among them, because its services were adopted, or it has no sample, none is scored. Raises
    RetrainError where an endpoint does not answer.
    """
    if "modelAddress" not in outputs:
        return
    lines = summary(outputs)
    told = _told(outputs, "experiment", "service", "target", "endpointName")
    if told and _sample(outputs["experiment"]).is_file():
        lines |= scored_sample(outputs)
    _print(lines, console)


def _print(lines: Mapping[str, str], console: Console) -> None:
    console.print()
    for title, text in lines.items():
        if text:
            console.print(f"[bold]{title:<13}[/bold] {escape(text)}", soft_wrap=True, highlight=False)


def summary(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The lines by their titles: of the run that serves, of the candidate where it is another, of one that waits."""
    address, key = outputs["modelAddress"], outputs.get("runKey")
    serving = _mapping(outputs.get("serving"), ("runKey", "dataVersion", "metrics"))
    asked = _mapping(outputs.get("asked"), ("runKey", "dataVersion"))
    wanted, by = asked.get("runKey"), asked.get("dataVersion")
    own = str(outputs.get("dataVersion") or "")
    # A pin names the run of another data version than is asked for, and so may equal bytes.
    another = wanted == key and own != by and not own.startswith(f"{by} (")
    version = own + (f" ({by} was asked for)" if another else "")
    model = address or "none that has passed the gate yet"
    lines = {
        "Endpoint": _execute(outputs.get("endpointUrl"), outputs.get("service")),
        "Model": model,
        "Run key": serving.get("runKey") or key_of(address),
        "Data version": serving.get("dataVersion") or "",
        "Metrics": _metrics(serving.get("metrics")),
    }
    if key and key == key_of(address):
        lines |= {
            "Data version": version,
            "Metrics": _metrics(outputs.get("metrics")),
            "Gate": _gate(outputs),
        }
    elif key and key != UNKNOWN_TEXT:
        lines |= {
            "Candidate": f"run {key[:12]} (data version {version}), not served",
            "  metrics": _metrics(outputs.get("metrics")),
            "Gate": _gate(outputs),
            "  next": _next(outputs),
        }
    if wanted and wanted != key:
        lines["Waits"] = f"run {wanted[:12]}, asked for by data version {by}, not judged yet"
    return lines


def _next(outputs: Mapping[str, Any]) -> str:
    """How the candidate gets served."""
    verdict = outputs.get("verdict")
    if verdict == "awaiting approval":
        return f"./dev approve {str(outputs.get('runKey'))[:12]}"
    if verdict == "held":
        return "declare other data, another experiment or another rule"
    return "the next update of the whole stack binds it, if its gate lets it through"


def scored_sample(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The experiment's sample row, and what baseline and retrained model say of it."""
    sample = sample_of(outputs["experiment"])
    services = _services(outputs)
    lines = {"Sample": ", ".join(f"{name} {value}" for name, value in sample.items())}
    for title, endpoint in _answering(outputs, "  baseline", "  retrained"):
        row = services.scoring(outputs["service"]["id"], endpoint).score([sample])[0]
        lines[title] = ", ".join(f"{name} {_round(row[name])}" for name in _shown(row))
    return lines


def _shown(row: Mapping[str, str]) -> list[str]:
    """Which columns of an answer are told: what was scored, or all where that has other names."""
    return [name for name in (_LABEL, _PROBABILITY) if name in row] or list(row)


def _gate(outputs: Mapping[str, Any]) -> str:
    """The verdict with its rules' numbers: those that failed, or all where none did."""
    rules = outputs.get("rules")
    if isinstance(rules, list):
        told = [_mapping(rule, ("reason", "passed")) for rule in rules]
        failed = [rule for rule in told if rule.get("passed") is False]
        rules = "; ".join(str(rule.get("reason")) for rule in failed or told)
    return f"{outputs.get('verdict', 'none')}: {rules or 'nothing was judged'}"


def _metrics(metrics: Any) -> str:
    """The usual metrics first; counts and the like are left to ``./dev output``."""
    if not isinstance(metrics, Mapping):
        return str(metrics or "")
    task = measured_as(set(metrics))
    usual = [one.name for one in task.metrics if one is not ROWS and one.name in metrics] if task else []
    listed = [(name, metrics[name]) for name in usual] or sorted(metrics.items())
    return ", ".join(f"{name} {_round(value)}" for name, value in listed)


def _mapping(value: Any, names: Iterable[str]) -> Mapping[str, Any]:
    """An output's parts; of a secret each that has one of the *names* is a secret."""
    if value == SECRET_TEXT:
        return dict.fromkeys(names, SECRET_TEXT)
    return value if isinstance(value, Mapping) else {}


def _told(outputs: Mapping[str, Any], *names: str) -> bool:
    """Whether the outputs of these *names* are there, and no secrets."""
    needed = [outputs.get(name) for name in names]
    return all(needed) and SECRET_TEXT not in str(needed)


def secret_outputs(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The endpoints' keys, fetched now. Raises RetrainError where the service does not give them, or is not told."""
    if not _told(outputs, "service", "target", "endpointName"):
        raise ConfigurationError(
            "the stack's outputs do not say which service to ask for its keys",
            "export service, target and endpointName, and not as secrets: they are names only",
        )
    services = _services(outputs)
    return {
        name: services.key(outputs["service"]["id"], endpoint)
        for name, endpoint in _answering(outputs, "baselineKey", "endpointKey")
    }


def _answering(outputs: Mapping[str, Any], *called: str) -> list[tuple[str, str]]:
    """The endpoints that there are, the default one and the gate's, each as it is *called*."""
    baseline, live = called
    found = [(live, outputs["endpointName"])] if outputs.get("endpointUrl") else []
    if kind_of(outputs["service"]) == AZUREML:  # it has no endpoint of its own
        return found
    return [(baseline, DEFAULT_ENDPOINT), *found]


def _execute(url: str | None, service: Any) -> str:
    if not url or url in (SECRET_TEXT, UNKNOWN_TEXT):
        return url or "not made before a model has passed the gate"
    if isinstance(service, Mapping) and kind_of(service) == AZUREML:
        return url
    return f"{url}/execute?api-version=2.0"


def _services(outputs: Mapping[str, Any]) -> Services:
    return web_services(resolve_target(outputs["target"]), outputs["service"], SystemClock())


def sample_of(experiment: str) -> dict[str, Any]:
    """The one row of ``experiments/<experiment>/sample.json``. Raises ConfigurationError where there is none."""
    path = _sample(experiment)
    try:
        row: dict[str, Any] = next(iter(json.loads(path.read_text(encoding="utf-8")).values()))
    except (OSError, ValueError, AttributeError, StopIteration):
        raise ConfigurationError(
            f"{path} cannot be read", 'write one row to score into it: {"input1": {"column": value}}'
        ) from None
    return row


def _sample(experiment: str) -> Path:
    return Path("experiments") / experiment / "sample.json"


def _round(value: Any) -> str:
    try:
        return f"{float(value):.3f}".rstrip("0").rstrip(".")
    except ValueError:
        return str(value)
