"""What all pages of one server share, and the guard before each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from pages.door import HEADERS, Door
from pages.facts import Part, Problem, Source

if TYPE_CHECKING:
    from jinja2 import Environment

Handler = Callable[[Request], Awaitable[Response]]
Kind = Literal["page", "data", "open"]
TITLES: Mapping[Part, str] = {
    "runs": "Runs",
    "jobs": "Jobs",
    "plan": "Plan",
    "drift": "Drift",
    "score": "Score a row",
    "journal": "Journal",
}


@dataclass(frozen=True)
class Site:
    """The pages of a *source* behind a *door*; all but the first are below *base*, a path without a slash at its end."""

    source: Source
    door: Door
    base: str = ""

    def at(self, path: str = "") -> str:
        """The path of a page; of the first one without *path*."""
        return f"{self.base}/{path}" if path else "/"

    def page(self, request: Request, template: str, status: int = 200, **shown: Any) -> Response:
        """A page made of a template."""
        text = self._templates.get_template(f"{template}.html.j2").render(
            site=self,
            source=self.source,
            titles=TITLES,
            here=request.url.path,
            **shown,
        )
        return HTMLResponse(text, status)

    def problem(self, request: Request, problem: Problem, *, data: bool) -> Response:
        """What went wrong, as a page or as JSON."""
        if data:
            return JSONResponse({"cause": problem.cause, "remedy": problem.remedy}, problem.status)
        return self.page(request, "problem", problem.status, problem=problem, title="This did not work")

    def guarded(self, handler: Handler, kind: Kind) -> Handler:
        """The handler of a page, of JSON, or of what is *open* to everybody on this machine, behind the door."""

        @wraps(handler)
        async def guard(request: Request) -> Response:
            answer = await self._answer(request, handler, kind)
            for name, value in HEADERS.items():
                answer.headers.setdefault(name, value)
            return answer

        return guard

    async def _answer(self, request: Request, handler: Handler, kind: Kind) -> Response:
        data = kind == "data"
        try:
            if not self.door.named(request):
                return PlainTextResponse("This page is called by 127.0.0.1 or localhost, with its port.", 400)
            if request.method not in ("GET", "HEAD") and not self.door.from_here(request):
                raise Problem("This was sent by another page than ours.", "Send it from the page.", 403)
            if kind != "open" and not self.door.knows(request):
                if data:
                    raise Problem("Nobody is signed in.", self.door.how, 401)
                if request.url.path != "/":
                    return RedirectResponse(self.at(), 303)
                return self.page(request, "sign_in", title="Sign in")
            return await handler(request)
        except Problem as problem:
            return self.problem(request, problem, data=data)

    @cached_property
    def _templates(self) -> Environment:
        from jinja2 import Environment, FunctionLoader, StrictUndefined

        room = files("pages") / "templates"
        environment = Environment(
            loader=FunctionLoader(lambda name: (room / name).read_text(encoding="utf-8")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"short": lambda key: str(key)[:12], "number": _number, "moment": _moment}
        return environment


def _number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}g}"


def _moment(text: str) -> str:
    """A time as people read it; UTC, as all times that pages are given."""
    return f"{text[:19].replace('T', ' ')} UTC" if text else ""
