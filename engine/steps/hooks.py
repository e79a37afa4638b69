"""The program's resource hooks: called before and after creates, updates and deletes, and when one of these fails.

A hook is a function of the program, reached over the Callbacks service that the program serves while it runs.
Source: `RunHooks` and `RunErrorHooks` in `pkg/resource/deploy/deployment.go`, `retries.go` of Pulumi 3.260.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

from backend.checkpoint import State
from backend.urns import urn_name
from backend.values import Props
from engine.errors import StepError
from engine.events import Diagnostic
from engine.providers.wire import connect, to_wire

MOST_FAILURES = 100  # of one operation that error hooks ask to have tried again
T = TypeVar("T")


def bound(binding: Any) -> dict[str, list[str]]:
    """A registration's hooks as the state keeps them: names by the moment of their call, such as `BeforeCreate`."""
    fields = {field.name.title().replace("_", ""): list(names) for field, names in binding.ListFields()}
    return dict(sorted(fields.items()))


@dataclass(frozen=True)
class Hook:
    """One registered hook; `error` ones decide whether a failed operation is tried again."""

    name: str
    token: str
    stub: Any
    on_dry_run: bool = False
    ignore_errors: bool = False
    error: bool = False

    def call(self, request: Any, response: Any) -> Any:
        """The program's answer.

        Raises:
            StepError: the hook raised, or the program can't be reached.
        """
        wired = callback_pb2.CallbackInvokeRequest(token=self.token, request=request.SerializeToString())
        try:
            response.ParseFromString(self.stub.Invoke(wired).response)
            problem = response.error
        except grpc.RpcError as failure:
            error: Any = failure
            problem = error.details() or error.code().name.lower()
        if problem:
            raise StepError(f'hook "{self.name}" failed: {problem}')
        return response


class Hooks:
    """The hooks of one run, by name."""

    def __init__(self, diagnose: Callable[[Diagnostic], None], *, preview: bool) -> None:
        self._diagnose = diagnose
        self._preview = preview
        self._hooks: dict[str, Hook] = {}
        self._channels: dict[str, Any] = {}

    def register(self, name: str, callback: Any, **options: bool) -> None:
        """Keep a hook.

        Raises:
            StepError: it has no name, or there is another of that name.
        """
        if not name:
            raise StepError("resource hook name cannot be empty")
        if name in self._hooks:
            raise StepError(f'resource hook already registered for name "{name}"')
        if callback.target not in self._channels:
            self._channels[callback.target] = connect(callback.target)
        stub = callback_pb2_grpc.CallbacksStub(self._channels[callback.target])
        self._hooks[name] = Hook(name, callback.token, stub, **options)

    def close(self) -> None:
        """Hang up."""
        for channel in self._channels.values():
            channel.close()

    def run(self, moment: str, old: State | None, new: State | None) -> None:
        """Call the resource's hooks of a moment such as `BeforeCreate`, in order; in a preview those that ask for it.

        Raises:
            StepError: one failed and its errors aren't to be ignored.
        """
        after = moment.startswith("After")
        for hook in self._of(old, new, moment, error=False):
            if self._preview and not hook.on_dry_run:
                continue
            request = _request(resource_pb2.ResourceHookRequest(), old, new)
            if new is not None and after:
                request.new_outputs.CopyFrom(_wired(new.outputs))
            try:
                hook.call(request, resource_pb2.ResourceHookResponse())
            except StepError as error:
                if not hook.ignore_errors:
                    raise StepError(f"{'after' if after else 'before'} {error}") from error
                self._warn(old, new, f"{moment} {error}")

    def retrying(self, operation: str, old: State | None, new: State | None, call: Callable[[], T]) -> T:
        """What `call` gives, called again for as long as it fails and an error hook of the resource asks for that."""
        errors: list[str] = []
        while True:
            try:
                return call()
            except StepError as error:
                errors.insert(0, str(error))
                if len(errors) >= MOST_FAILURES:
                    self._warn(old, new, f"maximum number of error hook retries ({MOST_FAILURES}) reached")
                    raise StepError("maximum number of error hook retries reached") from error
                if not self._wants_another(operation, old, new, errors):
                    raise
                count = f"({len(errors)}/{MOST_FAILURES})"
                self._warn(old, new, f"retrying {operation} due to on-error hook request {count}")

    def _wants_another(self, operation: str, old: State | None, new: State | None, errors: list[str]) -> bool:
        wanted = False
        try:
            for hook in self._of(old, new, "OnError", error=True):
                request = _request(resource_pb2.ErrorHookRequest(), old, new)
                request.failed_operation = operation
                request.errors.extend(errors)
                wanted |= hook.call(request, resource_pb2.ErrorHookResponse()).retry
        except StepError as error:
            raise StepError(f"error hooks execution failed: error {error}") from error
        return wanted

    def _of(self, old: State | None, new: State | None, moment: str, *, error: bool) -> Iterator[Hook]:
        for name in _subject(old, new).resource_hooks.get(moment, ()):
            hook = self._hooks.get(name)
            if hook is None or hook.error != error:
                raise StepError(f'hook "{name}" was not registered')
            yield hook

    def _warn(self, old: State | None, new: State | None, message: str) -> None:
        self._diagnose(Diagnostic("warning", message, _subject(old, new).urn))


def unanswered(resources: list[State]) -> list[Diagnostic]:
    """What stands in the way of a destroy: it doesn't run the program, so nobody would answer to hooks of deletes."""
    found = []
    for state in resources:
        names = [
            n for moment in ("BeforeDelete", "AfterDelete") for n in state.resource_hooks.get(moment, ())
        ]
        if names:
            message = (
                "Resource has delete hooks registered, but the program is not running. "
                f"Hooks: {', '.join(names)}\nremedy: destroy --run-program"
            )
            found.append(Diagnostic("error", message, state.urn))
    return found


def _request(request: Any, old: State | None, new: State | None) -> Any:
    """What hooks of all kinds are told."""
    state = _subject(old, new)
    request.urn, request.id, request.name, request.type = state.urn, state.id, urn_name(state.urn), state.type
    if new is not None:
        request.new_inputs.CopyFrom(_wired(new.inputs))
    if old is not None:
        request.old_inputs.CopyFrom(_wired(old.inputs))
        request.old_outputs.CopyFrom(_wired(old.outputs))
    return request


def _subject(old: State | None, new: State | None) -> State:
    state = new or old
    assert state is not None
    return state


def _wired(props: Props) -> Any:
    return to_wire(props, secrets=True, resources=True, unknowns=True)
