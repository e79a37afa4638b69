"""The Request-Response Service (api-version 2.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clients.errors import ServiceError
from clients.http.transport import Transport


class StudioScoring:
    """Scores on the endpoint that *transport* is signed in to; its base address is ``…/services/{guid}``."""

    def __init__(self, transport: Transport, input_name: str = "input1") -> None:
        self._transport = transport
        self._input = input_name

    def score(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        """The first output's rows, values as strings. Raises ServiceError where the answer has no table."""
        columns = list(rows[0]) if rows else []
        request = {
            "Inputs": {
                self._input: {
                    "ColumnNames": columns,
                    "Values": [[_text(row.get(column)) for column in columns] for row in rows],
                }
            },
            "GlobalParameters": {},
        }
        answer = self._transport.read("execute", request, **{"api-version": "2.0", "details": "true"})
        try:
            value = next(iter(answer["Results"].values()))["value"]
            return [dict(zip(value["ColumnNames"], row, strict=True)) for row in value["Values"]]
        except (KeyError, TypeError, ValueError, StopIteration):
            raise ServiceError(
                "the endpoint's answer holds no table of scores", "look at the predictive experiment's output"
            ) from None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
