"""What a person wants to see of a stack after an update: where it answers, with what model, how well, and an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clients.clock import SystemClock
from clients.credentials import resolve
from clients.errors import ConfigurationError
from clients.protocols import DEFAULT_ENDPOINT, Services
from clients.web_services import web_services

if TYPE_CHECKING:
    from rich.console import Console

_LABEL = "Scored Labels"
_PROBABILITY = "Scored Probabilities"
_HEADLINE = ("auc", "accuracy", "precision", "recall", "f1", "log_loss")


def after_up(outputs: Mapping[str, Any], console: Console) -> None:
    """Print the endpoint's URL, the model's address, its metrics, and the sample scored by baseline and retrained.

    *outputs* are the stack's; where no experiment is among them, because its services were adopted, there is no sample to
    score. Raises RetrainError where an endpoint does not answer.
    """
    lines = {
        "Endpoint": f"{outputs['endpointUrl']}/execute?api-version=2.0",
        "Model": outputs["modelAddress"],
        "Data version": outputs["dataVersion"],
        "Gate": _gate(outputs),
        "Metrics": ", ".join(f"{name} {_round(value)}" for name, value in _headline(outputs["metrics"])),
    }
    if outputs.get("experiment"):
        lines |= _scored_sample(outputs)
    console.print()
    for title, text in lines.items():
        if text:
            console.print(f"[bold]{title:<13}[/bold] {text}", soft_wrap=True, highlight=False)


def _scored_sample(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The experiment's sample row, and what baseline and retrained model say of it."""
    sample = sample_of(outputs["experiment"])
    services = _services(outputs)
    lines = {"Sample": ", ".join(f"{name} {value}" for name, value in sample.items())}
    for title, endpoint in (("  baseline", DEFAULT_ENDPOINT), ("  retrained", outputs["endpointName"])):
        row = services.scoring(outputs["service"]["id"], endpoint).score([sample])[0]
        lines[title] = f"{_LABEL} {row[_LABEL]}, {_PROBABILITY} {_round(row[_PROBABILITY])}"
    return lines


def _gate(outputs: Mapping[str, Any]) -> str:
    """The verdict with its rules' numbers: those that failed, or all where none did."""
    rules = outputs.get("rules") or []
    told = [rule["reason"] for rule in rules if not rule["passed"]] or [rule["reason"] for rule in rules]
    return f"{outputs.get('verdict', 'none')}: {'; '.join(told) or 'nothing was judged'}"


def _headline(metrics: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The usual metrics first; counts and the like are left to ``./dev output``."""
    return [(name, metrics[name]) for name in _HEADLINE if name in metrics] or sorted(metrics.items())


def secret_outputs(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The endpoints' keys, fetched now. Raises RetrainError where the service does not give them."""
    services = _services(outputs)
    return {
        name: services.key(outputs["service"]["id"], endpoint)
        for name, endpoint in (("baselineKey", DEFAULT_ENDPOINT), ("endpointKey", outputs["endpointName"]))
    }


def _services(outputs: Mapping[str, Any]) -> Services:
    return web_services(resolve(outputs["target"]), outputs["service"], SystemClock())


def sample_of(experiment: str) -> dict[str, Any]:
    """The one row of ``experiments/<experiment>/sample.json``. Raises ConfigurationError where there is none."""
    path = Path("experiments") / experiment / "sample.json"
    try:
        row: dict[str, Any] = next(iter(json.loads(path.read_text(encoding="utf-8")).values()))
    except (OSError, ValueError, AttributeError, StopIteration):
        raise ConfigurationError(
            f"{path} cannot be read", 'write one row to score into it: {"input1": {"column": value}}'
        ) from None
    return row


def _round(value: Any) -> str:
    try:
        return f"{float(value):.3f}".rstrip("0").rstrip(".")
    except ValueError:
        return str(value)
