"""Provider resources: each a configured instance of a plugin, found by its reference `urn::id`.

Source: `pkg/resource/deploy/providers/registry.go` and `sdk/go/common/resource/plugin/provider_plugin.go`.
"""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

from pulumi.runtime.proto import provider_pb2

from backend.checkpoint import State
from backend.urns import is_provider, package_of, split_reference, urn_name, urn_type
from backend.values import UNKNOWN_WIRE, Props, Secret, Unknown, annotate_secrets, contains, equal, reveal
from engine.diffs import Detail, Diff
from engine.errors import StepError
from engine.events import Kind
from engine.plugins import InitFailed, Plugin, Plugins, Protocol
from engine.wire import from_wire, to_wire

INTERNAL = "__internal"
UNCONFIGURED = "unconfigured"


class Unconfigurable(StepError):
    """The provider's configuration isn't known in this preview, so it can't be asked."""


class Instance:
    """A provider with its configuration; all calls for resources go through one.

    `preview` says that unknown values may be sent and nothing is to be created.
    """

    def __init__(self, plugin: Plugin, preview: bool) -> None:
        self._plugin = plugin
        self._preview = preview
        self._protocol = plugin.handshake or Protocol()
        self.known = True

    def check_config(self, urn: str, old: Props, new: Props) -> tuple[Props, list[tuple[str, str]]]:
        """The provider's view of its configuration, and what is wrong with it."""
        request = provider_pb2.CheckRequest(
            urn=urn,
            name=urn_name(urn),
            type=urn_type(urn),
            olds=to_wire(old, unknowns=True),
            news=to_wire(new, unknowns=True),
        )
        try:
            answer = self._plugin.call("CheckConfig", request, f"checking {urn_name(urn)}")
        except NotImplementedError:
            return dict(new), []
        inputs = from_wire(answer.inputs)
        annotate_secrets(inputs, new)
        return inputs, [(f.property, f.reason) for f in answer.failures]

    def diff_config(self, urn: str, old_inputs: Props, old_outputs: Props, new: Props) -> Diff:
        """What a changed configuration means for the provider's resources."""
        request = provider_pb2.DiffRequest(
            urn=urn,
            name=urn_name(urn),
            type=urn_type(urn),
            old_inputs=to_wire(old_inputs, unknowns=True),
            olds=to_wire(old_outputs, unknowns=True),
            news=to_wire(new, unknowns=True),
        )
        try:
            return _diff(self._plugin.call("DiffConfig", request, f"comparing {urn_name(urn)}"))
        except NotImplementedError:
            return Diff(None)

    def configure(self, urn: str, id_: str, inputs: Props) -> None:
        """Configure the instance; with unknown inputs it stays unconfigured and answers nothing."""
        if contains(inputs, Unknown):
            self.known = False
            return
        package = package_of(urn_type(urn))
        variables = {}
        for key, value in inputs.items():
            plain = reveal(value)
            if key != "version":
                text = plain if isinstance(plain, str) else json.dumps(plain, separators=(",", ":"))
                variables[f"{package}:config:{key}"] = text
        request = provider_pb2.ConfigureRequest(
            urn=urn,
            name=urn_name(urn),
            type=urn_type(urn),
            id=id_,
            variables=variables,
            args=to_wire(inputs, secrets=True, resources=True, unknowns=True),
            acceptSecrets=True,
            acceptResources=True,
            sends_old_inputs=True,
            sends_old_inputs_to_delete=True,
        )
        answer = self._plugin.call("Configure", request, f"configuring {urn_name(urn)}")
        if self._plugin.handshake is None:
            self._protocol = Protocol(answer.acceptSecrets, answer.acceptResources, answer.supportsPreview)

    def check(self, urn: str, old: Props, new: Props, seed: bytes) -> tuple[Props, list[tuple[str, str]]]:
        """The inputs as the provider completes them, and what is wrong with them (property, reason)."""
        if not self.known:
            return dict(new), []
        request = provider_pb2.CheckRequest(
            urn=urn,
            name=urn_name(urn),
            type=urn_type(urn),
            olds=self._wire(old, self._preview),
            news=self._wire(new, self._preview),
            randomSeed=seed,
        )
        answer = self._call("Check", request, urn)
        inputs = from_wire(answer.inputs, reject_unknowns=not self._preview)
        self._annotate(inputs, new)
        return inputs, [(f.property, f.reason) for f in answer.failures]

    def diff(
        self,
        urn: str,
        id_: str,
        old: State,
        old_inputs: Props,
        new: Props,
        ignored: list[str],
        unknowns: bool,
    ) -> Diff:
        """The provider's own diff of a resource.

        Raises:
            Unconfigurable: the provider's configuration isn't known yet.
        """
        if not self.known:
            raise Unconfigurable(
                "The provider for this resource has inputs that are not known during preview.\n"
                "This preview may not correctly represent the changes that will be applied during an update."
            )
        request = provider_pb2.DiffRequest(
            id=id_,
            urn=urn,
            name=urn_name(urn),
            type=urn_type(urn),
            old_inputs=self._wire(old_inputs, unknowns),
            olds=self._wire(old.outputs, unknowns),
            news=self._wire(new, unknowns),
            ignoreChanges=ignored,
        )
        return _diff(self._call("Diff", request, urn))

    def create(self, urn: str, inputs: Props, timeout: float) -> tuple[str, Props]:
        """Create the resource; in a preview, what the provider foretells of it, or else its inputs."""
        if self._preview and not self.known:
            return "", {}
        if self._preview and not self._protocol.preview:
            return "", dict(inputs)
        request = provider_pb2.CreateRequest(
            urn=urn,
            name=urn_name(urn),
            type=urn_type(urn),
            properties=self._wire(inputs, self._preview),
            timeout=timeout,
            preview=self._preview,
        )
        answer = self._call("Create", request, urn, inputs)
        if not answer.id and not self._preview:
            raise StepError(f"plugin returned empty resource.ID from create '{urn}'")
        return answer.id, self._outputs(answer.properties, inputs)

    def update(self, old: State, new: State, ignored: list[str], timeout: float) -> Props:
        """Update the resource; in a preview, as `create`."""
        if self._preview and not self.known:
            return {}
        if self._preview and not self._protocol.preview:
            return dict(new.inputs)
        request = provider_pb2.UpdateRequest(
            id=old.id,
            urn=new.urn,
            name=urn_name(new.urn),
            type=new.type,
            olds=self._wire(old.outputs, False),
            news=self._wire(new.inputs, self._preview),
            old_inputs=self._wire(old.inputs, False),
            timeout=timeout,
            ignoreChanges=ignored,
            preview=self._preview,
        )
        return self._outputs(self._call("Update", request, new.urn, new.inputs).properties, new.inputs)

    def delete(self, state: State, timeout: float) -> None:
        """Delete the resource."""
        request = provider_pb2.DeleteRequest(
            id=state.id,
            urn=state.urn,
            name=urn_name(state.urn),
            type=state.type,
            properties=self._wire(state.outputs, False),
            old_inputs=self._wire(state.inputs, False),
            timeout=timeout,
        )
        self._call("Delete", request, state.urn)

    def read(
        self, urn: str, id_: str, inputs: Props, outputs: Props, timeout: float
    ) -> tuple[str, Props | None, Props | None]:
        """Id, inputs (None: the provider tells none) and outputs; an empty id means it is gone."""
        if not self.known:
            return "", {}, {}
        request = provider_pb2.ReadRequest(
            id=id_,
            urn=urn,
            name=urn_name(urn),
            type=urn_type(urn),
            properties=self._wire(outputs, False),
            inputs=self._wire(inputs, False),
            timeout=timeout,
        )
        answer = self._call("Read", request, urn)
        live = from_wire(answer.properties, reject_unknowns=True) if answer.HasField("properties") else None
        given = from_wire(answer.inputs, reject_unknowns=True) if answer.HasField("inputs") else None
        self._annotate(given, inputs)
        self._annotate(live, outputs)
        return answer.id, given, live

    def invoke(self, token: str, args: Props) -> tuple[Props, list[tuple[str, str]]]:
        """Call a function of the provider."""
        if not self.known:
            return {}, []
        request = provider_pb2.InvokeRequest(tok=token, args=self._wire(args, False), preview=self._preview)
        answer = self._call("Invoke", request, token)
        result = from_wire(getattr(answer, "return"), reject_unknowns=True)
        if contains(args, Secret) and not self._protocol.secrets:
            result = {k: v if isinstance(v, Secret) else Secret(v) for k, v in result.items()}
        return result, [(f.property, f.reason) for f in answer.failures]

    def _call(self, method: str, request: Any, urn: str, inputs: Props | None = None) -> Any:
        doing = f"{method.lower()} of {urn_name(urn) if urn.startswith('urn:') else urn}"
        try:
            return self._plugin.call(method, request, doing)
        except NotImplementedError as error:
            raise StepError(f"the provider {self._plugin.package} doesn't implement {method}") from error
        except InitFailed as error:
            error.outputs = self._outputs(error.detail.properties, inputs or {})
            raise

    def _outputs(self, properties: Any, inputs: Props) -> Props:
        outputs = from_wire(properties, reject_unknowns=not self._preview)
        self._annotate(outputs, inputs)
        return outputs

    def _wire(self, props: Props, unknowns: bool) -> Any:
        protocol = self._protocol
        return to_wire(props, secrets=protocol.secrets, resources=protocol.resources, unknowns=unknowns)

    def _annotate(self, outs: Props | None, ins: Props) -> None:
        if not self._protocol.secrets:
            annotate_secrets(outs, ins)


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
        self._instances: dict[tuple[str, str], Instance] = {}
        self._lock = threading.RLock()

    def find(self, reference: str) -> Instance:
        """The instance a resource's `provider` names.

        Raises:
            StepError: there is none.
        """
        instance = self._instances.get(split_reference(reference))
        if instance is None:
            raise StepError(f"unknown provider '{reference}'")
        return instance

    def has(self, reference: str) -> bool:
        """Whether the instance is there."""
        return split_reference(reference) in self._instances

    def check(self, urn: str, old: Props, new: Props) -> tuple[Props, list[tuple[str, str]]]:
        """Load a provider and let it check its configuration; it waits unconfigured."""
        instance = self._load(urn)
        inputs, failures = instance.check_config(urn, _public(old), _public(new))
        if failures:
            return inputs, failures
        if "version" in new:
            inputs.setdefault("version", new["version"])
        if INTERNAL in new:
            inputs[INTERNAL] = new[INTERNAL]
        self._instances[urn, UNCONFIGURED] = instance
        return inputs, []

    def diff(self, urn: str, old: State, new: Props) -> Diff:
        """Compare a provider's configuration; one that can't compare is updated in place."""
        instance = self._instances.get((urn, UNCONFIGURED)) or self._instances[urn, old.id]
        diff = instance.diff_config(urn, _public(old.inputs), old.outputs, _public(new))
        if diff.changes is None:
            diff.changes = not equal(old.outputs, _public(new))
        return diff

    def same(self, state: State, *, checked: bool) -> None:
        """Have an unchanged provider ready, configured with the inputs of its state."""
        with self._lock:
            if (state.urn, state.id) in self._instances:
                return
            instance = self._instances.pop((state.urn, UNCONFIGURED), None) if checked else None
            instance = instance or self._load(state.urn)
            instance.configure(state.urn, state.id, _public(state.inputs))
            self._instances[state.urn, state.id] = instance

    def create(self, urn: str, inputs: Props) -> tuple[str, Props]:
        """Configure a new provider under a new id (in a preview an unknown one)."""
        with self._lock:
            instance = self._instances.pop((urn, UNCONFIGURED), None) or self._load(urn)
            id_ = UNKNOWN_WIRE if self._preview else str(uuid.uuid4())
            instance.configure(urn, id_, _public(inputs))
            self._instances[urn, id_] = instance
        return id_, _public(inputs)

    def update(self, old: State, new: State) -> Props:
        """Configure a changed provider under its old id."""
        with self._lock:
            instance = self._instances.pop((new.urn, UNCONFIGURED))
            instance.configure(new.urn, old.id, _public(new.inputs))
            self._instances[new.urn, old.id] = instance
        return _public(new.inputs)

    def ensure(self, reference: str, states: list[State]) -> None:
        """Have the provider of an old resource ready, from the old states if need be: it may be replaced itself."""
        if not reference or self.has(reference):
            return
        wanted = split_reference(reference)
        state = next((s for s in states if (s.urn, s.id) == wanted and is_provider(s.type)), None)
        if state is None:
            raise StepError(f"unknown provider '{reference}'")
        self.same(state, checked=False)

    def _load(self, urn: str) -> Instance:
        return Instance(self._plugins.get(package_of(urn_type(urn))), self._preview)


def _public(props: Props) -> Props:
    return {k: v for k, v in props.items() if k != INTERNAL}
