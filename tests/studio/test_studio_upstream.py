"""The blob proxy's connections to Azurite, by an Azurite that counts them and hangs up when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.studio.running import Running


class _Counting(BaseHTTPRequestHandler):
    """Answers each GET; `/last` is the last one of its connection."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        type(self).connections += 1
        super().setup()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = self.path.endswith("/last")

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def counted(own_studio: Running) -> Iterator[tuple[Running, type[_Counting]]]:
    class Counting(_Counting):
        connections = 0

    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        own_studio.azurite.port, kept = server.server_address[1], own_studio.azurite.port
        try:
            own_studio.start()
        finally:
            own_studio.azurite.port = kept
        requests.get(f"{own_studio.blob}/data/x", timeout=10)  # opens the one by which Azurite is watched
        yield own_studio, Counting
        server.shutdown()


def test_a_clients_connection_has_one_to_azurite(counted: tuple[Running, type[_Counting]]) -> None:
    """Twenty requests of one client take one connection."""
    studio, counting = counted
    with requests.Session() as client:
        before = counting.connections
        assert [client.get(f"{studio.blob}/data/{number}").text for number in range(20)] == ["ok"] * 20
    assert counting.connections - before == 1


def test_a_connection_that_azurite_closed_is_not_used_again(
    counted: tuple[Running, type[_Counting]],
) -> None:
    """The request after it has another, and the client sees nothing of it."""
    studio, counting = counted
    with requests.Session() as client:
        before = counting.connections
        for name in ("first", "last", "again", "last", "again"):
            answer = client.get(f"{studio.blob}/data/{name}")
            assert (answer.status_code, answer.text) == (200, "ok")
    assert counting.connections - before == 3
