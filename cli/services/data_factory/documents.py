"""Data Factory's JSON, as its documents print it and its exports hold it: version 1, version 2, ARM templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.errors import CliError

Json = dict[str, Any]
PIPELINE, LINKED, DATASET, TRIGGER = "pipeline", "linked service", "dataset", "trigger"
_KINDS = {
    "pipelines": PIPELINE,
    "datapipelines": PIPELINE,
    "linkedservices": LINKED,
    "datasets": DATASET,
    "triggers": TRIGGER,
}
_MOST = 10_000_000
_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(rf"{_STRING}|(?P<gone>//[^\n]*|/\*.*?\*/)", re.DOTALL)
_COMMA = re.compile(rf"{_STRING}|(?P<gone>,)(?=\s*(?:[}}\]]|\Z))")
_REFERENCE = re.compile(r"\[\s*(?P<where>parameters|variables)\(\s*'(?P<name>[^']+)'\s*\)\s*\]")
_LAST_NAME = re.compile(r"'/?([^'/]+)'\s*\)\s*\]$")


@dataclass(frozen=True)
class Document:
    """One resource of a factory."""

    kind: str
    name: str
    properties: Json
    file: str


@dataclass
class Factory:
    """All that the files hold, by name without its case, as Data Factory has it; and what was mended in reading."""

    found: dict[tuple[str, str], Document] = field(default_factory=dict)
    mended: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Document]:
        """All of a kind."""
        return [one for (each, _), one in self.found.items() if each == kind]

    def find(self, kind: str, name: str) -> Document | None:
        """One by its name."""
        return self.found.get((kind, name.casefold()))


def read(paths: Sequence[Path]) -> Factory:
    """All files, and the JSON files in folders. Raises CliError with file and line for what is not JSON or no resource."""
    factory = Factory()
    for path in _files(paths):
        for document in _documents(_load(path, factory.mended), path.name):
            factory.found.setdefault((document.kind, document.name.casefold()), document)
    return factory


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        found = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        if not found:
            raise CliError(
                f"{path} holds no JSON file", "give the factory's files, or the folder they are in"
            )
        yield from found


def _load(path: Path, mended: list[str]) -> Any:
    import json

    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}", "give a file of the factory") from None
    except UnicodeDecodeError:
        raise CliError(f"{path} is not text in UTF-8", "save it as JSON in UTF-8") from None
    if len(content) > _MOST:
        raise CliError(
            f"{path} has more than 10 MB", "give the pipeline and what it needs, not the whole export"
        )
    for what, pattern in (("a comment", _COMMENT), ("a comma before the end", _COMMA)):
        lines = [
            text.count("\n", 0, one.start()) + 1 for one in pattern.finditer(text) if one["gone"] is not None
        ]
        mended += [f"{path.name}, line {line}: {what}, which is no JSON, was passed over" for line in lines]
        text = pattern.sub(_blank, text)
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        line = text.count("\n", 0, len(text[: error.pos].rstrip())) + 1
        why = error.msg[0].lower() + error.msg[1:]
        raise CliError(f"{path.name}, line {line}: not JSON: {why}", "mend the file at this line") from None
    except RecursionError:
        raise CliError(f"{path.name} is nested too deep", "give a file of the factory") from None


def _blank(found: re.Match[str]) -> str:
    """What goes, as white space: lines keep their numbers."""
    return found[0] if found["gone"] is None else re.sub(r"[^\n]", " ", found[0])


def _documents(content: Any, file: str) -> Iterator[Document]:
    if isinstance(content, list):
        for one in content:
            yield from _documents(one, file)
        return
    if not isinstance(content, dict):
        raise CliError(f"{file} holds no resource of a factory", "give a pipeline, linked service or dataset")
    if isinstance(content.get("resources"), list) and "properties" not in content:
        yield from _template(content, content["resources"], file)
        return
    name = content.get("name")
    properties = content.get("properties")
    if not isinstance(properties, dict):
        # A single activity, or a pipeline without its frame, as pages and editors show them.
        activity = isinstance(content.get("typeProperties"), dict) and "type" in content
        properties = {"activities": [content]} if activity else content
    kind = _kind(str(content.get("type", "")), properties)
    if kind is None:
        raise CliError(
            f"{file} holds no resource of a factory",
            "give a pipeline, linked service or dataset, with its `name` and `properties`",
        )
    yield Document(kind, str(name or Path(file).stem), properties, file)


def _kind(type_: str, properties: Json) -> str | None:
    known = _KINDS.get(type_.rpartition("/")[2].casefold())
    if known:
        return known
    inner = str(properties.get("type", ""))
    if isinstance(properties.get("activities"), list):
        return PIPELINE
    if inner.endswith("Trigger"):
        return TRIGGER
    if "linkedServiceName" in properties:
        return DATASET
    return LINKED if inner else None


def _template(template: Json, resources: list[Any], file: str) -> Iterator[Document]:
    """The factory's resources in an ARM template, those below a factory (version 1) as well."""
    for resource in resources:
        if not isinstance(resource, dict):
            continue
        kind = _KINDS.get(str(resource.get("type", "")).rpartition("/")[2].casefold())
        properties = _resolved(resource.get("properties"), template)
        if kind and isinstance(properties, dict):
            yield Document(kind, _name(resource.get("name"), template), properties, file)
        if isinstance(resource.get("resources"), list):
            yield from _template(template, resource["resources"], file)


def _name(name: Any, template: Json) -> str:
    """``[concat(parameters('factoryName'), '/retrain')]`` → retrain."""
    found = _resolved(name, template)
    text = str(found["value"] if isinstance(found, dict) and "value" in found else found)
    last = _LAST_NAME.search(text)
    return last[1] if last else text.rpartition("/")[2]


def _resolved(value: Any, template: Json, depth: int = 0) -> Any:
    """*value* with the template's own parameters and variables; what else it computes is an expression."""
    if isinstance(value, dict):
        return {name: _resolved(one, template, depth) for name, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, template, depth) for one in value]
    if not isinstance(value, str) or not (value.startswith("[") and value.endswith("]")):
        return value
    if value.startswith("[["):
        return value[1:]
    expression = {"type": "Expression", "value": value}
    found = _REFERENCE.fullmatch(value)
    declared = template.get(found["where"]) if found else None
    if found is None or not isinstance(declared, dict) or found["name"] not in declared or depth > 5:
        return expression
    own = declared[found["name"]]
    if found["where"] == "parameters":
        if not isinstance(own, dict):
            return expression
        if str(own.get("type", "")).casefold() in ("securestring", "secureobject"):
            return {"type": "SecureString", "value": str(own.get("defaultValue", ""))}
        if "defaultValue" not in own or own["defaultValue"] == "":
            return expression
        own = own["defaultValue"]
    return _resolved(own, template, depth + 1)
