"""Acts as the deployment engine towards a provider process: the same calls in the same order, the same state kept.

A program is a list of resources in the order of their dependencies. Each is checked, compared and then created,
updated, replaced or left alone; the state is saved after each step, so that whoever is killed between two of them
leaves what Pulumi would leave.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from retrain_hooks import providers

_SECONDS = 90.0
_OPTIONS = [("grpc.so_reuseport", 0)]
EMPTY = provider_pb2.google_dot_protobuf_dot_empty__pb2.Empty()

Props = dict[str, Any]
Known = Mapping[str, Props]


@dataclass(frozen=True)
class Declared:
    """A resource of the program: *inputs* makes its inputs of the outputs of those before it.

    *alias* is what it was called before; a *protected* one is never replaced or deleted.
    """

    name: str
    kind: str
    inputs: Callable[[Known], Props]
    outputs: tuple[str, ...] = ()
    alias: str = ""
    protected: bool = False


class StepFailed(Exception):
    """A provider call failed; the text is what a user would read."""


class EngineKilled(Exception):
    """The engine was killed: nothing more is saved."""


@cache
def _reference(kind: str) -> str:
    return str(serialize_provider(getattr(providers, f"{kind}Provider")()))


class _Messages(engine_pb2_grpc.EngineServicer):
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def Log(self, request: Any, context: Any) -> Any:
        self._lines.append(request.message)
        return EMPTY


class Engine:
    """One run's engine: an address that answers until it is closed or killed, and what it was told.

    A provider that was *asked* nothing of a resource has not loaded what ends it with its engine: it is Pulumi's alone.
    """

    def __init__(self) -> None:
        self.messages: list[str] = []
        self._pool = ThreadPoolExecutor(max_workers=4)
        self._server = grpc.server(self._pool, options=_OPTIONS)
        engine_pb2_grpc.add_EngineServicer_to_server(_Messages(self.messages), self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        self._channel: Any = None
        self._stub: Any = None
        self.dead = threading.Event()
        self.asked = False

    def connect(self, port: int) -> None:
        """Speak to the provider process at *port*."""
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._stub.Configure(provider_pb2.ConfigureRequest(args=Struct()), timeout=_SECONDS)

    def call(self, method: str, request: Any) -> Any:
        """One call of the provider. Raises StepFailed, or EngineKilled where this engine is dead by now."""
        if self.dead.is_set():
            raise EngineKilled
        self.asked = True
        try:
            answer = getattr(self._stub, method)(request, timeout=_SECONDS)
        except (grpc.RpcError, ValueError) as failure:
            if self.dead.is_set():
                raise EngineKilled from None
            details = failure.details() if isinstance(failure, grpc.RpcError) else str(failure)
            raise StepFailed(str(details)) from None
        if self.dead.is_set():
            raise EngineKilled
        return answer

    def kill(self) -> None:
        """``kill -9``: the address answers no more, and what is under way is not waited for."""
        self.dead.set()
        self._server.stop(0)
        if self._channel is not None:
            self._channel.close()

    def close(self) -> None:
        """The end of a run."""
        if self._channel is not None:
            self._channel.close()
        self._server.stop(0).wait()
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass
class State:
    """A stack's resources by name: ``{"kind", "id", "inputs", "outputs"}``, and those that are to be deleted.

    ``rank`` is a resource's place in its program, so that what rests on others is deleted first.
    """

    path: Path
    resources: dict[str, Props] = field(default_factory=dict)
    retired: list[tuple[str, Props]] = field(default_factory=list)

    def save(self) -> None:
        """Write the state, as after each step."""
        self.path.write_text(json.dumps({"resources": self.resources, "retired": self.retired}, indent=1))


@dataclass(frozen=True)
class Changes:
    """What a run did or would do: operations by resource (``same`` left out) and their inputs."""

    operations: dict[str, str]
    inputs: dict[str, Props]


class Run:
    """One update, preview, refresh or destroy of a stack. *between* is called before each call of the provider."""

    def __init__(self, engine: Engine, state: State, between: Callable[[], None] = lambda: None) -> None:
        self._engine = engine
        self._state = state
        self._between = between
        self._ranks: dict[
            str, int
        ] = {}  # of the resources of the program, in the order of their dependencies

    def up(self, program: Sequence[Declared], *, preview: bool = False) -> Changes:
        """Bring all resources to what the program declares. Raises StepFailed, EngineKilled."""
        outputs: dict[str, Props] = {}
        operations: dict[str, str] = {}
        inputs: dict[str, Props] = {}
        self._ranks = {declared.name: rank for rank, declared in enumerate(program)}
        for declared in program:
            if not preview:
                self._adopt_alias(declared)
            checked = self._check(declared, outputs)
            operation = self._operation(declared, checked)
            inputs[declared.name] = checked
            if operation != "same":
                operations[declared.name] = operation
            if preview:
                outputs[declared.name] = self._foreseen(declared, checked, operation)
            else:
                outputs[declared.name] = self._do(declared, checked, operation)
        if not preview:
            self._delete_undeclared(program)
        return Changes(operations, inputs)

    def _old(self, declared: Declared) -> Props | None:
        resources = self._state.resources
        return resources.get(declared.name) or resources.get(declared.alias)

    def _adopt_alias(self, declared: Declared) -> None:
        """The state calls what an alias names by its new name."""
        resources = self._state.resources
        if declared.alias in resources and declared.name not in resources:
            resources[declared.name] = resources.pop(declared.alias)

    def _check(self, declared: Declared, outputs: Known) -> Props:
        old = self._old(declared)
        wanted = {name: value for name, value in declared.inputs(outputs).items() if value is not None}
        answer = self._call(
            "Check",
            provider_pb2.CheckRequest(
                urn=_urn(declared.name, declared.kind),
                olds=_struct(old["inputs"] if old else {}, declared.kind if old else None),
                news=_struct(wanted, declared.kind),
            ),
        )
        if answer.failures:
            raise StepFailed("; ".join(failure.reason for failure in answer.failures))
        return _plain(answer.inputs)

    def _operation(self, declared: Declared, checked: Props) -> str:
        old = self._old(declared)
        if old is None:
            return "create"
        answer = self._call(
            "Diff",
            provider_pb2.DiffRequest(
                id=old["id"],
                urn=_urn(declared.name, declared.kind),
                olds=_struct(old["outputs"], declared.kind),
                old_inputs=_struct(old["inputs"], declared.kind),
                news=_struct(checked, declared.kind),
            ),
        )
        if answer.replaces and declared.protected:
            raise StepFailed(f"unable to replace resource {declared.name!r} as it is protected")
        if answer.replaces:
            return "replace"
        return "update" if answer.changes == provider_pb2.DiffResponse.DIFF_SOME else "same"

    def _foreseen(self, declared: Declared, checked: Props, operation: str) -> Props:
        """A preview's outputs: what the inputs say, and nothing of what only the step itself would tell."""
        if operation == "same":
            old = self._old(declared)
            assert old is not None
            return dict(old["outputs"])
        return dict.fromkeys(declared.outputs, UNKNOWN) | checked

    def _do(self, declared: Declared, checked: Props, operation: str) -> Props:
        resources, name, kind = self._state.resources, declared.name, declared.kind
        if operation in ("create", "replace"):
            answer = self._call(
                "Create",
                provider_pb2.CreateRequest(urn=_urn(name, kind), properties=_struct(checked, kind)),
            )
            if operation == "replace":
                self._state.retired.append((name, resources[name]))
            resources[name] = self._resource(name, kind, answer.id, checked, _plain(answer.properties))
        elif operation == "update":
            old = resources[name]
            answer = self._call(
                "Update",
                provider_pb2.UpdateRequest(
                    id=old["id"],
                    urn=_urn(name, kind),
                    olds=_struct(old["outputs"], kind),
                    old_inputs=_struct(old["inputs"], kind),
                    news=_struct(checked, kind),
                ),
            )
            resources[name] = self._resource(name, kind, old["id"], checked, _plain(answer.properties))
        else:
            resources[name] = resources[name] | {"inputs": checked}
        self._state.save()
        return dict(resources[name]["outputs"])

    def _delete_undeclared(self, program: Sequence[Declared]) -> None:
        """Delete what is not declared any more and what was replaced, dependents first."""
        resources, retired = self._state.resources, self._state.retired
        declared = {each.name for each in program}
        late = [(name, each) for name, each in resources.items() if name not in declared]
        due = sorted([*late, *retired], key=lambda each: int(each[1]["rank"]))
        due.reverse()  # of two that were replaced one after the other, the later goes first
        for name, resource in due:
            self._delete(name, resource)
            if resources.get(name) is resource:
                del resources[name]
            else:
                retired.remove((name, resource))
            self._state.save()

    def _delete(self, name: str, resource: Props) -> None:
        request = provider_pb2.DeleteRequest(
            id=resource["id"],
            urn=_urn(name, resource["kind"]),
            properties=_struct(resource["outputs"], resource["kind"]),
        )
        self._call("Delete", request)

    def destroy(self) -> None:
        """Delete all resources, the last first."""
        self._delete_undeclared([])

    def refresh(self) -> None:
        """Read what is there now."""
        for name, old in list(self._state.resources.items()):
            answer = self._call(
                "Read",
                provider_pb2.ReadRequest(
                    id=old["id"],
                    urn=_urn(name, old["kind"]),
                    properties=_struct(old["outputs"], old["kind"]),
                    inputs=_struct(old["inputs"], old["kind"]),
                ),
            )
            if answer.id:
                seen = {"inputs": _plain(answer.inputs), "outputs": _plain(answer.properties)}
                self._state.resources[name] = old | {"id": answer.id} | seen
            else:
                del self._state.resources[name]
            self._state.save()

    def _resource(self, name: str, kind: str, id_: str, inputs: Props, outputs: Props) -> Props:
        return {
            "kind": kind,
            "id": id_,
            "inputs": inputs,
            "outputs": outputs,
            "rank": self._ranks[name],
        }

    def _call(self, method: str, request: Any) -> Any:
        self._between()
        return self._engine.call(method, request)


def _urn(name: str, kind: str) -> str:
    return f"urn:pulumi:chaos::retraining::pulumi-python:dynamic/retrain:{kind}::{name}"


def _struct(values: Mapping[str, Any], kind: str | None) -> Struct:
    struct = Struct()
    struct.update(dict(values) | ({"__provider": _reference(kind)} if kind else {}))
    return struct


def _plain(struct: Struct) -> Props:
    found: Props = MessageToDict(struct)
    found.pop("__provider", None)
    return found
