"""Tells the engine, and through it the person at the terminal, how a long step stands."""

from __future__ import annotations

from typing import Any


class EngineProgress:
    """Logs to the Pulumi engine at *address* (host:port); stays silent where it cannot be reached."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._stub: Any = None

    def status(self, message: str) -> None:
        """A passing state: shown while it lasts, not kept."""
        self._log(message, ephemeral=True)

    def info(self, message: str) -> None:
        """A line that stays."""
        self._log(message, ephemeral=False)

    def _log(self, message: str, *, ephemeral: bool) -> None:
        if not self._address:
            return
        import grpc
        from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

        try:
            if self._stub is None:
                self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self._address))  # type: ignore[no-untyped-call]
            self._stub.Log(
                engine_pb2.LogRequest(severity=engine_pb2.INFO, message=message, ephemeral=ephemeral),
                timeout=5,
            )
        except grpc.RpcError:
            return
