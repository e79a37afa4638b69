"""Provider resources: each a configured instance of a plugin, found by its reference `urn::id`.

Source: `pkg/resource/deploy/providers/registry.go` and `sdk/go/common/resource/plugin/provider_plugin.go`.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from pulumi.runtime.proto import provider_pb2

from backend.checkpoint import State
from backend.urns import is_provider, package_of, split_reference, urn_type
from backend.values import UNKNOWN_WIRE, Props, Secret, Unknown, annotate_secrets, contains, equal, reveal
from engine.errors import StepError
from engine.property_changes import Detail, Diff, Kind
from engine.providers.plugins import InitFailed, Plugin, Plugins, Protocol
from engine.providers.wire import from_wire, to_wire

INTERNAL = "__internal"
Failures = Sequence[provider_pb2.CheckFailure]  # what a provider finds wrong: properties and reasons


class Made(NamedTuple):
    """What a create or an update made; `refresh` asks for a refresh before the next update."""

    id: str
    outputs: Props
    refresh: bool = False


class Found(NamedTuple):
    """What a read found, None for what the provider doesn't tell; `refresh` as in `Made`."""

    id: str
    inputs: Props | None
    outputs: Props | None
    refresh: bool = False


class Unconfigurable(StepError):
    """The provider's configuration isn't known in this preview, so it can't be asked."""


class Instance:
    """A provider with its configuration; all calls for resources go through one.

    `preview` says that unknown values may be sent and nothing is to be created. A provider whose configuration isn't
    `known` yet is neither configured nor asked.
    """

    def __init__(self, plugin: Plugin, preview: bool, urn: str, id_: str, inputs: Props) -> None:
        self._plugin = plugin
        self._preview = preview
        self.known = not contains(inputs, Unknown)
        self._protocol = self._configure(urn, id_, inputs) if self.known else Protocol()

    def _configure(self, urn: str, id_: str, inputs: Props) -> Protocol:
        variables = {}
        for key, value in reveal(inputs).items():
            if key != "version":
                text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
                variables[f"{self._plugin.package}:config:{key}"] = text
        answer = self._plugin.call(
            "Configure",
            urn,
            id=id_,
            variables=variables,
            args=to_wire(inputs, secrets=True, resources=True),
            acceptSecrets=True,
            acceptResources=True,
            sends_old_inputs=True,
            sends_old_inputs_to_delete=True,
        )
        answered = Protocol(answer.acceptSecrets, answer.acceptResources, answer.supportsPreview)
        return self._plugin.handshake or answered

    def check(self, urn: str, old: Props, new: Props) -> tuple[Props, Failures]:
        """The inputs as the provider completes them, and what is wrong with them."""
        if not self.known:
            return dict(new), []
        answer = self._call("Check", urn, self._preview, olds=old, news=new, randomSeed=os.urandom(32))
        return self._answered(answer.inputs, new), answer.failures

    def diff(self, urn: str, old: State, new: Props, ignored: list[str], *, unknowns: bool) -> Diff:
        """The provider's own diff of a resource.

        Raises:
            Unconfigurable: the provider's configuration isn't known yet.
        """
        if not self.known:
            raise Unconfigurable(
                "The provider for this resource has inputs that are not known during preview.\n"
                "This preview may not correctly represent the changes that will be applied during an update."
            )
        props = {"old_inputs": old.inputs, "olds": old.outputs, "news": new}
        return _diff(self._call("Diff", urn, unknowns, id=old.id, **props, ignoreChanges=ignored))

    def create(self, new: State) -> Made:
        """Create the resource; in a preview, what the provider foretells of it, or else its inputs."""
        if self._preview and not self._protocol.preview:
            return Made("", self._guess(new))
        answer = self._call(
            "Create",
            new.urn,
            self._preview,
            properties=new.inputs,
            timeout=new.custom_timeouts.get("create"),
            preview=self._preview,
        )
        if not answer.id and not self._preview:
            raise StepError(f"plugin returned empty resource.ID from create '{new.urn}'")
        return Made(answer.id, self._answered(answer.properties, new.inputs), answer.refresh_before_update)

    def update(self, old: State, new: State) -> Made:
        """Update the resource, which keeps its id; in a preview, as `create`."""
        if self._preview and not self._protocol.preview:
            return Made(old.id, self._guess(new))
        answer = self._call(
            "Update",
            new.urn,
            self._preview,
            id=old.id,
            old_inputs=old.inputs,
            olds=old.outputs,
            news=new.inputs,
            ignoreChanges=new.ignore_changes,
            timeout=new.custom_timeouts.get("update"),
            preview=self._preview,
        )
        return Made(old.id, self._answered(answer.properties, new.inputs), answer.refresh_before_update)

    def delete(self, old: State) -> None:
        """Delete the resource."""
        timeout = old.custom_timeouts.get("delete")
        props = {"old_inputs": old.inputs, "properties": old.outputs}
        self._call("Delete", old.urn, False, id=old.id, **props, timeout=timeout)

    def read(self, state: State, outputs: Props) -> Found:
        """What is there; an empty id means that it is gone."""
        if not self.known:
            return Found("", {}, {})
        timeout = state.custom_timeouts.get("read")
        props = {"inputs": state.inputs, "properties": outputs}
        answer = self._call("Read", state.urn, False, id=state.id, **props, timeout=timeout)
        given = self._answered(answer.inputs, state.inputs, True) if answer.HasField("inputs") else None
        live = self._answered(answer.properties, outputs, True) if answer.HasField("properties") else None
        return Found(answer.id, given, live, answer.refresh_before_update)

    def invoke(self, token: str, args: Props) -> tuple[Props, Failures]:
        """Call a function of the provider."""
        if not self.known:
            return {}, []
        answer = self._call("Invoke", token, False, tok=token, args=args, preview=self._preview)
        result = from_wire(getattr(answer, "return"), reject_unknowns=True)
        if contains(args, Secret) and not self._protocol.secrets:
            result = {k: v if isinstance(v, Secret) else Secret(v) for k, v in result.items()}
        return result, answer.failures

    def _call(self, method: str, subject: str, unknowns: bool, **fields: Any) -> Any:
        """Call the plugin with property maps as structs, in which unknown values are kept or left out."""
        accepts = self._protocol
        wire = partial(to_wire, secrets=accepts.secrets, resources=accepts.resources, unknowns=unknowns)
        wired = {name: wire(value) if isinstance(value, dict) else value for name, value in fields.items()}
        try:
            return self._plugin.call(method, subject, **wired)
        except NotImplementedError as error:
            raise StepError(f"the provider {self._plugin.package} doesn't implement {method}") from error
        except InitFailed as error:
            given = fields.get("news") or fields.get("properties", {})
            error.outputs = self._answered(error.detail.properties, given)
            if error.detail.HasField("inputs"):
                error.inputs = self._answered(error.detail.inputs, fields.get("inputs", {}))
            raise

    def _guess(self, new: State) -> Props:
        return dict(new.inputs) if self.known else {}

    def _answered(self, properties: Any, given: Props, final: bool = False) -> Props:
        """Properties of an answer, in which as much is secret as in those given; only `final` ones are all known."""
        props = from_wire(properties, reject_unknowns=final or not self._preview)
        if not self._protocol.secrets:
            annotate_secrets(props, given)
        return props


def _diff(answer: provider_pb2.DiffResponse) -> Diff:
    changes = {answer.DIFF_NONE: False, answer.DIFF_SOME: True}.get(answer.changes)
    details = None
    if answer.hasDetailedDiff:
        details = {p: _detail(d) for p, d in answer.detailedDiff.items()}
    return Diff(changes, list(answer.replaces), list(answer.diffs), details, answer.deleteBeforeReplace)


def _detail(entry: provider_pb2.PropertyDiff) -> Detail:
    name = provider_pb2.PropertyDiff.Kind.Name(entry.kind)
    kinds: dict[str, Kind] = {"ADD": "add", "DELETE": "delete", "UPDATE": "update"}
    return Detail(kinds[name.removesuffix("_REPLACE")], name.endswith("_REPLACE"), entry.inputDiff)


class Registry:
    """The provider resources of a run: checks, configures and finds them."""

    def __init__(self, plugins: Plugins, preview: bool) -> None:
        self._plugins = plugins
        self._preview = preview
        self._instances: dict[str, Instance] = {}
        self._known: dict[tuple[str, str], State] = {}
        self._lock = threading.Lock()

    def has(self, reference: str) -> bool:
        """Whether the instance is there."""
        return reference in self._instances

    def find(self, reference: str, resource: str = "") -> Instance:
        """The instance that the `provider` of a `resource` names.

        Raises:
            StepError: there is none.
        """
        instance = self._instances.get(reference)
        if instance is None:
            wanted = f" for resource {resource}" if resource else ""
            raise StepError(f"unknown provider '{reference}'{wanted}")
        return instance

    def check(self, urn: str, old: Props, new: Props) -> tuple[Props, Failures]:
        """A provider's configuration as its plugin completes it, and what is wrong with it."""
        given = _public(new)
        inputs, failures = given, []
        with suppress(NotImplementedError):
            answer = self._ask("CheckConfig", urn, olds=_public(old), news=given)
            inputs, failures = from_wire(answer.inputs), answer.failures
            annotate_secrets(inputs, given)
        kept = {key: new[key] for key in ("version", INTERNAL) if key in new}
        return {**kept, **inputs}, failures

    def diff(self, urn: str, old: State, new: Props) -> Diff:
        """Compare a provider's configuration; one that can't compare is updated in place."""
        given = _public(new)
        try:
            props = {"old_inputs": _public(old.inputs), "olds": old.outputs, "news": given}
            diff = _diff(self._ask("DiffConfig", urn, **props))
        except NotImplementedError:
            diff = Diff(None)
        if diff.changes is None:
            diff.changes = not equal(old.outputs, given)
        return diff

    def same(self, state: State) -> None:
        """Have an unchanged provider ready, configured with the inputs of its state."""
        self._configure(state.urn, state.id, state.inputs, again=False)

    def create(self, new: State) -> Made:
        """Configure a new provider under a new id (in a preview an unknown one)."""
        id_ = UNKNOWN_WIRE if self._preview else str(uuid.uuid4())
        return Made(id_, self._configure(new.urn, id_, new.inputs))

    def update(self, old: State, new: State) -> Made:
        """Configure a changed provider under its old id."""
        return Made(old.id, self._configure(new.urn, old.id, new.inputs))

    def know(self, states: list[State]) -> None:
        """Learn of old providers, for `ensure`."""
        self._known |= {(s.urn, s.id): s for s in states if is_provider(s.type)}

    def ensure(self, reference: str) -> None:
        """Have the provider of an old resource ready, from its old state if need be: it may be replaced itself.

        Raises:
            StepError: there was no such provider.
        """
        if not reference or self.has(reference):
            return
        state = self._known.get(split_reference(reference))
        if state is None:
            raise StepError(f"unknown provider '{reference}'")
        self.same(state)

    def _configure(self, urn: str, id_: str, inputs: Props, *, again: bool = True) -> Props:
        given, reference = _public(inputs), f"{urn}::{id_}"
        with self._lock:
            if again or reference not in self._instances:
                self._instances[reference] = Instance(self._plugin(urn), self._preview, urn, id_, given)
        return given

    def _ask(self, method: str, urn: str, **props: Props) -> Any:
        wired = {name: to_wire(value, unknowns=True) for name, value in props.items()}
        return self._plugin(urn).call(method, urn, **wired)

    def _plugin(self, urn: str) -> Plugin:
        return self._plugins.get(package_of(urn_type(urn)))


def _public(props: Props) -> Props:
    return {k: v for k, v in props.items() if k != INTERNAL}
