"""A source that knows what a test has given it, and keeps what it was asked to do; and how its pages are called."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from pages import facts
from pages.app import served
from pages.door import Door
from pages.facts import Problem
from pages.site import Site

PORT = 8123
HERE = f"http://127.0.0.1:{PORT}"
HOSTILE = '"><script>alert(1)</script>&'
KEY = "ab12" * 16


@dataclass
class Known:
    """All parts, of a stack that a hostile hand has named things in."""

    title: str = f"Stack {HOSTILE}"
    parts: Sequence[facts.Part] = ("runs", "jobs", "plan", "drift", "score", "journal")
    count: int = 250
    done: list[tuple[str, ...]] = field(default_factory=list)
    task: facts.Task = field(default_factory=facts.Task)
    may_approve: bool = True

    async def overview(self) -> facts.Overview:
        one = facts.Endpoint("live", "live", HERE, f"run {KEY[:12]}", KEY, "2013-01", HOSTILE)
        return facts.Overview([one, facts.Endpoint("other", "other")], "2026-01-01T00:00:00Z", [HOSTILE])

    async def runs(self, offset: int, limit: int) -> facts.Runs:
        every = [
            facts.Run(f"{at:064x}", HOSTILE, "finished", "2013-01", "2026-01-01T00:00:00Z", 1.5, "auc", 0.7)
            for at in range(self.count)
        ]
        return facts.Runs(every[offset : offset + limit], self.count, offset)

    async def run(self, key: str) -> facts.RunDetail:
        if key != KEY:
            raise Problem(f"there is no run {key}", "look at the runs", 404)
        run = facts.Run(KEY, HOSTILE, "failed", error=HOSTILE)
        return facts.RunDetail(run, {"data": HOSTILE}, {"auc": "0.7"}, [("passed", [HOSTILE])])

    async def jobs(self) -> facts.Jobs:
        return facts.Jobs([facts.Job("j", HOSTILE, "Running", over=False, doing=HOSTILE, share=0.5)])

    async def planning(self) -> facts.Planning:
        plan = facts.Plan(KEY, HOSTILE, [facts.Stage(HOSTILE, [("why", HOSTILE)])], [("create", HOSTILE)])
        waits = [
            facts.Candidate(KEY, HOSTILE, [HOSTILE]),
            facts.Candidate("cd34" * 16, "2013-02", approved=True),
        ]
        return facts.Planning(self.task, plan, waits, self.may_approve)

    async def make_plan(self) -> None:
        self.done.append(("plan",))

    async def carry_out(self, key: str) -> None:
        self.done.append(("carry out", key))

    async def approve(self, key: str) -> None:
        self.done.append(("approve", key))

    async def drift(self) -> facts.Drift:
        return facts.Drift(
            facts.Task("A look", "failed", cause=HOSTILE),
            HOSTILE,
            "index",
            [facts.Shift(HOSTILE, 0.3, over=True)],
        )

    async def look_for_drift(self) -> None:
        self.done.append(("drift",))

    async def columns(self, endpoint: str) -> Mapping[str, str]:
        return {"month": "2", HOSTILE: "x"} if endpoint == "live" else {}

    async def score(self, endpoint: str, row: Mapping[str, Any]) -> Mapping[str, str]:
        if "month" not in row:
            raise Problem("the column month is not there", "Correct the row.", 424)
        self.done.append(("score", endpoint))
        return {"Scored Labels": "1", HOSTILE: HOSTILE}

    async def journal(self, limit: int) -> Sequence[facts.Call]:
        return [facts.Call(1, "2026-01-01T00:00:00Z", "GET", f"/{HOSTILE}", 200, "read", "studio")]


class Browser:
    """Somebody with a browser, signed in or not, at the pages of a source; nothing goes over a wire."""

    def __init__(self, source: facts.Source, *, signed_in: bool = True, base: str = "") -> None:
        self.door = Door("Ask for a link.", PORT)
        self.site = Site(source, self.door, base)
        transport = httpx.ASGITransport(served(self.site), raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url=HERE)
        self.cookies = self._http.cookies
        if signed_in:
            assert self.get(self.link()).status_code == 200

    def request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """One call; a redirect is not followed."""
        return asyncio.run(self._http.request(method, path, **sent))

    def get(self, path: str, **sent: Any) -> httpx.Response:
        """A page."""
        return self.request("GET", path, **sent)

    def link(self) -> str:
        """A link that signs in."""
        return f"{self.site.at('sign-in')}?token={self.door.link()}"

    def send(self, path: str, **fields: str) -> httpx.Response:
        """A form of one of the pages."""
        return self.request("POST", path, data=fields, headers={"Origin": HERE})

    def give(self, path: str, body: Any) -> httpx.Response:
        """JSON as a page's script sends it."""
        return self.request("POST", path, json=body, headers={"Origin": HERE})
