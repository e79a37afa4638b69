"""The provider's service: what each call of `pulumirpc.ResourceProvider` does, for all declared types alike.

Source: pulumi's provider.proto (SDK 3.272), and the observable behaviour of azure-native 3.x. `Cancel` comes at
the end of every run, of which several may be attached; so it stops what its own run waits for, and nothing else.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from pulumi.runtime.proto import provider_pb2_grpc

from localcloud.azure_native import catalog, shape
from localcloud.azure_native.arm import ArmClient, Patience
from localcloud.azure_native.checks import CREATE_BEFORE_DELETE, Naming, problems, with_defaults
from localcloud.azure_native.diff import changes, same_at
from localcloud.azure_native.errors import OperationFailed, ProviderError
from localcloud.azure_native.protos import (
    Context,
    Message,
    empty_pb2,
    grpc,
    plugin_pb2,
    provider_pb2,
    status_pb2,
)
from localcloud.azure_native.sessions import Session, Sessions
from localcloud.azure_native.spec import Function, ResourceType
from localcloud.azure_native.wire import UNKNOWN, Secret, decode, encode, has_unknown, plain, secrets_as_in

VERSION = "3.29.0"

_log = logging.getLogger("localcloud.azure_native")
_Method = TypeVar("_Method", bound=Callable[..., Any])
_Kind = provider_pb2.PropertyDiff.Kind
_KINDS = {
    ("add", False): _Kind.ADD,
    ("add", True): _Kind.ADD_REPLACE,
    ("delete", False): _Kind.DELETE,
    ("delete", True): _Kind.DELETE_REPLACE,
    ("update", False): _Kind.UPDATE,
    ("update", True): _Kind.UPDATE_REPLACE,
}


def _answered(method: _Method) -> _Method:
    """Report failures as cause and remedy; what nobody foresaw goes to the log with its traceback."""

    @functools.wraps(method)
    def call(self: Provider, request: Message, context: Context) -> Message:
        try:
            return method(self, request, context)
        except ProviderError as error:
            failure = error
            if isinstance(error, OperationFailed) and error.detail:
                context.set_trailing_metadata((("grpc-status-details-bin", error.detail),))
        except Exception as error:
            _log.exception("unexpected error in %s", method.__name__)
            failure = ProviderError(
                f"the azure-native stand-in failed in {method.__name__}: {type(error).__name__}",
                "./dev cloud logs has the details",
            )
        context.abort(grpc.StatusCode.UNKNOWN, str(failure))
        raise AssertionError("abort raises")

    return cast(_Method, call)


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Answers `azure-native` from the ARM side of the cloud that the cloud file names."""

    def __init__(self, sessions: Sessions, arm: ArmClient) -> None:
        self._sessions = sessions
        self._arm = arm

    # The provider itself

    def Handshake(self, request: Message, context: Context) -> Message:  # noqa: N802
        """What this provider takes: secrets, and naming as configured in the project."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True,
            accept_resources=False,
            accept_outputs=False,
            supports_autonaming_configuration=True,
        )

    def Attach(self, request: Message, context: Context) -> Message:  # noqa: N802
        """A run attached; nothing is said back to its engine."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Message, context: Context) -> Message:  # noqa: N802
        """The version of azure-native that is stood in for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetMapping(self, request: Message, context: Context) -> Message:  # noqa: N802
        """There is no mapping from other ecosystems."""
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Message, context: Context) -> Message:  # noqa: N802
        """There is no mapping from other ecosystems."""
        return provider_pb2.GetMappingsResponse()

    def CheckConfig(self, request: Message, context: Context) -> Message:  # noqa: N802
        """Any configuration of azure-native will do: the local cloud needs none."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Message, context: Context) -> Message:  # noqa: N802
        """No change of the configuration replaces anything."""
        return provider_pb2.DiffResponse()

    @_answered
    def Configure(self, request: Message, context: Context) -> Message:  # noqa: N802
        """Begin a run: find the cloud, and keep the default location."""
        given = decode(request.args)
        location = (
            plain(given.get("location")) or request.variables.get("azure-native:config:location") or None
        )
        self._sessions.configure(context.peer(), location)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=False,
            acceptOutputs=False,
            supports_autonaming_configuration=True,
        )

    def Cancel(self, request: Message, context: Context) -> Message:  # noqa: N802
        """One run ended, or is to end: it waits for nothing any more. Others go on."""
        self._sessions.of(context.peer()).stopped.set()
        return empty_pb2.Empty()

    # Functions

    @_answered
    def Invoke(self, request: Message, context: Context) -> Message:  # noqa: N802
        """Answer a function of the catalog."""
        session = self._sessions.of(context.peer())
        if request.tok == "azure-native:authorization:getClientConfig":
            return provider_pb2.InvokeResponse(**{"return": encode(_client_config(session))})
        answer = self._invoke(catalog.function(request.tok), plain(decode(request.args)), session)
        return provider_pb2.InvokeResponse(**{"return": encode(answer)})

    def _invoke(self, function: Function, given: Mapping[str, Any], session: Session) -> dict[str, Any]:
        kind = function.of
        if has_unknown(given):
            names = function.outputs or tuple(field.name for field in kind.outputs)
            return dict.fromkeys(names, UNKNOWN)
        resource_id = shape.resource_id(kind, session.cloud.subscription, given)
        document = self._arm.call(
            session.cloud, function.method, resource_id + function.action, kind.api_version
        )
        if function.method == "GET":
            return {**shape.outputs(kind, document), "id": document.get("id", resource_id)}
        return {
            name: Secret(value) if name in function.secrets else value
            for name in function.outputs
            if (value := document.get(name)) is not None
        }

    # Resources

    @_answered
    def Check(self, request: Message, context: Context) -> Message:  # noqa: N802
        """Fill in defaults and say what is wrong with the inputs."""
        kind = _kind(request.urn)
        session = self._sessions.of(context.peer())
        inputs = with_defaults(
            kind, plain(decode(request.olds)), decode(request.news), _naming(request), session, self._arm
        )
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in problems(kind, inputs)
        ]
        return provider_pb2.CheckResponse(inputs=encode(inputs), failures=failures)

    @_answered
    def Diff(self, request: Message, context: Context) -> Message:  # noqa: N802
        """Old inputs against new ones, property by property."""
        kind = _kind(request.urn)
        state, news = plain(decode(request.olds)), plain(decode(request.news))
        if request.HasField("old_inputs"):
            olds = plain(decode(request.old_inputs))
        else:
            olds = {name: value for name, value in state.items() if name in news}
        found = changes(olds, news, kind.create_only)
        replaces = [
            path
            for path, change in found.items()
            if change.replaces and not (change.kind == "add" and same_at(path, state, news))
        ]
        detailed = {
            path: provider_pb2.PropertyDiff(kind=_KINDS[change.kind, path in replaces], inputDiff=True)
            for path, change in found.items()
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=replaces,
            # A name the program chose is taken as long as the old resource is there.
            deleteBeforeReplace=bool(replaces) and olds.get(CREATE_BEFORE_DELETE) is not True,
            diffs=list(found),
            detailedDiff=detailed,
            hasDetailedDiff=True,
        )

    @_answered
    def Create(self, request: Message, context: Context) -> Message:  # noqa: N802
        """PUT a resource that is not there yet; in preview, say what will be known."""
        kind, inputs = _kind(request.urn), decode(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=encode(_previewed(kind, inputs, {})))
        session = self._sessions.of(context.peer())
        resource_id = shape.resource_id(kind, session.cloud.subscription, plain(inputs))
        present = self._arm.find(session.cloud, resource_id, kind.api_version)
        if present is not None and _creator(present) != request.urn:
            raise ProviderError(
                f"cannot create already existing resource '{resource_id}'",
                f'choose another {kind.name.parameter}, or adopt it: ResourceOptions(import_="{resource_id}")',
            )
        document = self._put(kind, request, inputs, resource_id, session)
        return provider_pb2.CreateResponse(
            id=str(document.get("id") or resource_id), properties=encode(_state(kind, document, inputs))
        )

    @_answered
    def Update(self, request: Message, context: Context) -> Message:  # noqa: N802
        """PUT over the resource; in preview, say what will be known."""
        kind, inputs = _kind(request.urn), decode(request.news)
        if request.preview:
            state = _previewed(kind, inputs, plain(decode(request.olds)))
            return provider_pb2.UpdateResponse(properties=encode(state))
        document = self._put(kind, request, inputs, request.id, self._sessions.of(context.peer()))
        return provider_pb2.UpdateResponse(properties=encode(_state(kind, document, inputs)))

    @_answered
    def Read(self, request: Message, context: Context) -> Message:  # noqa: N802
        """The live resource, with the inputs that drifted; an empty id where it is gone."""
        kind, cloud = _kind(request.urn), self._sessions.of(context.peer()).cloud
        if kind.parse_id(request.id) is None:
            raise ProviderError(
                f"'{request.id}' is not the id of a {kind.token}", f"an id looks like {kind.path}"
            )
        document = self._arm.find(cloud, request.id, kind.api_version)
        if document is None:
            return provider_pb2.ReadResponse(id="")
        state, marked = shape.outputs(kind, document), decode(request.inputs)
        if marked:
            before = plain(decode(request.properties))
            inputs = shape.follow_drift(kind, plain(marked), before, state)
        else:
            inputs = shape.inputs_of(kind, request.id, document)
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=encode(_state(kind, document, marked)),
            inputs=encode(secrets_as_in(inputs, marked)),
        )

    @_answered
    def Delete(self, request: Message, context: Context) -> Message:  # noqa: N802
        """DELETE the resource; it being gone is success."""
        kind, session = _kind(request.urn), self._sessions.of(context.peer())
        patience = _patience(request, session)
        self._arm.delete(session.cloud, request.id, kind.api_version, kind.delete_query, patience)
        return empty_pb2.Empty()

    def _put(
        self,
        kind: ResourceType,
        request: Message,
        inputs: Mapping[str, Any],
        resource_id: str,
        session: Session,
    ) -> dict[str, Any]:
        if has_unknown(inputs):
            raise ProviderError(
                f"an input of {kind.token} is still unknown",
                "run again; if it stays, look at what it comes from",
            )
        body, patience = shape.request_body(kind, plain(inputs)), _patience(request, session)
        try:
            return self._arm.put(session.cloud, resource_id, kind.api_version, body, request.urn, patience)
        except OperationFailed as failure:
            there = self._arm.find(session.cloud, resource_id, kind.api_version)
            if there is not None:
                failure.detail = _unfinished(failure, resource_id, inputs, _state(kind, there, inputs))
            raise


def _kind(urn: str) -> ResourceType:
    # urn:pulumi:stack::project::parent$type::name
    qualified = urn.split("::", 3)[2] if urn.count("::") >= 3 else ""
    return catalog.resource_type(qualified.rpartition("$")[2])


def _patience(request: Message, session: Session) -> Patience:
    # As the resource's custom_timeouts say, if they do.
    return Patience(session.stopped, *([request.timeout] if request.timeout else []))


def _unfinished(
    failure: ProviderError, resource_id: str, inputs: Mapping[str, Any], state: Mapping[str, Any]
) -> bytes:
    """What the engine keeps of a resource that is there but not as it should be."""
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failure))
    status.details.add().Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=resource_id, properties=encode(state), inputs=encode(inputs), reasons=[str(failure)]
        )
    )
    return bytes(status.SerializeToString())


def _naming(request: Message) -> Naming:
    logical_name = request.name or request.urn.split("::", 3)[-1]
    if not request.HasField("autonaming"):
        return Naming(logical_name, request.randomSeed)
    disabled = request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
    return Naming(logical_name, request.randomSeed, request.autonaming.proposed_name or None, not disabled)


def _state(kind: ResourceType, document: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    state = cast(dict[str, Any], secrets_as_in(shape.outputs(kind, document), inputs))
    for field in kind.outputs:
        if field.secret and field.name in state:
            state[field.name] = Secret(plain(state[field.name]))
    return state


def _previewed(kind: ResourceType, inputs: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs as far as they are known before the call: inputs, and of an old state what never changes."""
    kept = {name: old[name] for name in ("name", "location") if name in old}
    known = {field.name: shape.previewed(field, inputs) for field in kind.outputs}
    return {**known, **kept, "azureApiVersion": kind.api_version}


def _creator(document: Mapping[str, Any]) -> str | None:
    system_data = document.get("systemData")
    return system_data.get("createdBy") if isinstance(system_data, Mapping) else None


def _client_config(session: Session) -> dict[str, str]:
    cloud = session.cloud
    return {
        "clientId": cloud.client_id,
        "objectId": cloud.object_id,
        "subscriptionId": cloud.subscription,
        "tenantId": cloud.tenant,
    }
