"""Files that list the members of a fleet: CSV or JSON, in the project's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clients.errors import ConfigurationError
from clients.names import likeliest, shown
from retrain_hooks.fleet.members.declared import GATE_KEYS, KEYS
from tables import Form, TableError, read

_MOST_BYTES = 64 * 2**20
_PLAIN = tuple(key for key in KEYS if key not in ("gate", "parameters"))
_GATE, _PARAMETER = "gate.", "parameters."
_COLUMNS = (*_PLAIN, *(_GATE + key for key in GATE_KEYS))
_WHERE = "give the path of a file in the project's folder"


def listed_in(file: str) -> list[Any]:
    """What *file* lists: an object or a name for each member. Raises ConfigurationError for what is no such list."""
    try:
        with Path(file).open("rb") as content:
            data = content.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {file}", _WHERE) from None
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}", "let it be read, or " + _WHERE
        ) from None
    if len(data) > _MOST_BYTES:
        raise ConfigurationError(
            f"{file} has more than {_MOST_BYTES // 2**20} MB", "list the members alone in it"
        )
    return _json(data, file) if file.lower().endswith(".json") else _csv(data, file)


def _json(data: bytes, file: str) -> list[Any]:
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{file}: line {error.lineno} is not JSON: {error.msg}", f"correct line {error.lineno} of {file}"
        ) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(
            f"{file} is not JSON ({type(error).__name__})", f"write {file} in UTF-8, as a list"
        ) from None
    if not isinstance(found, list):
        raise ConfigurationError(
            f"{file} holds no list", 'write a list of members: [{"name": "LAX"}, {"name": "SFO"}]'
        )
    return found


def _csv(data: bytes, file: str) -> list[Any]:
    try:
        table = read(data, file, form=Form(delimiter="\t" if file.lower().endswith(".tsv") else ","))
        for column in table.columns:
            if column not in _COLUMNS and not (column.startswith(_PARAMETER) and column != _PARAMETER):
                meant = likeliest(column, (*_COLUMNS, _PARAMETER + "<name>"))
                raise ConfigurationError(
                    f"{file} has a column {shown(column)!r}, which says nothing of a member",
                    f"call it {meant}, or leave it out",
                )
        return [_entry(dict(zip(table.columns, cells, strict=True))) for _line, cells in table.rows()]
    except TableError as error:
        raise ConfigurationError(error.cause, error.remedy) from None


def _entry(row: Mapping[str, str]) -> dict[str, Any]:
    """A row as a list in the program would have it; an empty value is not given."""
    given = {column: value.strip() for column, value in row.items() if value.strip()}
    entry: dict[str, Any] = {key: value for key, value in given.items() if key in _PLAIN}
    entry.setdefault("name", "")
    gate: dict[str, Any] = {
        key.removeprefix(_GATE): value for key, value in given.items() if key.startswith(_GATE)
    }
    if "rules" in gate:
        gate["rules"] = [rule.strip() for rule in gate["rules"].split(";") if rule.strip()]
    gate |= {key: value == "true" for key, value in gate.items() if value in ("true", "false")}
    parameters = {
        key.removeprefix(_PARAMETER): value for key, value in given.items() if key.startswith(_PARAMETER)
    }
    return entry | ({"gate": gate} if gate else {}) | ({"parameters": parameters} if parameters else {})
