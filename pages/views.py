"""The pages themselves; they are read without a script, which only keeps what is live up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pages import bodies
from pages.door import forget_session, keep_session
from pages.facts import Endpoint, Part, Problem
from pages.site import Handler, Kind, Site

_PER_PAGE = 100
MOST = 1000
_CALLS = 200
_STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Views:
    """The handlers of a site's pages."""

    def __init__(self, site: Site) -> None:
        self._site, self._source = site, site.source

    def routes(self) -> list[BaseRoute]:
        """The routes of all pages that its source has something for."""
        of_parts: Mapping[Part, Sequence[tuple[str, str, Handler]]] = {
            "runs": [("runs", "GET", self.runs), ("runs/{key}", "GET", self.run)],
            "jobs": [("jobs", "GET", self.jobs)],
            "plan": [
                ("plan", "GET", self.plan),
                ("plan", "POST", self.make_plan),
                ("plan/carry-out", "POST", self.carry_out),
                ("plan/approve", "POST", self.approve),
            ],
            "drift": [("drift", "GET", self.drift), ("drift", "POST", self.look_for_drift)],
            "score": [("score", "GET", self.score_form), ("score", "POST", self.score)],
            "journal": [("journal", "GET", self.journal)],
        }
        pages: list[tuple[str, str, Handler]] = [
            ("", "GET", self.index),
            ("sign-out", "POST", self.sign_out),
            *(one for part in self._source.parts for one in of_parts[part]),
        ]
        return [
            *(self._route(path, method, handler, "page") for path, method, handler in pages),
            self._route("sign-in", "GET", self.sign_in, "open"),
            self._route("static/{name}", "GET", self.static, "open"),
        ]

    def _route(self, path: str, method: str, handler: Handler, kind: Kind) -> Route:
        return Route(self._site.at(path), self._site.guarded(handler, kind), methods=[method])

    async def index(self, request: Request) -> Response:
        """GET a page about what is served, and what is at work; without a session how to sign in."""
        overview = await self._source.overview()
        jobs = await self._source.jobs() if "jobs" in self._source.parts else None
        return self._site.page(request, "overview", overview=overview, jobs=jobs, title=self._source.title)

    async def runs(self, request: Request) -> Response:
        """GET the runs, the newest first."""
        offset, limit = number(request, "offset", 0), number(request, "limit", _PER_PAGE)
        found = await self._source.runs(offset, min(max(limit, 1), MOST))
        return self._site.page(request, "runs", found=found, limit=max(limit, 1), title="Runs")

    async def run(self, request: Request) -> Response:
        """GET all that is on record of one run."""
        found = await self._source.run(request.path_params["key"])
        return self._site.page(request, "run", found=found, title=f"Run {found.run.key[:12]}")

    async def jobs(self, request: Request) -> Response:
        """GET the jobs, the live ones first."""
        return self._site.page(request, "jobs", jobs=await self._source.jobs(), title="Jobs")

    async def plan(self, request: Request) -> Response:
        """GET the plan as it stands."""
        return self._site.page(request, "plan", planning=await self._source.planning(), title="Plan")

    async def make_plan(self, request: Request) -> Response:
        """POST to have a preview made."""
        await self._source.make_plan()
        return self._back("plan")

    async def carry_out(self, request: Request) -> Response:
        """POST to have the plan with the form's `key` carried out."""
        await self._source.carry_out((await bodies.form(request)).get("key", ""))
        return self._back("plan")

    async def approve(self, request: Request) -> Response:
        """POST to approve the candidate with the form's `key`."""
        await self._source.approve((await bodies.form(request)).get("key", ""))
        return self._back("plan")

    async def drift(self, request: Request) -> Response:
        """GET what was found out about the data."""
        return self._site.page(request, "drift", drift=await self._source.drift(), title="Drift")

    async def look_for_drift(self, request: Request) -> Response:
        """POST to have the data read."""
        await self._source.look_for_drift()
        return self._back("drift")

    async def score_form(self, request: Request) -> Response:
        """GET a form for a row of the endpoint that the query names."""
        endpoints = await self._endpoints()
        chosen = _chosen(endpoints, request.query_params.get("endpoint", ""))
        columns = await self._source.columns(chosen.id) if chosen else {}
        return self._scored(request, endpoints, chosen, columns)

    async def score(self, request: Request) -> Response:
        """POST a row; what the endpoint answers stands above the form, which is as it was."""
        fields = await bodies.form(request)
        endpoints = await self._endpoints()
        chosen = _chosen(endpoints, fields.get("endpoint", ""))
        columns = await self._source.columns(chosen.id) if chosen else {}
        cells = {name: fields.get(bodies.COLUMN + name, begun) for name, begun in columns.items()}
        try:
            if chosen is None:
                raise Problem("There is no such endpoint.", "Choose one that is there.", 404)
            sent = bodies.row_of(fields)
            found = await self._source.score(chosen.id, sent)
            answer = dict(sorted(found.items(), key=lambda one: one[0] in sent))  # what is new first
        except Problem as problem:
            return self._scored(request, endpoints, chosen, cells, row=fields.get("row", ""), problem=problem)
        return self._scored(request, endpoints, chosen, cells, row=fields.get("row", ""), answer=answer)

    async def _endpoints(self) -> Sequence[Endpoint]:
        return [one for one in (await self._source.overview()).endpoints if one.scores]

    def _scored(
        self,
        request: Request,
        endpoints: Sequence[Endpoint],
        chosen: Endpoint | None,
        cells: Mapping[str, str],
        *,
        row: str = "",
        answer: Mapping[str, str] | None = None,
        problem: Problem | None = None,
    ) -> Response:
        return self._site.page(
            request,
            "score",
            problem.status if problem else 200,
            endpoints=endpoints,
            chosen=chosen,
            cells=cells,
            row=row,
            answer=answer,
            problem=problem,
            title="Score a row",
        )

    async def journal(self, request: Request) -> Response:
        """GET the last calls that the local cloud answered."""
        calls = await self._source.journal(_CALLS)
        return self._site.page(request, "journal", calls=calls, title="Journal")

    async def sign_in(self, request: Request) -> Response:
        """GET with a link's `token`: the browser is signed in, and goes on to the first page."""
        session = self._site.door.enter(request.query_params.get("token", "")) if _reads(request) else None
        if session is None:
            if self._site.door.knows(request):
                return RedirectResponse(self._site.at(), 303)
            problem = Problem("This link was used, or is none of this server's.", self._site.door.how, 403)
            return self._site.page(request, "problem", 403, problem=problem, title="Not signed in")
        # No redirect: a browser that came from another site would follow it without the cookie.
        answer = self._site.page(request, "signed_in", title="Signed in")
        keep_session(answer, request, session)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """POST to end the session."""
        self._site.door.leave(request)
        answer = self._back("")
        forget_session(answer, request)
        return answer

    async def static(self, request: Request) -> Response:
        """GET the style sheet, the script or the icon."""
        name = request.path_params["name"]
        if name not in _STATIC:
            raise Problem("There is no such file.", "", 404)
        content = (files("pages") / "static" / name).read_bytes()
        return Response(content, media_type=_STATIC[name], headers={"Cache-Control": "no-cache"})

    def _back(self, path: str) -> Response:
        return RedirectResponse(self._site.at(path), 303)


def number(request: Request, name: str, default: int) -> int:
    """A number in the query. Raises Problem for what is none."""
    given = request.query_params.get(name, "")
    if not given:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) <= 9):
        raise Problem(f"{name} is a number from 0 on.", "Leave it out, or write one.", 400)
    return int(given)


def _reads(request: Request) -> bool:
    """Whether it is a GET: what looks ahead sends HEAD, and uses no link up."""
    return request.method == "GET"


def _chosen(endpoints: Sequence[Endpoint], id_: str) -> Endpoint | None:
    """The endpoint with that id; without one the first."""
    return next((one for one in endpoints if one.id == id_ or not id_), None)
