"""The whole local cloud in this process, without a socket: all its routes over a store of its own, nothing running behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from localcloud.facilities.cloud import Cloud
from localcloud.server.app import create_app
from localcloud.works.context import Works, open_works

CLOUD = Cloud(
    blob="http://127.0.0.1:9/retrainlocal",
    azurite="http://127.0.0.1:9/retrainlocal",
    account="retrainlocal",
    account_key="a2V5",
    arm_token="arm-token-of-this-test",
    subscription="5d0c3f5e-2a44-4c55-9a7b-0f5a1b2c3d4e",
)


@dataclass
class Inside:
    """Calls to the local cloud; `works` is what answers them."""

    works: Works
    http: httpx.AsyncClient
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def __call__(self, method: str, path: str, key: str = "", **sent: Any) -> httpx.Response:
        """One call, with a key perhaps."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self.runner.run(
            self.http.request(method, path, headers={**headers, **sent.pop("headers", {})}, **sent)
        )


@contextmanager
def opened(directory: Path, **options: Any) -> Iterator[Inside]:
    """A local cloud in *directory*."""
    works = open_works(CLOUD, directory, **options)
    transport = httpx.ASGITransport(create_app(works), raise_app_exceptions=False)
    inside = Inside(works, httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1"))
    try:
        yield inside
    finally:
        inside.runner.run(works.operations.stop())
        inside.runner.run(inside.http.aclose())
        inside.runner.close()
        works.scoring.shutdown()
        works.store.close()
