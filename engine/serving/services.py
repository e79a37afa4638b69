"""The Engine gRPC service (messages of program and providers), and the server that both services share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2_grpc

from backend.errors import StackError
from engine.errors import StepError
from engine.events import Diagnostic, Severity
from engine.providers.wire import CHANNEL_OPTIONS, EMPTY
from engine.serving.monitor import Monitor, OverError

_SEVERITIES: dict[int, Severity] = {0: "debug", 1: "info", 2: "warning", 3: "error"}


class EngineService(engine_pb2_grpc.EngineServicer):
    """Passes messages on and keeps the root resource's URN."""

    def __init__(self, diagnose: Callable[[Diagnostic], None]) -> None:
        self._diagnose = diagnose
        self._root = ""

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802
        """A message of the program or a provider."""
        severity = _SEVERITIES.get(request.severity, "info")
        message = request.message.rstrip("\n")
        self._diagnose(Diagnostic(severity, message, request.urn, request.ephemeral))
        return EMPTY

    def GetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The stack's URN, when the program has set it."""
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Keep the stack's URN."""
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The embedded engine has no version of the CLI; a program that asks for one gets its way."""
        return engine_pb2.RequirePulumiVersionResponse()


class _Failures(grpc.ServerInterceptor):
    """Answers a call that raises with why, and one that comes too late when the run ends: its hooks may be called until then."""

    def __init__(self, run_done: threading.Event) -> None:
        self._run_done = run_done

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        """The method called, guarded."""
        method = continuation(details)
        if method is None or method.unary_unary is None:
            return method

        def answer(request: Any, context: Any) -> Any:
            try:
                return method.unary_unary(request, context)
            except OverError:
                self._run_done.wait()
                return context.abort(grpc.StatusCode.UNAVAILABLE, "resource monitor shut down")
            except (StepError, StackError) as error:
                return context.abort(grpc.StatusCode.UNKNOWN, str(error))

        return method._replace(unary_unary=answer)


class Server:
    """The engine's address, open from before the first process starts until the last has ended."""

    def __init__(self, monitor: Monitor, diagnose: Callable[[Diagnostic], None], parallel: int) -> None:
        # The SDK makes up to four calls a slot at a time, and messages must get through beside them.
        self._pool = ThreadPoolExecutor(max_workers=parallel * 4 + 8, thread_name_prefix="engine")
        self._server: Any = vars(grpc)["server"](
            self._pool,
            interceptors=[_Failures(monitor.run_done)],
            options=[*CHANNEL_OPTIONS, ("grpc.so_reuseport", 0)],
        )
        engine_pb2_grpc.add_EngineServicer_to_server(EngineService(diagnose), self._server)
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, self._server)

    def start(self) -> str:
        """Serve, on a free port of loopback; returns the address."""
        address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return address

    def close(self) -> None:
        """Stop serving; calls under way are dropped."""
        self._server.stop(0.2).wait()
        self._pool.shutdown(wait=False, cancel_futures=True)
