"""Scoring by an online endpoint: rows in the form that MLflow's scoring server takes, by default or by a named deployment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from clients.errors import ServiceError
from clients.http.transport import Transport

DEPLOYMENT = "azureml-model-deployment"
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,15})(?:\.\d+)?(?:[eE][+-]?\d+)?")
_LABELS = "Scored Labels"
# Where an answer is an object, its rows are under one of these.
_ROWS = ("predictions", "outputs", "results")


class AzureMlScoring:
    """Scores through *transport*, whose address is the endpoint's; by one *deployment*, whatever its traffic, where named.

    Where models share a deployment, the *member* whose model is asked stands beside the rows.
    """

    def __init__(self, transport: Transport, deployment: str = "", member: str = "") -> None:
        self._transport, self._member = transport, member
        self._headers = {DEPLOYMENT: deployment} if deployment else {}
        self.answered_by = ""

    def score(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        """A row of answers for each of *rows*: a row's single value is its ``Scored Labels``."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        data = [[_value(row.get(name)) for name in columns] for row in rows]
        body: dict[str, Any] = {
            "input_data": {"columns": columns, "index": list(range(len(rows))), "data": data}
        }
        if self._member:
            body["member"] = self._member
        answer = self._transport.send(
            "POST", self._transport.base_url, body, headers=self._headers, retried=True
        )
        self.answered_by = answer.headers.get(DEPLOYMENT) or ""
        return [_row(one) for one in _rows(self._transport.json(answer))]


def _rows(answer: Any) -> list[Any]:
    if isinstance(answer, str):  # what `run` returned was a text already
        try:
            answer = json.loads(answer)
        except ValueError:
            answer = None
    if isinstance(answer, Mapping):
        answer = next((answer[name] for name in _ROWS if isinstance(answer.get(name), list)), None)
    if isinstance(answer, list):
        return answer
    raise ServiceError(
        "the endpoint answered without a list of rows",
        'let score.py return a list with a value or an object for each row, or {"predictions": [...]}',
    )


def _row(one: Any) -> dict[str, str]:
    if isinstance(one, Mapping):
        return {str(name): _said(value) for name, value in one.items()}
    if isinstance(one, list) and len(one) == 1:
        one = one[0]
    return {_LABELS: _said(one)}


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _value(text: Any) -> Any:
    """A value of a table as JSON has it: what is written as a number is one."""
    return json.loads(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else text
