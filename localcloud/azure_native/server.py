"""The gRPC server around the provider, on loopback."""

from __future__ import annotations

from concurrent import futures
from pathlib import Path

from pulumi.runtime.proto import provider_pb2_grpc

from localcloud.azure_native.arm import ArmClient
from localcloud.azure_native.errors import ProviderError
from localcloud.azure_native.protos import grpc
from localcloud.azure_native.provider import Provider
from localcloud.azure_native.sessions import Sessions

_WORKERS = 32
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # a second stand-in on the port must fail, not share it
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),  # as Pulumi's own
    ("grpc.max_send_message_length", 400 * 1024 * 1024),
)


class Server:
    """Serves the provider until it is stopped; `port` 0 takes a free one."""

    def __init__(self, cloud_file: Path, port: int = 0) -> None:
        self._arm = ArmClient()
        self._grpc = grpc.server(futures.ThreadPoolExecutor(max_workers=_WORKERS), options=_OPTIONS)
        provider = Provider(Sessions(cloud_file), self._arm)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, self._grpc)
        try:
            self.port: int = self._grpc.add_insecure_port(f"127.0.0.1:{port}")
        except RuntimeError:
            self.stop()
            raise ProviderError(
                f"port {port} is taken by another program",
                "stop that program, or let the local cloud choose another port: ./dev cloud stop, then ./dev cloud start",
            ) from None

    def start(self) -> None:
        """Begin to answer."""
        self._grpc.start()

    def stop(self) -> None:
        """Stop at once; calls under way are dropped."""
        self._grpc.stop(grace=None)
        self._arm.close()
