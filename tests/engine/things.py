"""A provider for tests: package `things`, served over gRPC, whose resources do what their inputs say.

`bad` fails the check, `fail_create|update|delete|read|diff` fail the call, keys that begin with `fixed` replace,
`fail_after` names a gated resource whose create must have begun before; `dbr` deletes before replacing, `lazy` leaves the diff to the engine, `detailed` gives a detailed diff.
`slow_create|update|delete` waits for the run's end or its cancellation: `ends` then ends well, `fails` fails, `stuck` goes on
waiting until the next run.
`init_error` makes what doesn't become ready, `unready` what is found not to be; `named: true` gives a default name that is kept from the old inputs.
`refresh_first` asks for a refresh before the next update.
`says` is the answer to a diff (`changes`: 0 unknown, 1 none, 2 some); `reads` has a read leave out `inputs` or
`properties`, or answer with another `id`.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def plain(message: struct_pb2.Struct) -> dict[str, Any]:
    """A struct as a dict; its own order is chance."""
    return {key: _plain(message.fields[key]) for key in sorted(message.fields)}


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return plain(value.struct_value)
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    return None if kind == "null_value" else getattr(value, kind)


def struct(data: dict[str, Any]) -> struct_pb2.Struct:
    """A dict as a struct."""
    message = struct_pb2.Struct()
    message.update(data)
    return message


def _first(outputs: dict[str, Any]) -> bool:
    return bool(outputs.get("refresh_first"))


def _not_ready(
    context: Any, id_: str, outputs: dict[str, Any], inputs: struct_pb2.Struct | None = None
) -> None:
    """Answer that it exists, but didn't become ready."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=id_,
        properties=struct(outputs),
        inputs=inputs,
        reasons=["not ready"],
        refresh_before_update=_first(outputs),
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message="not ready")
    status.details.add().Pack(detail)
    context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
    context.abort(grpc.StatusCode.UNKNOWN, "not ready")


class Things(provider_pb2_grpc.ResourceProviderServicer):
    """Remembers every call as (method, name) and what exists as id → outputs."""

    def __init__(self, *, secrets: bool = False, preview: bool = False) -> None:
        self.calls: list[tuple[str, str]] = []
        self.requests: list[tuple[str, Any]] = []
        self.store: dict[str, dict[str, Any]] = {}
        self.gate: dict[str, threading.Event] = {}
        self.failing: set[tuple[str, str]] = set()
        self.entered: dict[str, threading.Event] = {}
        self._secrets = secrets
        self._preview = preview
        self._made: dict[str, int] = {}
        self._lock = threading.Lock()
        self.waiting = threading.Semaphore(0)
        """Has one for each call that has begun to wait."""
        self.cancelled = threading.Event()
        self._released = threading.Event()
        self._fails_after: dict[str, str] = {}

    def begin(self) -> None:
        """Another run begins: no calls yet, nobody waits any more."""
        self.calls.clear()
        self._released.set()
        self._released = threading.Event()
        self.cancelled.clear()
        while self.waiting.acquire(blocking=False):
            continue

    def can(self, features: tuple[str, ...]) -> None:
        """Be a provider that accepts `secrets`, that answers in a `preview`, whose `b fails after c` is being made."""
        self._secrets, self._preview = "secrets" in features, "preview" in features
        self._fails_after = dict(f.split(" fails after ") for f in features if " fails after " in f)
        self.entered |= {other: threading.Event() for other in self._fails_after.values()}

    def _note(self, method: str, request: Any) -> None:
        with self._lock:
            self.calls.append((method, request.name))
            self.requests.append((method, request))

    def done(self, *methods: str) -> list[tuple[str, str]]:
        """The calls of these methods, in order."""
        return [c for c in self.calls if c[0] in methods]

    def _fail(self, method: str, request: Any, props: dict[str, Any], context: Any) -> None:
        if props.get(f"fail_{method}") or (method, request.name) in self.failing:
            context.abort(grpc.StatusCode.UNKNOWN, f"{method} went wrong")

    def _linger(self, method: str, props: dict[str, Any], context: Any) -> None:
        if how := props.get(f"slow_{method}"):
            until = self._released if how == "stuck" else self.cancelled
            self.waiting.release()
            until.wait(60)
            if how != "ends":
                context.abort(grpc.StatusCode.UNKNOWN, f"{method} was cancelled")

    def Handshake(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "")

    def Attach(self, request, context):
        self.cancelled.clear()  # that was the end of the run before
        return empty_pb2.Empty()

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="1.0.0")

    def CheckConfig(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        olds, news = plain(request.olds), plain(request.news)
        replaces = ["region"] if olds.get("region") != news.get("region") else []
        some = olds != news
        return provider_pb2.DiffResponse(changes=2 if some else 1, replaces=replaces)

    def Configure(self, request, context):
        self.calls.append(("configure", request.name))
        return provider_pb2.ConfigureResponse(acceptSecrets=self._secrets, supportsPreview=self._preview)

    def Check(self, request, context):
        self._note("check", request)
        olds, news = plain(request.olds), plain(request.news)
        self._fail("check", request, {}, context)
        failures = []
        if news.get("bad"):
            failures.append(provider_pb2.CheckFailure(property="bad", reason=f"{news['bad']} isn't good"))
        inputs = struct_pb2.Struct()
        inputs.CopyFrom(request.news)
        if news.get("named"):
            inputs["label"] = olds.get("label") or f"auto-{request.name}"
        return provider_pb2.CheckResponse(inputs=inputs, failures=failures)

    def Diff(self, request, context):
        self._note("diff", request)
        olds, news = plain(request.old_inputs), plain(request.news)
        self._fail("diff", request, news, context)
        changed = sorted(k for k in {*olds, *news} if olds.get(k) != news.get(k))
        if says := news.get("says"):
            return provider_pb2.DiffResponse(**{**says, "changes": int(says["changes"])})
        if news.get("lazy"):
            return provider_pb2.DiffResponse()
        replaces = [k for k in changed if k.startswith("fixed")]
        answer = provider_pb2.DiffResponse(
            changes=2 if changed else 1,
            replaces=replaces,
            diffs=changed,
            deleteBeforeReplace=bool(news.get("dbr")),
        )
        if news.get("detailed"):
            answer.hasDetailedDiff = True
            for key in changed:
                kind = "ADD" if key not in olds else "DELETE" if key not in news else "UPDATE"
                kind += "_REPLACE" if key in replaces else ""
                answer.detailedDiff[key].kind = provider_pb2.PropertyDiff.Kind.Value(kind)
                answer.detailedDiff[key].inputDiff = True
        return answer

    def Create(self, request, context):
        self._note("preview" if request.preview else "create", request)
        props = plain(request.properties)
        outputs = {**props, "echo": f"echo {props.get('value')}"}
        if request.preview:
            return provider_pb2.CreateResponse(properties=struct({**outputs, "serial": UNKNOWN}))
        if request.name in self.entered:
            self.entered[request.name].set()
        if request.name in self.gate:
            self.gate[request.name].wait(20)
        if props.get("fail_after"):
            self.entered[props["fail_after"]].wait(20)
        self._linger("create", props, context)
        self._fail("create", request, props, context)
        with self._lock:
            self._made[request.name] = self._made.get(request.name, 0) + 1
            id_ = f"{request.name}-{self._made[request.name]}"
        outputs["serial"] = self._made[request.name]
        self.store[id_] = outputs
        if props.get("init_error") or ("init", request.name) in self.failing:
            if other := self._fails_after.get(request.name):
                self.entered[other].wait(20)
            _not_ready(context, id_, outputs)
        return provider_pb2.CreateResponse(
            id=id_, properties=struct(outputs), refresh_before_update=_first(outputs)
        )

    def Update(self, request, context):
        self._note("preview" if request.preview else "update", request)
        props = plain(request.news)
        outputs = {**props, "echo": f"echo {props.get('value')}", "serial": plain(request.olds).get("serial")}
        if not request.preview:
            self._linger("update", props, context)
            self._fail("update", request, props, context)
            self.store[request.id] = outputs
            if props.get("init_error") or ("init", request.name) in self.failing:
                _not_ready(context, request.id, outputs)
        return provider_pb2.UpdateResponse(properties=struct(outputs), refresh_before_update=_first(outputs))

    def Delete(self, request, context):
        self._note("delete", request)
        self._linger("delete", plain(request.properties), context)
        self._fail("delete", request, plain(request.properties), context)
        self.store.pop(request.id, None)
        return empty_pb2.Empty()

    def Read(self, request, context):
        self._note("read", request)
        self._fail("read", request, plain(request.inputs), context)
        found = self.store.get(request.id)
        if found is None:
            return provider_pb2.ReadResponse()
        inputs = {k: v for k, v in found.items() if k not in ("echo", "serial")}
        if found.get("unready") or ("unready", request.name) in self.failing:
            told = struct(inputs) if found.get("reads") == "not ready, with inputs" else None
            _not_ready(context, request.id, found, told)
        answer = provider_pb2.ReadResponse(
            id=request.id,
            properties=struct(found),
            inputs=struct(inputs),
            refresh_before_update=_first(found),
        )
        if (special := found.get("reads")) == "id":
            answer.id = f"{request.id.removesuffix('-new')}-new"
            self.store[answer.id] = found
        elif special:
            answer.ClearField(special)
        return answer

    def Invoke(self, request, context):
        args = plain(request.args)
        self.calls.append(("invoke", request.tok))
        if args.get("fail"):
            context.abort(grpc.StatusCode.UNKNOWN, "invoke went wrong")
        return provider_pb2.InvokeResponse(**{"return": struct({"result": args.get("n", 0) * 2})})

    def Cancel(self, request, context):
        self.calls.append(("cancel", ""))
        self.cancelled.set()
        return empty_pb2.Empty()


class Served:
    """A running provider and its port."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self._pool = ThreadPoolExecutor(max_workers=24)
        self._server = grpc.server(self._pool)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(things, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def close(self) -> None:
        """Stop serving."""
        self.things.begin()
        self._server.stop(0).wait()
        self._pool.shutdown()
