"""Connections: one pool for all that a process asks, of services and of storage."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from clients.deadlines import within
from clients.errors import Unreachable
from clients.http import connections
from clients.http.transport import Transport
from clients.storage import Container


class _Answers(BaseHTTPRequestHandler):
    """Whatever is asked: an empty object, and the connection stays open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.authorized.append(self.headers.get("Authorization"))
        if self.path == "/trickles":
            self._trickle()
            return
        self.send_response(200)
        for name, value in (("Content-Length", "2"), ("ETag", '"1"'), ("Content-Range", "bytes 0-1/2")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET

    def _trickle(self) -> None:
        """A byte of a header now and then, until nobody listens."""
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not self.server.ends.wait(0.02):
                self.wfile.write(b"x")

    def log_message(self, *_arguments: object) -> None:
        return


class _Server(ThreadingHTTPServer):
    """Counts the connections that it accepts."""

    daemon_threads = True
    accepted = 0

    def get_request(self):
        self.accepted += 1
        return super().get_request()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def container(self, name: str) -> Container:
        key = "AccountName=a;AccountKey=a2V5"
        return Container(
            f"DefaultEndpointsProtocol=http;{key};BlobEndpoint={self.url}/a", name, "start the server"
        )


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Answers) as opened:
        opened.authorized, opened.ends = [], threading.Event()
        thread = threading.Thread(target=opened.serve_forever)
        thread.start()
        yield opened
        connections.SESSION.close()
        opened.ends.set()
        opened.shutdown()
        thread.join()


def test_all_transports_and_containers_of_a_process_share_one_connection(server):
    """Each had its own before: a preview opened 26."""
    for name in ("one", "other"):
        assert Transport(f"the {name}", server.url).get("x") == {}
        assert server.container(name).read("blob")[0] == b"{}"
    assert server.accepted == 1


def test_a_connection_that_was_long_idle_is_not_used_again(server, monkeypatch):
    """Its other end may have forgotten it, and a write that meets that can't be sent again."""
    service = Transport("the service", server.url)
    service.get("x")
    monkeypatch.setattr(connections, "_IDLE_SECONDS", -1.0)
    service.get("x")
    assert server.accepted == 2


def test_an_entry_in_netrc_does_not_replace_the_storage_accounts_credential(server, tmp_path, monkeypatch):
    """A `default` entry, made for some other host, would go to storage else."""
    (tmp_path / "netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.container("data").read("blob")
    assert server.authorized[0].startswith("SharedKey a:")


def test_an_answer_that_trickles_ends_at_the_deadline(server):
    """Each byte comes in time, the answer never does."""
    with pytest.raises(Unreachable, match="did not answer within"):
        Transport("the service", server.url, timeout=0.3).post("trickles")
    assert Transport("the service", server.url).get("x") == {}


def test_a_pause_of_the_azure_sdk_fits_the_wait_that_it_is_part_of(monkeypatch):
    """It would sleep as long as any Retry-After says, of storage and of the sign-in alike."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    connections.for_azure().sleep(100_000)
    with within(3):
        connections.for_azure().sleep(100_000)
    assert slept[0] == 30
    assert slept[1] <= 3
