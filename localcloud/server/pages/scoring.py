"""A row sent to an endpoint of this local cloud, as a client sends it, without a socket: faults and journal are met as always."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp

from pages.facts import Problem

_LABELS = "Scored Labels"


@dataclass(frozen=True)
class Call:
    """A POST of *body* to *path*, with a *key*."""

    path: str
    key: str
    body: Mapping[str, Any]
    online: bool = False


def classic(path: str, key: str, inputs: Sequence[str], row: Mapping[str, Any]) -> Call:
    """The row for an endpoint of Studio's, as a table of texts."""
    values = [None if cell is None else str(cell) for cell in row.values()]
    table = {"ColumnNames": list(row), "Values": [values]}
    body = {"Inputs": {inputs[0] if inputs else "input1": table}, "GlobalParameters": {}}
    return Call(f"{path}/execute?api-version=2.0&details=true", key, body)


def online(path: str, key: str, row: Mapping[str, Any]) -> Call:
    """The row for an online endpoint of Azure ML v2."""
    data = {"columns": list(row), "index": [0], "data": [list(row.values())]}
    return Call(path, key, {"input_data": data}, online=True)


async def answered(whole: ASGIApp, call: Call) -> dict[str, str]:
    """The row of the answer. Raises Problem with what the endpoint says."""
    import httpx

    transport = httpx.ASGITransport(whole, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.post(
            call.path, json=call.body, headers={"Authorization": f"Bearer {call.key}"}, timeout=None
        )
    try:
        found = answer.json()
    except ValueError:
        found = answer.text
    if answer.status_code != 200:
        raise Problem(
            f"The endpoint answered {answer.status_code}: {_said(found)}",
            "Correct what it names, and score the row again.",
            424,
        )
    return _online(found) if call.online else _table(found)


def _said(found: Any) -> str:
    """What an error's envelope says."""
    error = found.get("error") if isinstance(found, Mapping) else None
    if not isinstance(error, Mapping):
        return str(found)[:1000]
    details = error.get("details") or [error]
    return str(details[0].get("message") or error.get("message"))


def _table(found: Any) -> dict[str, str]:
    try:
        value = next(iter(found["Results"].values()))["value"]
        return {
            name: "" if cell is None else str(cell)
            for name, cell in zip(value["ColumnNames"], value["Values"][0], strict=True)
        }
    except (KeyError, TypeError, IndexError, ValueError, StopIteration):
        raise Problem("The endpoint answered without a table of scores.", "", 424) from None


def _online(found: Any) -> dict[str, str]:
    if isinstance(found, Mapping):
        found = next((one for one in found.values() if isinstance(one, list)), [found])
    row = found[0] if isinstance(found, list) and found else found
    if isinstance(row, Mapping):
        return {str(name): cell if isinstance(cell, str) else json.dumps(cell) for name, cell in row.items()}
    return {_LABELS: row if isinstance(row, str) else json.dumps(row)}
