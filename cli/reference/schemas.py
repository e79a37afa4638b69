"""JSON Schemas, schemas/: of the files that people write, by which editors complete and mark them, and of plans.

``python -m cli.reference.schemas`` writes them; a test says when they are out of date. They follow draft 7, which editors
read. A schema sees one file: what takes the graph as a whole, such as ports and columns, is for `./dev experiment check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cli.authoring.files import as_json_text
from cli.project import ROOT
from cli.reference import plans
from graph.columns import ColumnSelection
from graph.data.declared import MOST_MARKS
from graph.definition import INPUT_KEYS
from graph.modules import find, names, says, slug
from graph.spec import GLOBAL_TYPES, REQUIRED, Module, Parameter
from graph.steps import TYPES

FOLDER = ROOT / "schemas"
EXPERIMENT, STACK, PLAN = "experiment.json", "stack.json", "plan.schema.json"
_DRAFT = "http://json-schema.org/draft-07/schema#"
_WHOLE = r"^\s*[+-]?[0-9]{1,20}\s*$"
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
_COLUMNS = {
    "description": "Names of columns.",
    "anyOf": [
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "string", "pattern": r"[^\s,]"},
        {
            "type": "object",
            "required": ["rules"],
            "properties": {
                "rules": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["ruleType"],
                        "properties": {
                            "ruleType": {"enum": ["AllColumns", "ColumnNames"]},
                            "columns": {"type": "array", "items": {"type": "string"}},
                            "exclude": {"type": "boolean"},
                        },
                    },
                }
            },
        },
    ],
}
_WIDTH = 400
_NAME = {"type": "string", "minLength": 1}
_END = {"type": "string", "pattern": r"^[^.]+(\..+)?$", "description": "node, or node.port"}


def schemas() -> dict[str, str]:
    """The text of each schema, by its file's name."""
    made = {EXPERIMENT: experiment(), STACK: stack(), PLAN: plans.plan(_DRAFT)}
    return {name: as_json_text(schema, _WIDTH) for name, schema in made.items()}


def experiment() -> dict[str, Any]:
    """The schema of training.json and predictive.json."""
    modules = [module for name in names() if (module := find(name)) is not None]
    kinds = [{"if": {"required": [kind]}, "then": _node(kind, modules)} for kind in INPUT_KEYS]
    return {
        "$schema": _DRAFT,
        "title": "An experiment graph",
        "type": "object",
        "required": ["name", "nodes", "edges"],
        "additionalProperties": False,
        "properties": {
            "$schema": {"type": "string"},
            "name": {"type": "string", "pattern": r"\S"},
            "description": {"type": "string"},
            "nodes": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": r"^[^.]+$"},
                "additionalProperties": {
                    "type": "object",
                    "oneOf": [{"required": [kind]} for kind in INPUT_KEYS],
                    "allOf": kinds,
                },
            },
            "edges": {
                "type": "array",
                "minItems": 1,
                "items": _closed({"from": _END, "to": _END}, ["from", "to"]),
            },
            "parameters": {
                "description": "Web service parameters by name.",
                "type": "object",
                "additionalProperties": _global_parameter(),
            },
        },
        "definitions": {"columns": _COLUMNS} | {slug(one.name): _parameters(one) for one in modules},
    }


def stack() -> dict[str, Any]:
    """The schema of Pulumi.<stack>.yaml: the project's configuration, as Pulumi.yaml declares it."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    own, declared = project["name"], project["config"]
    rules = dict(_judged())
    keys = {f"{own}:{key}": _setting(said, rules.get(key, {})) for key, said in declared.items()}
    known = "|".join(re.escape(key) for key in declared)
    return {
        "$schema": _DRAFT,
        "title": "The configuration of a stack",
        "type": "object",
        "properties": {
            "config": {
                "type": ["object", "null"],
                "properties": keys,
                "propertyNames": {"pattern": f"^(?!{own}:)|^{own}:(config:)?({known})$"},
            }
        },
    }


def _closed(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    """An object that has no other members."""
    return {
        "type": "object",
        "required": required,
        "additionalProperties": False,
        "properties": dict(properties),
    }


def _node(kind: str, modules: list[Module]) -> dict[str, Any]:
    if kind == "input":
        columns = {"type": "object", "additionalProperties": {"enum": list(TYPES)}}
        marks = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_MARKS}
        return _closed({"input": _NAME, "types": columns, "missing": marks}, [])
    if kind != "module":
        return _closed({kind: _NAME}, [])
    choices = [{"const": module.name, "description": says(module).partition("\n\n")[0]} for module in modules]
    cases = [
        {
            "if": {"properties": {"module": {"const": module.name}}},
            "then": {"properties": {"parameters": {"$ref": f"#/definitions/{slug(module.name)}"}}},
        }
        for module in modules
    ]
    return _closed({"module": {"oneOf": choices}, "parameters": {"type": "object"}}, []) | {"allOf": cases}


def _parameters(module: Module) -> dict[str, Any]:
    return _closed({each.name: _parameter(each) for each in module.parameters}, [])


def _parameter(parameter: Parameter) -> dict[str, Any]:
    """What a module's parameter takes: its own type, or text that is read as that."""
    if parameter.type == "ColumnPicker":
        default = parameter.default
        written = {"default": default.written} if isinstance(default, ColumnSelection) else {}
        return {"$ref": "#/definitions/columns"} if not written else {"allOf": [_ref("columns")], **written}
    said: dict[str, Any] = {
        "description": parameter.range + ("; must be given" if parameter.default is REQUIRED else "")
    }
    if parameter.default not in (REQUIRED, None):
        given = parameter.default
        said["default"] = parameter.text(given) if isinstance(given, tuple) else given
    return said | _values(parameter)


def _values(parameter: Parameter) -> dict[str, Any]:
    match parameter.type:
        case "Int" | "Float":
            return _number(parameter) | {"pattern": _WHOLE if parameter.type == "Int" else _NUMBER}
        case "Boolean":
            return {"type": ["boolean", "string"], "pattern": _any_case(("true", "false"))}
        case "Enumerated":
            choices = parameter.allowed
            return {"anyOf": [{"enum": list(choices)}, {"type": "string", "pattern": _any_case(choices)}]}
        case "IntRange" | "FloatRange":
            one = _number(parameter)
            return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
        case _:
            return {"type": ["string", "number", "boolean"]}


def _number(parameter: Parameter) -> dict[str, Any]:
    """A number in its bounds, or text: what this says is not judged."""
    kind = "integer" if parameter.type.startswith("Int") else "number"
    ends = {
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "exclusiveMinimum": parameter.above,
    }
    return {"type": [kind, "string"], **{name: end for name, end in ends.items() if end is not None}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/definitions/{name}"}


def _any_case(choices: tuple[str, ...]) -> str:
    """A pattern of these words, in whatever case."""
    words = (
        "".join(f"[{c.upper()}{c.lower()}]" if c.isascii() and c.isalpha() else re.escape(c) for c in choice)
        for choice in choices
    )
    return rf"^\s*({'|'.join(words)})\s*$"


def _global_parameter() -> dict[str, Any]:
    links = {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["node", "parameter"],
            "properties": {"node": _NAME, "parameter": _NAME},
        },
    }
    return _closed(
        {
            "type": {"enum": list(GLOBAL_TYPES)},
            "default": {"type": ["string", "null"]},
            "description": {"type": "string"},
            "links": links,
        },
        ["type", "links"],
    )


def _judged() -> Iterator[tuple[str, dict[str, Any]]]:
    """What resources ask of settings, by their keys: choices, bounds and forms."""
    from cli.stacks.values import FORMS, inputs_with_settings
    from clients.protocols import KINDS
    from retrain_hooks.triggers.declared import POLICIES

    yield "kind", {"enum": list(KINDS)}
    yield "watchPolicy", {"enum": list(POLICIES)}
    for key, form in FORMS.items():
        yield key, {"pattern": f"^({form.pattern})$"}
    for inputs in inputs_with_settings():
        for row in inputs.table():
            rules = row.rules
            if rules.called and rules.called != "kind":
                bounds = {"minimum": rules.least, "maximum": rules.most}
                found = {name: end for name, end in bounds.items() if end is not None}
                yield rules.called, found | ({"enum": list(rules.choices)} if rules.choices else {})


def _setting(said: Mapping[str, Any], rules: Mapping[str, Any]) -> dict[str, Any]:
    """One key. A stack's file may have any plain value where a text is asked for."""
    schema = {"description": said["description"], "default": said.get("default"), **rules}
    if "enum" in rules and said.get("default") == "":
        schema["enum"] = ["", *rules["enum"]]
    match said["type"]:
        case "integer":
            return schema | {"type": ["integer", "string"], "pattern": r"^\s*[+-]?[0-9]+\s*$"}
        case "boolean":
            return schema | {"enum": [True, False, "true", "false"]}
        case "string":
            return schema if "enum" in schema else schema | {"type": ["string", "number", "boolean"]}
        case "array" if items := {end: schema.pop(end) for end in ("minimum", "maximum") if end in schema}:
            return schema | {"type": "array", "items": items}
        case kind:
            return schema | {"type": kind}


def write() -> None:
    """Write the schemas."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
