"""What pages tell as JSON, and the document that describes it (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pages import bodies
from pages.facts import Part, Problem
from pages.site import Handler, Site
from pages.views import MOST, number

_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_PROBLEM = {
    "type": "object",
    "required": ["cause", "remedy"],
    "properties": {"cause": _STRING, "remedy": _STRING},
}
_ROW = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}


class Api:
    """The handlers of a site's JSON; their first line is what the document says of them."""

    def __init__(self, site: Site) -> None:
        self._site, self._source = site, site.source

    def _operations(self) -> list[tuple[str, str, Handler, dict[str, Any]]]:
        """Path, method, handler, and what it takes: names of the query, or members of the body, with their schemas."""
        page = {"query": {"offset": _COUNT, "limit": _COUNT}}
        key = {"body": {"key": _STRING}}
        of_parts: dict[Part, list[tuple[str, str, Handler, dict[str, Any]]]] = {
            "runs": [("runs", "get", self.runs, page), ("runs/{key}", "get", self.run, {})],
            "jobs": [("jobs", "get", self.jobs, {})],
            "plan": [
                ("plan", "get", self.plan, {}),
                ("plan", "post", self.make_plan, {"body": {}}),
                ("plan/carry-out", "post", self.carry_out, key),
                ("plan/approve", "post", self.approve, key),
            ],
            "drift": [
                ("drift", "get", self.drift, {}),
                ("drift", "post", self.look_for_drift, {"body": {}}),
            ],
            "score": [("score", "post", self.score, {"body": {"endpoint": _STRING, "row": _ROW}})],
            "journal": [("journal", "get", self.journal, {"query": {"limit": _COUNT}})],
        }
        return [
            ("overview", "get", self.overview, {}),
            *(one for part in self._source.parts for one in of_parts[part]),
        ]

    def routes(self) -> list[BaseRoute]:
        """All routes."""
        found = [(path, method, handler) for path, method, handler, _takes in self._operations()]
        return [
            Route(
                self._site.at(f"api/{path}"),
                self._site.guarded(handler, "data"),
                methods=[method.upper()],
            )
            for path, method, handler in [*found, ("openapi.json", "get", self.document)]
        ]

    async def document(self, request: Request) -> Response:
        """GET this document."""
        paths: dict[str, dict[str, Any]] = {}
        for path, method, handler, takes in self._operations():
            paths.setdefault(self._site.at(f"api/{path}"), {})[method] = _described(path, handler, takes)
        return JSONResponse(
            {
                "openapi": "3.1.0",
                "info": {"title": self._source.title, "version": "1"},
                "security": [{"session": []}],
                "paths": paths,
                "components": {
                    "schemas": {"Problem": _PROBLEM},
                    "securitySchemes": {
                        "session": {
                            "type": "apiKey",
                            "in": "cookie",
                            "name": f"page-{request.url.port or 80}",
                            "description": "What a link is exchanged for.",
                        }
                    },
                },
            }
        )

    async def overview(self, request: Request) -> Response:
        """The endpoints, and what they serve."""
        return JSONResponse(asdict(await self._source.overview()))

    async def runs(self, request: Request) -> Response:
        """Training runs, the newest first."""
        limit = min(max(number(request, "limit", 100), 1), MOST)
        return JSONResponse(asdict(await self._source.runs(number(request, "offset", 0), limit)))

    async def run(self, request: Request) -> Response:
        """All that is on record of the run whose key begins so."""
        return JSONResponse(asdict(await self._source.run(request.path_params["key"])))

    async def jobs(self, request: Request) -> Response:
        """Jobs, the live ones first."""
        return JSONResponse(asdict(await self._source.jobs()))

    async def plan(self, request: Request) -> Response:
        """The plan as it stands."""
        return JSONResponse(asdict(await self._source.planning()))

    async def make_plan(self, request: Request) -> Response:
        """Begin a preview; see the plan for what became of it."""
        await bodies.document(request)
        await self._source.make_plan()
        return await self._accepted(self.plan, request)

    async def carry_out(self, request: Request) -> Response:
        """Begin an update that does what the plan with this key says, and nothing else."""
        await self._source.carry_out(_text(await bodies.document(request), "key"))
        return await self._accepted(self.plan, request)

    async def approve(self, request: Request) -> Response:
        """Approve the candidate with this run key, which has passed its gate and waits."""
        await self._source.approve(_text(await bodies.document(request), "key"))
        return await self._accepted(self.plan, request)

    async def drift(self, request: Request) -> Response:
        """How far the data is from what the model that serves was trained from, as far as somebody looked."""
        return JSONResponse(asdict(await self._source.drift()))

    async def look_for_drift(self, request: Request) -> Response:
        """Begin to read the data; see drift for what became of it."""
        await bodies.document(request)
        await self._source.look_for_drift()
        return await self._accepted(self.drift, request)

    async def score(self, request: Request) -> Response:
        """What an endpoint answers to a row; its key stays at the server."""
        given = await bodies.document(request)
        endpoint, row = _text(given, "endpoint"), bodies.checked_row(given.get("row"))
        return JSONResponse({"answer": dict(await self._source.score(endpoint, row))})

    async def journal(self, request: Request) -> Response:
        """The last calls of the local cloud, the newest first."""
        calls = await self._source.journal(min(number(request, "limit", 200), MOST))
        return JSONResponse({"calls": [asdict(call) for call in calls]})

    async def _accepted(self, look: Handler, request: Request) -> Response:
        answer = await look(request)
        answer.status_code = 202
        return answer


def _text(given: dict[str, Any], name: str) -> str:
    if not isinstance(value := given.get(name), str):
        raise Problem(f"{name} is a text.", f'Send {{"{name}": "…"}}.', 400)
    return value


def _described(path: str, handler: Handler, takes: dict[str, Any]) -> dict[str, Any]:
    where: Sequence[tuple[str, str, Any]] = [
        *(("query", name, schema) for name, schema in takes.get("query", {}).items()),
        *(("path", name[1:-1], _STRING) for name in path.split("/") if name.startswith("{")),
    ]
    refused = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    answered = {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "The facts."}
    found: dict[str, Any] = {
        "operationId": handler.__name__,
        "summary": (handler.__doc__ or "").strip(),
        "parameters": [
            {"name": name, "in": place, "schema": schema, "required": place == "path"}
            for place, name, schema in where
        ],
        "responses": {
            "202" if "body" in takes and path != "score" else "200": answered,
            "4XX": {**refused, "description": "A line of cause, and one of remedy."},
        },
    }
    if "body" in takes:
        schema = {
            "type": "object",
            "properties": takes["body"],
            "required": list(takes["body"]),
        }
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return found
