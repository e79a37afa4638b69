"""Ports on loopback: free ones, and who holds one that isn't."""

from __future__ import annotations

import secrets
import socket

# Below the ranges that systems hand out to outgoing connections (Linux from 32768, macOS and Windows from 49152), so
# that a remembered port isn't taken by chance while the cloud is stopped.
FIRST, LAST = 17_000, 31_999


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return not answers(port)


def answers(port: int) -> bool:
    """Whether something accepts connections on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(names: list[str]) -> dict[str, int]:
    """A free port for each name, all different."""
    found: dict[str, int] = {}
    while len(found) < len(names):
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        if port not in found.values() and is_free(port):
            found[names[len(found)]] = port
    return found


def holder(port: int) -> str:
    """Who listens on the port, as far as the system tells: `nginx, process 123`."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()}, process {connection.pid}"
    except psutil.Error:
        pass
    return "another program"
