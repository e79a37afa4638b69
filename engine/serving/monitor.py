"""The gRPC service that the program registers its resources with (ResourceMonitor).

Source: `pkg/resource/deploy/source_eval.go` of Pulumi 3.260.
"""

from __future__ import annotations

import os
import re
import threading
import urllib.parse
from pathlib import Path
from typing import Any, NoReturn

from pulumi.runtime.proto import resource_pb2, resource_pb2_grpc

from backend.checkpoint import State
from backend.errors import StackError
from backend.urns import (
    PROVIDER_PREFIX,
    is_provider,
    is_stack,
    package_of,
    split_reference,
    urn_name,
    urn_type,
)
from backend.values import Props, Secret, Unknown, contains
from engine.errors import StepError, refused
from engine.events import Step
from engine.planning.planner import Planner
from engine.planning.requests import (
    FEATURES,
    InvalidError,
    aliases_of,
    refuse_options,
    set_version,
    timeouts_of,
)
from engine.providers.plugins import DYNAMIC
from engine.providers.wire import EMPTY, from_wire, to_wire
from engine.runs import Run
from engine.steps.actions import Goal
from engine.steps.executor import Executor
from engine.steps.hooks import bound


class OverError(Exception):
    """The run starts no further steps."""


SUCCESS: Any = 0
FAILED: Any = 1
SKIPPED: Any = 2  # of the enumeration Result; the SDK's own copy may lack a name


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Turns registrations into steps; one is planned at a time, many are carried out."""

    def __init__(self, run: Run, planner: Planner, executor: Executor) -> None:
        self.program_done = threading.Event()
        self.run_done = threading.Event()
        self.stack_outputs: tuple[str, Props] | None = None
        self._run = run
        self._planner = planner
        self._names = planner.names
        self._executor = executor
        self._lock = threading.RLock()
        self._registered: dict[str, Any] = {}  # requests by URN, with what they took from their parents
        self._defaults: dict[str, str] = {}
        self._packages: dict[str, tuple[str, str, str]] = {}
        self._unresolved: set[str] = set()

    # -- what it can do

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Whether the SDK may use a feature (older SDKs ask one by one)."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURES)

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What the run is, and which features the SDK may use."""
        prefix = "RESOURCE_MONITOR_FEATURE_"
        return resource_pb2.DeploymentInfo(
            project=self._names.project,
            stack=self._names.stack,
            organization="organization",
            config=self._run.texts,
            configSecretKeys=self._run.secret_keys,
            dryRun=self._run.preview,
            parallel=self._run.options.parallel,
            supportedFeatures=[getattr(resource_pb2, prefix + name) for name in FEATURES.values()],
        )

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The program has registered everything; it ends when the run does."""
        self.program_done.set()
        self._run.wake.set()
        self.run_done.wait()
        return EMPTY

    def RegisterPackage(self, request: Any, context: Any) -> Any:  # noqa: N802
        """A handle for a package and version."""
        if request.HasField("parameterization") or request.HasField("extension"):
            raise StepError(refused(f"parameterized package {request.name}"))
        package = (request.name, request.version, request.download_url)
        handle = " ".join(package)
        self._packages[handle] = package
        return resource_pb2.RegisterPackageResponse(ref=handle)

    def RegisterStackTransform(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refused."""
        raise StepError(refused("stack transforms"))

    def RegisterStackInvokeTransform(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refused."""
        raise StepError(refused("invoke transforms"))

    def RegisterResourceHook(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Keep a hook of the program that resources are going to name."""
        options = {"on_dry_run": request.on_dry_run, "ignore_errors": request.ignore_errors}
        return self._register_hook(request, **options)

    def RegisterErrorHook(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Keep a hook that decides whether a failed operation is tried again."""
        return self._register_hook(request, error=True)

    def _register_hook(self, request: Any, **options: bool) -> Any:
        with self._lock:
            self._executor.hooks.register(request.name, request.callback, **options)
        return EMPTY

    def ExistsResource(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refused."""
        raise StepError(refused("exists()"))

    def Call(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refused."""
        raise StepError(refused(f"method call {request.tok}"))

    # -- resources

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Register a resource; the answer comes when it is created, updated, replaced or found unchanged.

        A failure is reported as a result, so that the rest of the program goes on.
        """
        self._inherit(request)
        urn = self._names.urn(request.parent, request.type, request.name)
        try:
            refuse_options(request)
            with self._lock:
                self._check_over()
                goal = self._goal(request)
                actions = self._planner.register(goal)
                request.provider = goal.state.provider
                self._registered[urn] = request
                if self._executor.skips(goal.state):
                    return resource_pb2.RegisterResourceResponse(urn=urn, result=SKIPPED)
        except InvalidError:
            raise
        except (StepError, StackError) as error:
            op = "update" if urn in self._planner.olds else "create"
            self._reject(Step(op, urn, request.type, request.name, custom=request.custom), error)
        state = goal.state
        done = self._executor.run(actions)
        if not done:
            self._check_over()
        self._unresolved.discard(state.urn)
        skipped = any(a.skipped for a in actions)
        unknown = self._run.preview and contains(state.outputs, Unknown)
        if skipped or unknown or (state.custom and not state.id):
            self._unresolved.add(state.urn)
        outputs = state.outputs if request.custom else {}
        return resource_pb2.RegisterResourceResponse(
            urn=state.urn,
            result=SUCCESS if done else FAILED,  # it may exist and not be ready
            id=state.id,
            object=_accepted(outputs, request),
            unknown=skipped,
        )

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The outputs of a component; the stack's are kept until the run's outcome is known."""
        self._check_over()
        outputs = from_wire(request.outputs)
        if is_stack(request.urn):
            self.stack_outputs = (request.urn, outputs)
            return EMPTY
        try:
            self._executor.set_outputs(request.urn, outputs)
        except (StepError, StackError) as error:
            step = Step("update", request.urn, urn_type(request.urn), urn_name(request.urn), custom=False)
            self._reject(step, error)
        return EMPTY

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Read a resource that the stack doesn't own (`get`)."""
        if request.type == "pulumi:pulumi:StackReference":
            raise StepError(refused("stack references"))
        new = State(
            urn=request.name,
            type=request.type,
            custom=True,
            id=request.id,
            external=True,
            parent=request.parent,
            dependencies=sorted(request.dependencies),
            additional_secret_outputs=list(request.additionalSecretOutputs),
            source_position=self._position(request),
        )
        self._check_over()
        new.inputs = from_wire(request.properties)
        with self._lock:
            new.provider = request.provider or self._default_provider(request)
            try:
                actions = self._planner.read(new)
            except StepError as error:
                self._reject(Step("read", new.urn, request.type, request.name), error)
            if self._executor.skips(new):
                return resource_pb2.ReadResourceResponse(urn=new.urn, result=SKIPPED)
        done = self._executor.run(actions)
        if not done:
            self._check_over()
        result = SUCCESS if done else FAILED
        properties = _accepted(new.outputs, request)
        return resource_pb2.ReadResourceResponse(urn=new.urn, properties=properties, result=result)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Call a provider's function; unknown while a resource it depends on isn't there yet."""
        if request.tok.startswith("pulumi:pulumi:"):
            raise StepError(refused(f"function {request.tok}"))
        try:
            args = from_wire(request.args)
            with self._lock:
                reference = request.provider or self._default_provider(request)
                instance = self._executor.registry.find(reference)
            if self._unresolved.intersection(request.dependsOn):
                return resource_pb2.ResourceInvokeResponse(unknown=True)
            result, failures = instance.invoke(request.tok, args)
        except (StepError, StackError) as error:
            raise StepError(f"invocation of {request.tok} returned an error: {error}") from error
        answer = resource_pb2.ResourceInvokeResponse(failures=failures)
        wired = to_wire(result, secrets=True, resources=request.acceptResources, unknowns=True)
        getattr(answer, "return").CopyFrom(wired)
        return answer

    # -- the parts

    def _inherit(self, request: Any) -> None:
        """Options that a child takes from its parent."""
        parent = self._registered.get(request.parent)
        if parent is None:
            return
        for option in ("protect", "retainOnDelete"):
            if parent.HasField(option) and not request.HasField(option):
                setattr(request, option, getattr(parent, option))
        if parent.provider and request.custom and not request.provider:
            urn, _ = split_reference(parent.provider)
            if package_of(urn_type(urn)) == package_of(request.type):
                request.provider = parent.provider
        if not parent.custom:
            for package, reference in parent.providers.items():
                request.providers.setdefault(package, reference)

    def _goal(self, request: Any) -> Goal:
        inputs = from_wire(request.object)
        properties = {k: sorted(d.urns) for k, d in request.propertyDependencies.items()}
        for key in inputs:
            properties.setdefault(key, [] if request.propertyDependencies else sorted(request.dependencies))
        state = State(
            urn=request.name,
            type=request.type,
            custom=request.custom,
            inputs=inputs,
            parent=request.parent,
            dependencies=sorted(request.dependencies),
            property_dependencies=properties if request.custom or inputs else {},
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            additional_secret_outputs=list(request.additionalSecretOutputs),
            ignore_changes=list(request.ignoreChanges),
            replace_on_changes=list(request.replaceOnChanges),
            source_position=self._position(request),
            resource_hooks=bound(request.hooks),
        )
        if is_provider(request.type):
            set_version(inputs, request.version, request.pluginDownloadURL)
        elif request.custom:
            state.provider = self._provider(request)
        state.custom_timeouts = timeouts_of(request.customTimeouts)
        before = request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
        return Goal(state, aliases_of(request, self._names), before)

    def _provider(self, request: Any) -> str:
        package = package_of(request.type)
        reference = request.provider or request.providers.get(package, "")
        return str(reference) if reference else self._default_provider(request)

    def _default_provider(self, request: Any) -> str:
        """The reference of a package's default provider, which is registered when first asked for."""
        token = request.tok if hasattr(request, "tok") else request.type
        package, version, url = package_of(token), request.version, request.pluginDownloadURL
        if request.packageRef:
            package, version, url = self._packages[request.packageRef]
        url = url.rstrip("/")
        name = "default" + (re.sub(r"[.+-]", "_", f"_{version}") if version else "")
        if url:
            parts = (re.sub(r"[^A-Za-z0-9_.-]", "_", part) for part in url.split("/") if part)
            name += "_" + "/".join(parts)
        if f"{package}:{name}" not in self._defaults:
            inputs = self._package_config(package)
            set_version(inputs, version, url)
            state = State(urn=name, type=PROVIDER_PREFIX + package, custom=True, inputs=inputs)
            if not self._executor.run(self._planner.register(Goal(state))):
                raise StepError(f"the provider of package {package} can't be configured")
            self._defaults[f"{package}:{name}"] = f"{state.urn}::{state.id}"
        return self._defaults[f"{package}:{name}"]

    def _package_config(self, package: str) -> Props:
        props: Props = {}
        for key, value in self._run.config.items():
            namespace, _, name = key.partition(":")
            if package == DYNAMIC or namespace == package:
                wanted = key if package == DYNAMIC else name
                props[wanted] = Secret(value.text) if value.secret else value.text
        return props

    def _reject(self, step: Step, error: Exception) -> NoReturn:
        """What can't be registered ends the run, even one that is to go on after errors."""
        self._executor.fail(step, str(error), fatal=True)
        raise OverError from error

    def _check_over(self) -> None:
        if self._executor.over.is_set():
            raise OverError

    def _position(self, request: Any) -> str:
        """Where the program registers the resource, relative to the project, as Pulumi writes it."""
        url = urllib.parse.urlparse(request.sourcePosition.uri)
        if url.scheme != "file":
            return ""
        relative = Path(os.path.relpath(urllib.parse.unquote(url.path), self._run.ws.root)).as_posix()
        column = f",{request.sourcePosition.column}" if request.sourcePosition.column else ""
        return f"project:///{urllib.parse.quote(relative)}#{request.sourcePosition.line}{column}"


def _accepted(outputs: Props, request: Any) -> Any:
    return to_wire(outputs, secrets=request.acceptSecrets, resources=request.acceptResources, unknowns=True)
