"""Notifications: who is told of models that were trained, judged and bound."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.output import Unknown
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_root_resource, monitor_supports_feature

from clients.errors import ConfigurationError
from retrain_hooks.notifications.channels import Channel, channel_of
from retrain_hooks.notifications.delivery import Happened, deliver, record_of

_HOOKS = {event: f"notify-{event}" for event in ("trained", "judged", "bound")}  # names that states keep


@dataclass
class _Notifications:
    """What one program declared."""

    channels: list[Channel] = field(default_factory=list)
    bindings: dict[str, pulumi.ResourceHookBinding | None] = field(default_factory=dict)


_declared: WeakKeyDictionary[Any, _Notifications] = WeakKeyDictionary()


def notify(*channels: Channel) -> None:
    """Tell *channels* what an update does to the models that are declared after this line.

    ::

        ml.notify(ml.Webhook(url_from="RETRAIN_WEBHOOK"), ml.JsonLines("retraining.jsonl", events=["bound"]))

    Nobody is told anything in a preview. What can't be delivered is a warning, never a failure of the update.

    Raises ConfigurationError where a model was declared before.
    """
    declared = _of_this_program()
    if declared.bindings and channels:
        raise ConfigurationError(
            "notify() is called after a model was declared, of which nobody would be told",
            "call it before the first TrainedModel and Endpoint",
        )
    declared.channels.extend(channels)


def notify_from_config(config: pulumi.Config) -> None:
    """Tell the channels that the configuration's list ``notifications`` declares.

    Raises RunError, which Pulumi shows without a traceback, for an entry that is none.
    """
    try:
        notify(*(channel_of(entry) for entry in config.get_object("notifications") or []))
    except ConfigurationError as error:
        raise pulumi.RunError(str(error)) from None


def notified(event: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions | None:
    """*opts* of a resource whose steps are *event* (trained | judged | bound), with the hooks that tell of them.

    Without a channel that wants to hear of it, they are returned as they are: hooks change the state's format.
    """
    declared = _of_this_program()
    if event not in declared.bindings:
        declared.bindings[event] = _binding(event, declared.channels)
    binding = declared.bindings[event]
    return (
        opts if binding is None else pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=binding))
    )


def _of_this_program() -> _Notifications:
    """One program's own, where a process runs several (tests, the Automation API)."""
    return _declared.setdefault(get_root_resource() or _Notifications, _Notifications())


def _binding(event: str, channels: list[Channel]) -> pulumi.ResourceHookBinding | None:
    binding = pulumi.ResourceHookBinding()
    if any(event in channel.events for channel in channels):

        async def after(args: pulumi.ResourceHookArgs) -> None:
            await _tell(channels, event, args, args.new_outputs)

        hook = pulumi.ResourceHook(_HOOKS[event], after, pulumi.ResourceHookOptions(ignore_errors=True))
        binding.after_create = binding.after_update = [hook]
    # The Pulumi CLI calls hooks of failures since 3.244.
    if any("failed" in channel.events for channel in channels) and monitor_supports_feature(
        resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS
    ):

        async def failed(args: pulumi.ErrorHookArgs) -> bool:
            if args.failed_operation != "delete" and not pulumi.runtime.is_dry_run():
                await _tell(channels, event, args, None, error=(args.errors or [""])[0])
            return False  # don't try again

        binding.on_error = [pulumi.ErrorHook(f"{_HOOKS[event]}-failed", failed)]
    return binding if binding.after_create or binding.on_error else None


async def _tell(
    channels: list[Channel],
    event: str,
    args: pulumi.ResourceHookArgs | pulumi.ErrorHookArgs,
    outputs: Mapping[str, Any] | None,
    error: str = "",
) -> None:
    """Build the record and deliver it, aside from the program's event loop. Never raises."""
    try:
        failed = outputs is None
        happened = Happened(
            "failed" if failed else event,
            args.urn,
            args.type,
            args.name,
            _known(args.new_inputs),
            _known(outputs),
            _known(args.old_outputs),
            during=event if failed else "",
            error=error,
        )
        record = record_of(happened, project=pulumi.get_project(), stack=pulumi.get_stack())
        root = Path(pulumi.get_root_directory())
        loop = asyncio.get_running_loop()
        warnings = await loop.run_in_executor(None, deliver, channels, record, root)
    except Exception as problem:
        warnings = [f"notification of {event} {args.name}: {type(problem).__name__}; the update goes on"]
    for warning in warnings:
        pulumi.log.warn(warning)


def _known(props: Mapping[str, Any] | None) -> dict[str, Any]:
    """Without secrets, unknowns and Pulumi's own entries."""
    found: dict[str, Any] = _shown(props or {})
    return found


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shown(item) for key, item in value.items() if not str(key).startswith("__")}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return None if isinstance(value, pulumi.Output | Unknown | pulumi.Resource) else value
