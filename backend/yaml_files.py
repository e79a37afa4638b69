"""Pulumi.yaml and Pulumi.<stack>.yaml, read as the CLI reads them (its YAML is version 1.2, of Go's yaml.v3).

A configuration value that is one plain scalar is a text: ``20220113.10``, ``2013_01``, ``010``, ``12:30``, ``0x1F`` and
``yes`` stay what they are. Within lists and objects numbers and truth values are read, and nothing else.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import yaml

from backend.errors import ProjectError

_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"


class _Loader(yaml.SafeLoader):
    """YAML 1.2: `yes` is a text, `12:30` and dates are, too, and `1e3` is a number."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]  # the stubs have it of instances


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (
        "int",
        r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)",
        list("-+0123456789"),
    ),
    (
        "float",
        r"[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+0123456789."),
    ),
    ("merge", "<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


def read(path: Path) -> dict[str, Any]:
    """The mapping in such a file.

    Raises:
        ProjectError: there is no such file, or none that can be read.
    """
    try:
        data = load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProjectError(
            f"there is no {path.name} in {path.parent}", "run it in a project's folder"
        ) from error
    except (OSError, yaml.YAMLError) as error:
        line = str(error).splitlines()[-1].strip()
        raise ProjectError(f"{path.name} can't be read: {line}", "correct it") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ProjectError(f"{path.name} is not a mapping", "correct it")
    return data


def load(text: str) -> Any:
    """The content of such a file. Raises yaml.YAMLError."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        for _key, value in _members(_member(root, "config")):
            _as_text(value)
            for name, declared in _members(value):
                if name in ("default", "value"):  # of a declaration in Pulumi.yaml
                    kind = _member(value, "type")
                    if kind is None or kind.value == "string":
                        _as_text(declared)
        return None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()


def _members(node: Any) -> list[tuple[str, Any]]:
    """The keys and values of a mapping; none of another node."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(str(key.value), value) for key, value in node.value]


def _member(node: Any, name: str) -> Any:
    return next((value for key, value in _members(node) if key == name), None)


def _as_text(node: Any) -> None:
    if isinstance(node, yaml.ScalarNode) and node.tag != _NULL:
        node.tag = _TEXT
