"""What a page of many runs costs at the server: `./dev bench page`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cli.options import Engine
from cli.paging.registry import TargetRegistry
from cli.paging.source import StackSource

if TYPE_CHECKING:
    from cli.services.registry import Registry

RUNS = 1000
MOST_SECONDS = 0.1
_CONTAINER = "bench-of-pages"


class _Bench(TargetRegistry):
    """A registry of its own in the local cloud's storage."""

    def open(self) -> Registry:
        """The one with a thousand runs."""
        found = super().open()
        target = replace(found.context.resolve_target(found.target), registry_container=_CONTAINER)
        found.context.resolve_target = lambda _name: target
        return found


def timed(stack: str, calls: int) -> tuple[float, list[float], float]:
    """Seconds of the first call of a page with all runs, and of *calls* more, over loopback; and the processor's seconds for each of these, its client's and the looking again included."""
    import httpx

    target = _Bench(stack)
    with (
        _filled(target),
        closing(StackSource(stack, Engine.embedded, may_approve=False, target=target)) as source,
        _served(source) as (place, link),
        httpx.Client(base_url=place, trust_env=False, timeout=120) as client,
    ):
        client.get(link).raise_for_status()
        found, begun = [], 0.0
        for call in range(calls + 1):
            started = time.perf_counter()
            begun = begun if call > 1 else time.process_time()
            answer = client.get(f"/runs?limit={RUNS}").raise_for_status()
            found.append(time.perf_counter() - started)
            assert answer.text.count("<tr>") == RUNS + 1
        return found[0], found[1:], (time.process_time() - begun) / calls


@contextmanager
def _filled(target: _Bench) -> Iterator[None]:
    """A container with a thousand runs, for as long."""
    from azure.storage.blob import BlobServiceClient

    from retrain_hooks.registry.ledger import Ledger, Run
    from retrain_hooks.registry.run_key import digest

    opened = target.open()
    account = BlobServiceClient.from_connection_string(opened.context.target(opened.target).connection_string)
    with account, account.get_container_client(_CONTAINER) as container:
        if container.exists():
            container.delete_container()
        container.create_container()
        ledger = Ledger(opened.container)
        for at in range(RUNS):
            inputs = {"experiment": "flights", "data": f"2-{at:064x}"}
            metrics = {"auc": 0.7 + at / 1e4, "accuracy": 0.8, "precision": 0.7, "recall": 0.3, "f1": 0.4}
            ended = f"2026-01-01T{at // 60 % 24:02}:{at % 60:02}:00+00:00"
            run = Run(digest(inputs), "flights", inputs, "finished", metrics=metrics, ended_at=ended)
            ledger.plan(replace(run, data={"version": f"v{at}"}, sha256=f"{at:064x}", bytes=1, seconds=1.0))
        try:
            yield
        finally:
            container.delete_container()


@contextmanager
def _served(source: StackSource) -> Iterator[tuple[str, str]]:
    """The pages of a source at an address, and a link."""
    import uvicorn

    from cli.paging.serving import listening
    from pages.app import served
    from pages.door import Door
    from pages.site import Site

    with closing(listening(0)) as listener:
        port = listener.getsockname()[1]
        door = Door("", port)
        config = uvicorn.Config(served(Site(source, door)), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}", f"/sign-in?token={door.link()}"
        finally:
            server.should_exit = True
            thread.join()
