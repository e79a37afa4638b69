"""How many calls an endpoint answers at once, and that bringing in a model refuses nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

import pytest

from localcloud.facilities.errors import Busy
from localcloud.works import calls as module
from localcloud.works.calls import Calls
from localcloud.works.graphs import _Recent
from localcloud.works.services import Endpoint

ENDPOINT = Endpoint("id", "s", "w", "e", "", "", "p", (), "k1", "k2", max_concurrent_calls=1)


def run(story: Callable[[], Coroutine[None, None, None]]) -> None:
    """Play a story in a loop of its own."""
    asyncio.run(story())


async def call(calls: Calls, gate: asyncio.Event) -> str:
    """A call that lasts until the gate opens; how it ended."""
    try:
        async with calls.one(ENDPOINT):
            await gate.wait()
            return "answered"
    except Busy as error:
        return error.details[-1].code


def test_more_calls_than_allowed_are_throttled_with_503() -> None:
    """The count goes down again when a call ends, however it ends."""

    async def story() -> None:
        calls = Calls()
        with pytest.raises(Busy) as refused:
            async with calls.one(ENDPOINT), calls.one(ENDPOINT):
                pass
        assert refused.value.status == 503
        codes = [detail.code for detail in refused.value.details]
        assert codes == ["RequestThrottled", "TooManyConcurrentRequests"]
        with pytest.raises(ZeroDivisionError):
            async with calls.one(ENDPOINT):
                _ = 1 / 0
        async with calls.one(ENDPOINT):
            pass

    run(story)


def test_calls_wait_while_a_model_is_brought_in() -> None:
    """Fifty at once, where one is allowed: all are answered; when that is long over, only one is."""

    async def story() -> None:
        calls, gate = Calls(), asyncio.Event()
        with calls.patient():
            during = [asyncio.create_task(call(calls, gate)) for _ in range(25)]
            await asyncio.sleep(0)
        afterwards = [asyncio.create_task(call(calls, gate)) for _ in range(25)]
        await asyncio.sleep(0)
        gate.set()
        assert await asyncio.gather(*during, *afterwards) == ["answered"] * 50
        gate.clear()
        calls._patient_until = 0
        later = [asyncio.create_task(call(calls, gate)) for _ in range(3)]
        await asyncio.sleep(0)
        gate.set()
        assert await asyncio.gather(*later) == ["answered", *["TooManyConcurrentRequests"] * 2]

    run(story)


def test_a_caller_that_goes_away_keeps_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is cancelled while it waits, one that waits too long: the next has its turn."""
    monkeypatch.setattr(module, "_PATIENCE", 0.01)

    async def story() -> None:
        calls, gate = Calls(), asyncio.Event()
        with calls.patient():
            first, gone, late = (asyncio.create_task(call(calls, gate)) for _ in range(3))
            await asyncio.sleep(0)
            gone.cancel()
            assert await late == "TooManyConcurrentRequests"
            gate.set()
            assert await first == "answered"
        assert gone.cancelled()
        assert await call(calls, gate) == "answered"
        assert not calls._running
        assert not calls._waiting

    run(story)


def test_making_a_scorer_keeps_nobody_from_the_others() -> None:
    """While one is made, those that are there are had at once, and others are made; each is made once."""
    recent: _Recent[str] = _Recent(3)
    recent.get("there", lambda: "there")
    begun, go, made = threading.Event(), threading.Event(), []

    def slow() -> str:
        made.append("slow")
        begun.set()
        assert go.wait(30)
        return "slow"

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(recent.get, "slow", slow) for _ in range(2)]
        assert begun.wait(30)
        assert recent.get("there", lambda: "again") == "there"
        assert recent.get("other", lambda: "other") == "other"
        go.set()
        assert [one.result(30) for one in both] == ["slow", "slow"]
    assert made == ["slow"]
    with pytest.raises(ZeroDivisionError):
        recent.get("failing", lambda: str(1 / 0))
    assert recent.get("failing", lambda: "now") == "now"
    assert recent.known("there") is None
