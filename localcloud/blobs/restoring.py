"""An Azurite that came back without what it had confirmed is given it again, before anybody asks it anything.

One connection to Azurite is held without a word: while it stands, the same process lives. Where it ends, and at the
start, the kept writes are compared with what is there, if Azurite is another process than the one that confirmed them.
What is missing is written again in its order; conditions were met then and are not asked again. ETags are new ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import monotonic, time

import h11

from localcloud.blobs.kept_writes import SECONDS, KeptWrite, KeptWrites
from localcloud.blobs.peers import StreamPeer
from localcloud.facilities.cloud import Cloud

_log = logging.getLogger("localcloud.blobs")
_OF_SAS = frozenset(
    [
        "sv",
        "ss",
        "srt",
        "st",
        "se",
        "sp",
        "sip",
        "spr",
        "sr",
        "sig",
        "si",
        "sdd",
        "ses",
        "skoid",
        "sktid",
        "skt",
        "ske",
        "sks",
        "skv",
        "saoid",
        "suoid",
        "scid",
    ]
)


class Restoring:
    """Knows whether Azurite is the process that it was, and makes good what it has forgotten."""

    def __init__(self, cloud: Cloud, writes: KeptWrites) -> None:
        self._cloud = cloud
        self._writes = writes
        self._lock = asyncio.Lock()
        self._line: asyncio.Task[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._since = 0.0

    async def ready(self) -> None:
        """Return once Azurite has all that it confirmed. Raises OSError where it does not answer."""
        if self._line is not None and not self._line.done():
            return
        async with self._lock:
            if self._line is not None and not self._line.done():
                return
            self.close()
            reader, self._writer = await asyncio.open_connection(*self._cloud.azurite_address)
            who = await asyncio.to_thread(_listener, self._cloud.azurite_address[1])
            if who is None or who != self._known():
                await self._restore()
                self._who.write_text(who or "")
            self._line, self._since = asyncio.create_task(_end_of(reader)), monotonic()

    def tidy(self) -> None:
        """Forget the writes that Azurite has surely kept: it has lived long enough since."""
        if self._line is not None and not self._line.done() and monotonic() - self._since > SECONDS:
            self._writes.forget_before(time() - SECONDS)

    def close(self) -> None:
        """End the connection."""
        if self._writer is not None:
            self._writer.close()
        if self._line is not None:
            self._line.cancel()
        self._line = self._writer = None

    @property
    def _who(self) -> Path:
        return self._writes.directory / "azurite"

    def _known(self) -> str | None:
        with contextlib.suppress(OSError):
            return self._who.read_text()
        return None

    async def _restore(self) -> None:
        kept = self._writes.all()
        if not kept:
            return
        sas = await asyncio.to_thread(_account_sas, self._cloud)
        lost = {write.number for write in await self._lost(kept, sas)}
        for write in kept:
            if write.number not in lost:
                continue
            body = await asyncio.to_thread(self._writes.body(write).read_bytes)
            status, headers = await self._ask(write.method, write.target, sas, write.headers, body)
            if 200 <= status < 300:
                _log.info("brought again what the blob store had lost: %s %s", write.method, write.resource)
                self._writes.keep(replace(write, etag=headers.get("etag", ""), at=time()))
            else:
                _log.warning("cannot bring again %s %s: %d", write.method, write.resource, status)
                self._writes.forget(write)

    async def _lost(self, kept: list[KeptWrite], sas: str) -> list[KeptWrite]:
        """The writes whose outcome is not there: of each blob and container those after the last that is."""
        histories: dict[str, list[KeptWrite]] = defaultdict(list)
        for write in kept:
            if write.is_container and write.deletes:
                for name in [name for name in histories if f"{name}/".startswith(f"{write.resource}/")]:
                    del histories[name]
            histories[write.resource].append(write)
        lost: list[KeptWrite] = []
        for history in histories.values():
            etag, modified = await self._state(history[-1], sas)
            after = history
            for number, write in enumerate(history, 1):
                there = etag is None if write.deletes else bool(write.etag) and write.etag == etag
                if there or modified > write.at + 1:  # somebody wrote later, past the proxy
                    after = history[number:]
            lost += after
        return lost

    async def _state(self, write: KeptWrite, sas: str) -> tuple[str | None, float]:
        """ETag and time of what is there, if it can be read."""
        path = write.target.partition("?")[0]
        if write.is_container:
            status, headers = await self._ask("HEAD", f"{path}?restype=container", sas)
        else:
            status, headers = await self._ask("GET", path, sas, (("Range", "bytes=0-0"),))
            if status == 416:  # an empty one
                status, headers = await self._ask("HEAD", path, sas)
        if status not in (200, 206):
            return None, 0.0
        return headers.get("etag", ""), parsedate_to_datetime(headers["last-modified"]).timestamp()

    async def _ask(
        self, method: str, target: str, sas: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
    ) -> tuple[int, dict[str, str]]:
        """One call of Azurite itself, with a signature of the account."""
        path, _, query = target.partition("?")
        own = [part for part in query.split("&") if part and part.partition("=")[0].lower() not in _OF_SAS]
        peer = StreamPeer(h11.CLIENT, await asyncio.open_connection(*self._cloud.azurite_address))
        try:
            sent = [
                *headers,
                ("Host", "127.0.0.1"),
                ("Connection", "close"),
                ("Content-Length", str(len(body))),
            ]
            await peer.send(
                h11.Request(method=method, target=f"{path}?{'&'.join([*own, sas])}", headers=sent)
            )
            if body:
                await peer.send(h11.Data(data=body))
            await peer.send(h11.EndOfMessage())
            event = await peer.next()
            while isinstance(event, h11.InformationalResponse):
                event = await peer.next()
            if not isinstance(event, h11.Response):
                raise ConnectionError("Azurite went away before it answered")
            return event.status_code, {
                name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers
            }
        finally:
            await peer.close()


async def _end_of(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(OSError):
        return await reader.read()
    return b""


def _listener(port: int) -> str | None:
    """Which process listens on a port: its id and when it began; None where the system does not tell."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens and connection.pid:
                return f"{connection.pid} {psutil.Process(connection.pid).create_time()}"
    return None


def _account_sas(cloud: Cloud) -> str:
    from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

    token: str = generate_account_sas(
        cloud.account,
        cloud.account_key,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(
            read=True, write=True, delete=True, list=True, add=True, create=True, update=True, tag=True
        ),
        datetime.now(UTC) + timedelta(hours=1),
        start=datetime.now(UTC) - timedelta(minutes=5),
    )
    return token
