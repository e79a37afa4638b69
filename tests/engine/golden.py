"""What the real CLI did, on record: one readable file a scenario, written by `pytest --record` where the CLI is.

Of a resource in a state the record has what differs, by path: from what the resource was before; of a new one, from the
plainest resource with its URN and inputs. `gone` lists the paths that are no longer there.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.engine.comparable import URN
from tests.engine.scenarios import Scenario

FOLDER = Path(__file__).with_name("golden")


def path_of(scenario: Scenario) -> Path:
    """A scenario's file."""
    name = re.sub(r"[^a-z0-9]+", "-", scenario.name.lower()).strip("-")
    return FOLDER / f"{name}.json"


def read(scenario: Scenario) -> dict[str, Any]:
    """What is on record of a scenario: `cli` (its version), `runs` with whole resources."""
    record = dict(json.loads(path_of(scenario).read_text()))
    return record | {"runs": whole(record["runs"])}


def write(scenario: Scenario, version: str, runs: dict[str, Any]) -> None:
    """Keep it, a line for each call, step and resource."""
    FOLDER.mkdir(exist_ok=True)
    record = {"scenario": scenario.name, "cli": version, "runs": short(runs)}
    path_of(scenario).write_text(text(record, depth=4) + "\n")


def short(runs: dict[str, Any]) -> dict[str, Any]:
    """The runs, with what differs of each resource in their states."""
    return through(runs, lambda urn, before, now: (differing(urn, before, now), now))


def whole(runs: dict[str, Any]) -> dict[str, Any]:
    """The runs that `short` made short."""
    return through(runs, lambda urn, before, told: (rebuilt(urn, before, told),) * 2)


def through(runs: dict[str, Any], entry: Callable[[str, Any, Any], tuple[Any, Any]]) -> dict[str, Any]:
    """The runs, their states made of what *entry* says of each resource: how it is written, and what it is."""
    kept: dict[str, Any] = {}
    found = {}
    for name, run in runs.items():
        made = {urn: entry(urn, before(kept, urn), now) for urn, now in run.get("state", {}).items()}
        kept |= {urn: each[1] for urn, each in made.items()}
        state = {"state": {urn: each[0] for urn, each in made.items()}} if "state" in run else {}
        found[name] = run | state
    return found


def before(kept: dict[str, Any], urn: str) -> Any:
    """What a resource was; one that is to be deleted was the one of its URN."""
    return kept.get(urn) or kept.get(urn.removesuffix(" (delete)"))


def differing(urn: str, old: Any, now: Any) -> Any:
    """What differs of a resource; what is no resource stays as it is."""
    if "::" not in urn or now is None:
        return now
    told = {"inputs": now["inputs"]} if not old and "inputs" in now else {}
    gone: list[str] = []

    def compare(was: dict[str, Any], new: dict[str, Any], path: str) -> None:
        gone.extend(path + escaped(key) for key in was.keys() - new.keys())
        for key, value in new.items():
            if isinstance(value, dict) and isinstance(was.get(key), dict):
                compare(was[key], value, f"{path}{escaped(key)}/")
            elif key not in was or json.dumps(was[key]) != json.dumps(value):
                told[path + escaped(key)] = value

    compare(old or plainest(urn, told), now, "")
    return told | ({"gone": sorted(gone)} if gone else {})


def rebuilt(urn: str, old: Any, told: Any) -> Any:
    """The resource of which *told* says what differs."""
    if "::" not in urn or told is None:
        return told
    now = copy.deepcopy(old or plainest(urn, told))
    for path in told.get("gone", []):
        holder, key = place(now, path)
        del holder[key]
    for path, value in told.items():
        if path != "gone":
            holder, key = place(now, path)
            holder[key] = value
    return now


def plainest(urn: str, told: dict[str, Any]) -> dict[str, Any]:
    """A component, or a custom resource of a default provider, or a provider, with the inputs it is *told* of."""
    kind = urn.removesuffix(" (delete)").split("::")[0].split("$")[-1]
    found = {"custom": False, "dependencies": [], "propertyDependencies": {}, "type": kind}
    if not kind.startswith("pulumi:"):
        found["parent"] = f"{URN}pulumi:pulumi:Stack::demo-dev"
    if "inputs" in told:
        found |= {"custom": True, "inputs": told["inputs"], "outputs": told["inputs"]}
        if not kind.startswith("pulumi:"):
            found["propertyDependencies"] = {key: [] for key in told["inputs"]}
            found["provider"] = f"{URN}pulumi:providers:{kind.split(':')[0]}::default::UUID"
    return copy.deepcopy(found)


def escaped(key: str) -> str:
    """A key as in a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def place(value: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The object that holds what is at a path, and its key there."""
    *outer, key = (part.replace("~1", "/").replace("~0", "~") for part in path.split("/"))
    for part in outer:
        value = value[part]
    return value, key


def text(value: Any, depth: int, indent: int = 0) -> str:
    """JSON whose outer levels are broken into lines."""
    inner = "  " * (indent + 1)
    if depth and isinstance(value, dict) and value:
        items = [f"{inner}{json.dumps(k)}: {text(v, depth - 1, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + "  " * indent + "}"
    if depth and isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + text(v, 0) for v in value) + "\n" + "  " * indent + "]"
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
