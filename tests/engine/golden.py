"""What the real CLI did, on record: one readable file a scenario, written by `pytest --record` where the CLI is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.engine.scenarios import Scenario

FOLDER = Path(__file__).with_name("golden")


def path_of(scenario: Scenario) -> Path:
    """A scenario's file."""
    name = re.sub(r"[^a-z0-9]+", "-", scenario.name.lower()).strip("-")
    return FOLDER / f"{name}.json"


def read(scenario: Scenario) -> dict[str, Any]:
    """What is on record of a scenario: `cli` (its version), `runs`."""
    return dict(json.loads(path_of(scenario).read_text()))


def write(scenario: Scenario, version: str, runs: dict[str, Any]) -> None:
    """Keep it, a line for each call, step and resource."""
    FOLDER.mkdir(exist_ok=True)
    record = {"scenario": scenario.name, "cli": version, "runs": runs}
    path_of(scenario).write_text(text(record, depth=4) + "\n")


def text(value: Any, depth: int, indent: int = 0) -> str:
    """JSON whose outer levels are broken into lines."""
    inner = "  " * (indent + 1)
    if depth and isinstance(value, dict) and value:
        items = [f"{inner}{json.dumps(k)}: {text(v, depth - 1, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + "  " * indent + "}"
    if depth and isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + text(v, 0) for v in value) + "\n" + "  " * indent + "]"
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
