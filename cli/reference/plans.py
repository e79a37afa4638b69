"""The JSON Schema of a plan, as `--json` has it: closed, so that what reads a plan sees when there is more in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plans.plan import FORMAT
from plans.stage import kind_of, kinds
from plans.steps import UNKNOWN

_TEXT, _COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
_TEXTS = {"type": "array", "items": _TEXT}
_NUMBER = {"type": "number"}
_PROBABILITY = {"type": ["number", "null"], "minimum": 0, "maximum": 1}


def plan(draft: str) -> dict[str, Any]:
    """The schema, of a *draft* of JSON Schema."""
    plain = {
        "type": "object",
        "properties": {"kind": {"not": {"enum": kinds()}}, "facts": {"maxProperties": 0}},
    }
    return {
        "$schema": draft,
        "title": "What an update of a stack is going to do, or has done",
        **_closed(
            {
                "format": {"const": FORMAT, "description": "Of this form; another form has another number"},
                "stack": _TEXT | {"description": "The stack"},
                "done": {"type": "boolean", "description": "Whether it was carried out"},
                "unchanged": _COUNT | {"description": "How many resources stay as they are"},
                "drifted": _TEXTS | {"description": "Resources that others have changed"},
                "stages": {"type": "array", "items": {"$ref": "#/definitions/stage"}},
                "forecasts": {
                    "type": "object",
                    "description": "By the urn of the stage that it is about",
                    "additionalProperties": {"$ref": "#/definitions/forecast"},
                },
            }
        ),
        "definitions": {
            "stage": _closed(
                {
                    "operation": _TEXT
                    | {"description": "create, update, delete, replace, adopt, leave and so on"},
                    "urn": _TEXT | {"description": "Pulumi's name of the resource"},
                    "name": _TEXT | {"description": "The name that the program gives it"},
                    "kind": _TEXT
                    | {"description": "The resource's type, or the package of one that is not ours"},
                    "facts": {"type": "object"},
                    "unknown": _TEXTS | {"description": "The facts that only the update finds out"},
                    "promised": {
                        "type": "object",
                        "description": "What providers are held to: the engine's operation under an empty name, and "
                        "SHA-256 of what it is given, by property",
                        "additionalProperties": {"type": "string", "pattern": "^([0-9a-f]{64}|[a-z-]+)$"},
                    },
                }
            )
            | {"oneOf": [plain, *({"$ref": f"#/definitions/{name}"} for name in kinds())]},
            **{name: _kind(name) for name in kinds()},
            "forecast": _closed(
                {
                    "seconds": {"anyOf": [{"$ref": "#/definitions/interval"}, {"type": "null"}]},
                    "metrics": {
                        "type": "object",
                        "additionalProperties": {"$ref": "#/definitions/interval"},
                    },
                    "chance": _PROBABILITY
                    | {"description": "That the gate lets it through; null: not known"},
                    "runs": _COUNT | {"description": "By how many runs before it"},
                }
            ),
            "interval": _closed({"low": _NUMBER, "middle": _NUMBER, "high": _NUMBER, "runs": _COUNT})
            | {"description": "What nine of ten runs lie within"},
        },
    }


def _kind(name: str) -> dict[str, Any]:
    facts = {fact: _or_unknown(schema) for fact, schema in kind_of(name).FACTS.items()}
    closed = {"type": "object", "additionalProperties": False, "properties": facts}
    return {"type": "object", "properties": {"kind": {"const": name}, "facts": closed}}


def _or_unknown(schema: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in schema.items() if name != "description"}
    return {"description": schema["description"], "anyOf": [told, {"const": UNKNOWN}]}


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": dict(properties),
    }
