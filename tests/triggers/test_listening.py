"""The server that hears events: over the wire, what is let in wakes the loop once, and all else does not."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import pytest

from cli.watching.listening import Hints, listening
from tests.healing import Told

KEY = "a key of the team"
EVENT = b'[{"eventType": "Microsoft.Storage.BlobCreated"}]'


@pytest.fixture
def hints() -> Hints:
    return Hints(pause=0)


@pytest.fixture
def port(hints: Hints, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setenv("EVENT_KEY", KEY)
    with listening("127.0.0.1:0", "EVENT_KEY", hints) as found:
        yield found


def post(port: int, body: bytes, key: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", "/events", body, {"X-Retrain-Key": key, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def test_events_and_their_replays_are_one_hint(port: int, hints: Hints) -> None:
    """The same event five times, and others, wake the loop once; after that nothing does."""
    assert {post(port, EVENT, KEY) for _time in range(5)} == {200}
    assert hints.wait(20)
    assert not hints.wait(0)


def test_what_is_not_let_in_is_no_hint(port: int, hints: Hints) -> None:
    """A wrong key, and ten megabytes with the right one, of which a server that reads them all would never tell."""
    assert post(port, EVENT, "another") == 401
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        size = 10 * 2**20
        raw.sendall(
            f"POST / HTTP/1.1\r\nHost: x\r\nX-Retrain-Key: {KEY}\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        raw.sendall(b"x" * (2**20 + 1))
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")
    assert not hints.wait(0)


@pytest.mark.heals("name another place in `listen`, or end what listens there")
def test_a_place_that_is_taken(port: int, hints: Hints, remedy: Told) -> None:
    """It is said, and another place will do."""
    remedy.fails(lambda: listening(f"127.0.0.1:{port}", "EVENT_KEY", hints).__enter__())
    with listening("127.0.0.1:0", "EVENT_KEY", hints):
        pass


@pytest.mark.heals("set {} to a secret of its own, and give it to the event subscription")
def test_a_key_that_is_not_set(hints: Hints, remedy: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens without one."""
    monkeypatch.delenv("EVENT_KEY", raising=False)
    remedy.fails(lambda: listening("127.0.0.1:0", "EVENT_KEY", hints).__enter__())
    monkeypatch.setenv("EVENT_KEY", KEY)
    with listening("127.0.0.1:0", "EVENT_KEY", hints):
        pass
