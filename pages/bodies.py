"""What was sent to a page: forms and JSON, of a bounded size."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from pages.facts import Problem

_MOST = 256 * 1024
_FIELDS = 1000
COLUMN = "column:"
"""What the name of a form's field begins with that is a cell of a row."""


async def form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises Problem."""
    try:
        return dict(
            parse_qsl((await _body(request)).decode(), keep_blank_values=True, max_num_fields=_FIELDS)
        )
    except ValueError:
        raise Problem("The form cannot be read.", "Send it from the page.", 400) from None


async def document(request: Request) -> dict[str, Any]:
    """The members of a JSON object. Raises Problem."""
    found = read(await _body(request))
    if not isinstance(found, dict):
        raise Problem("The body is no JSON object.", "Send one, such as {}.", 400)
    return found


def read(content: str | bytes) -> Any:
    """The value that a JSON text is. Raises Problem."""
    try:
        found = json.loads(content, parse_constant=_refuse)
        json.dumps(
            found, ensure_ascii=False
        ).encode()  # halves of a character can be written, and sent nowhere
        return found
    except (ValueError, RecursionError) as error:
        raise Problem(f"This is no JSON: {error}", 'Write an object: {"column": "value"}', 400) from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def row_of(fields: dict[str, str]) -> dict[str, Any]:
    """The row in the fields of a form: as JSON where that was written, else cell by cell; an empty cell has no value.

    Raises Problem.
    """
    if text := fields.get("row", "").strip():
        return checked_row(read(text))
    cells = {name.removeprefix(COLUMN): cell for name, cell in fields.items() if name.startswith(COLUMN)}
    return {name: cell or None for name, cell in cells.items()}


def checked_row(row: Any) -> dict[str, Any]:
    """A row. Raises Problem for what is none."""
    plain = (str, int, float, bool, type(None))
    if not isinstance(row, dict) or not all(isinstance(cell, plain) for cell in row.values()):
        raise Problem("This is no row.", 'Write an object of plain values: {"column": "value"}', 400)
    return row


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST:
            raise Problem(f"This is longer than {_MOST // 1024} KB.", "Send less.", 413)
    return body
