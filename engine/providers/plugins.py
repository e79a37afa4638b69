"""Provider plugins: how they are found, started and spoken to.

`pulumi-python` (dynamic providers) is one process a run; all others are attached by `PULUMI_DEBUG_PROVIDERS`.
Source: `sdk/go/common/resource/plugin/provider_plugin.go` of Pulumi 3.260.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from backend.urns import urn_name, urn_type
from engine.children.processes import Child, Processes
from engine.errors import ProviderError, StepError
from engine.providers.messages import provider_message
from engine.providers.wire import EMPTY, connect

DYNAMIC = "pulumi-python"
_BEGIN_SECONDS = 20.0


@dataclass(frozen=True)
class Protocol:
    """What a provider understands; fixed by its handshake, or else by its answer to Configure."""

    secrets: bool = False
    resources: bool = False
    preview: bool = False


class Plugin:
    """A connection to one provider program, shared by all provider resources of its package."""

    def __init__(self, package: str, port: int, engine: str, child: Child | None) -> None:
        self.package = package
        self._child = child
        self._channel = connect(f"127.0.0.1:{port}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self.handshake = self._shake_hands(engine)
        if child is None and not self._begin("Attach", plugin_pb2.PluginAttach(address=engine)):
            raise ProviderError(f"the provider {package} doesn't implement Attach", "implement it")

    def _shake_hands(self, engine: str) -> Protocol | None:
        answer = self._begin(
            "Handshake",
            provider_pb2.ProviderHandshakeRequest(
                engine_address=engine,
                configure_with_urn=True,
                invoke_with_preview=True,
                supports_refresh_before_update=True,
            ),
        )
        return answer and Protocol(answer.accept_secrets, answer.accept_resources, preview=True)

    def _begin(self, method: str, request: Any) -> Any:
        """The answer to one of the first calls; None where the provider doesn't have it."""
        try:
            return getattr(self._stub, method)(request, wait_for_ready=True, timeout=_BEGIN_SECONDS)
        except grpc.RpcError as failure:
            error: Any = failure
            if error.code() == grpc.StatusCode.UNIMPLEMENTED:
                return None
            raise ProviderError(
                f"the provider {self.package} doesn't answer: {error.details()}",
                "see that it runs and that PULUMI_DEBUG_PROVIDERS names its port",
            ) from error

    def call(self, method: str, subject: str, **fields: Any) -> Any:
        """One call about a resource (a URN) or of a function (a token), with the fields of its request.

        Raises:
            StepError: it failed; the message is what the user is to read.
            NotImplementedError: the provider has no such method, for the caller to fall back.
        """
        name = subject
        if subject.startswith("urn:"):
            name = urn_name(subject)
            fields.update(urn=subject, name=name, type=urn_type(subject))
        request = getattr(provider_pb2, method.removesuffix("Config") + "Request")(**fields)
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as failure:
            error: Any = failure
            if error.code() == grpc.StatusCode.UNIMPLEMENTED:
                raise NotImplementedError(method) from error
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                raise StepError(self._gone(f"{method.lower()} of {name}")) from error
            raise InitFailed.of(error) or StepError(provider_message(error.details() or "")) from error

    def _gone(self, doing: str) -> str:
        status = self._child.wait(1) if self._child else None
        how = "stopped"
        if status is not None:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return (
            f"the provider {self.package} {how} while {doing}\n"
            "remedy: see what it printed; run up again, what it had finished is kept"
        )

    def cancel(self) -> None:
        """Ask the provider to end what it does, without waiting for its answer."""
        # Kept, since a call that nobody holds is cancelled itself.
        self._cancelling = self._stub.Cancel.future(EMPTY)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Tell an attached provider that the run is over, and hang up."""
        if self._child is None:
            with contextlib.suppress(grpc.RpcError):
                self._stub.Cancel(EMPTY, timeout=1)
        self._channel.close()


class InitFailed(StepError):
    """A resource exists but didn't become ready; the provider tells its id and properties."""

    def __init__(self, detail: Any) -> None:
        reasons = list(detail.reasons)
        listed = "".join(f"\t* {reason}\n" for reason in reasons)
        super().__init__(f"{len(reasons)} error{'s' * (len(reasons) != 1)} occurred:\n{listed}\n")
        self.detail = detail
        self.reasons = reasons
        self.inputs: dict[str, Any] | None = None
        self.outputs: dict[str, Any] = {}

    @classmethod
    def of(cls, error: Any) -> InitFailed | None:
        """The failure packed into a gRPC status, if it is one."""
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                status: Any = status_pb2.Status()
                status.ParseFromString(value)
                for detail in status.details:
                    if detail.Unpack(failed := provider_pb2.ErrorResourceInitFailed()):
                        return cls(failed)
        return None


class Plugins:
    """The plugins of one run, each started when first needed; those at `attached` run already (`name:port,…`)."""

    def __init__(self, root: Path, attached: str, processes: Processes) -> None:
        self.engine = ""
        """The engine's address, once it serves."""
        self._root = root
        self._processes = processes
        self._attached = _ports(attached)
        self._plugins: dict[str, Plugin] = {}
        self._starting: tuple[Child, Future[str]] | None = None
        self._lock = threading.Lock()

    def prefetch(self) -> None:
        """Start the dynamic providers' process, without waiting for it."""
        with self._lock:
            if DYNAMIC not in self._attached:
                self._start()

    def get(self, package: str) -> Plugin:
        """The plugin of a package.

        Raises:
            ProviderError: the package isn't served here, or its provider doesn't start.
        """
        with self._lock:
            if package not in self._plugins:
                if port := self._attached.get(package):
                    self._plugins[package] = Plugin(package, port, self.engine, None)
                elif package == DYNAMIC:
                    self._plugins[package] = self._connect(*self._start())
                else:
                    raise ProviderError(
                        f"there is no provider for package {package!r}: the embedded engine installs no plugins",
                        f"attach one with PULUMI_DEBUG_PROVIDERS={package}:<port>, or use the Pulumi CLI",
                    )
            return self._plugins[package]

    def _start(self) -> tuple[Child, Future[str]]:
        if self._starting is None:
            port: Future[str] = Future()
            child = self._processes.start("providers", self.engine, cwd=self._root, first=port.set_result)
            self._starting = child, port
        return self._starting

    def _connect(self, child: Child, port: Future[str]) -> Plugin:
        text = port.result()
        if not text.isdecimal():
            raise ProviderError(
                f"the dynamic providers' process ended with status {child.wait(1)} before it served",
                "see what it printed; is pulumi installed for that Python?",
            )
        return Plugin(DYNAMIC, int(text), self.engine, child)

    def cancel(self) -> None:
        """Ask all to end what they do."""
        for plugin in list(self._plugins.values()):
            plugin.cancel()

    def close(self) -> None:
        """Hang up on all."""
        for plugin in self._plugins.values():
            plugin.close()


def _ports(spec: str) -> dict[str, int]:
    ports = {}
    for entry in filter(None, spec.split(",")):
        package, _, port = entry.partition(":")
        if not port.isdecimal():
            raise ProviderError(
                f"PULUMI_DEBUG_PROVIDERS has no port for {package!r}", "write it as <package>:<port>"
            )
        ports[package.strip()] = int(port)
    return ports
