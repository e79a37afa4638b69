"""Pulumi's options on what a program declares: each does what Pulumi's documents say, or is refused by name in the preview."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import ClassVar, NamedTuple

import pulumi

_LEAVE_OUT = "leave it out"


class _Refusal(NamedTuple):
    """Why an option is refused, and what to do instead."""

    why: str
    remedy: str


_EXISTING = "adopt what is there already with existing=, where the resource takes it"
_ANEW = _Refusal(
    "a change is made in place, and what is made anew would be the same thing under the same name",
    "leave it out; train anew with force=, and give another endpoint or service another name",
)
# On whatever this project declares, on a resource, on a component.
_NEVER = {
    "import_": _Refusal("it cannot be imported into a state", _EXISTING),
    "id": _Refusal("it is not looked up by an id", _EXISTING),
    "urn": _Refusal("it is declared, not read from a state", _EXISTING),
    "deleted_with": _Refusal(
        "its delete takes back more than the thing: the mark of its owner too",
        "leave it out, or keep the thing itself with retain_on_delete",
    ),
    "env_var_mappings": _Refusal("it is no provider", _LEAVE_OUT),
    "state_migrations": _Refusal(
        "its states are read as they are", "give its old name, type or parent in aliases"
    ),
    "replacement_trigger": _ANEW,
    "replace_with": _ANEW,
}
_OWN_PROVIDER = _Refusal(
    "it has a provider of its own, which comes with this project",
    "leave it out; target= says where it is, and a Workspace takes a provider of azure-native",
)
_RESOURCE = _NEVER | {
    "replace_on_changes": _ANEW,
    "delete_before_replace": _Refusal("what is served would be gone before there is another", _LEAVE_OUT),
    "additional_secret_outputs": _Refusal(
        "others are made from its outputs, which are kept and shown as plain text",
        "leave it out: keys and credentials are never among them",
    ),
    "custom_timeouts": _Refusal(
        "nothing heeds it",
        "leave it out; RunLimits(deadline_minutes=) bounds a run, Rollout(probe_deadline=) a probe",
    ),
    **dict.fromkeys(("provider", "providers", "version", "plugin_download_url"), _OWN_PROVIDER),
}
_NOT_HANDED_ON = _Refusal(
    "Pulumi hands it on to none of its parts",
    "leave it out, or give it to the part that it is for, by a transformation",
)
_COMPONENT = _NEVER | dict.fromkeys(
    (
        *("additional_secret_outputs", "custom_timeouts", "delete_before_replace", "hide_diffs"),
        *("ignore_changes", "plugin_download_url", "replace_on_changes", "version"),
    ),
    _NOT_HANDED_ON,
)


class Component(pulumi.ComponentResource):
    """A component. *packages* are those whose resources are among its parts, so that it takes a provider of them."""

    packages: ClassVar[frozenset[str]] = frozenset()
    existing: str | None = None
    retained: bool | None = None

    def __init__(self, token: str, name: str, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(f"retrain:index:{token}", name, None, judged(self, opts, self._judge))

    def _judge(self, args: pulumi.ResourceTransformationArgs) -> None:
        _refuse(args, _COMPONENT)
        for option in ("provider", "providers"):
            given = getattr(args.opts, option) or ()
            given = given.values() if isinstance(given, Mapping) else given
            for provider in given if isinstance(given, Collection) else [given]:
                if provider.package not in self.packages:
                    refuse(args, option, f"none of its parts is of {provider.package}", _OWN_PROVIDER.remedy)
        parent = args.opts.parent
        self.retained = args.opts.retain_on_delete
        if self.retained is None and isinstance(parent, Component):
            self.retained = parent.retained

    def refuse_kept_in(self, holder: Component) -> None:
        """Raise RunError where this is to be retained, and is deleted with *holder* all the same. What existed never is."""
        if self.retained and not (holder.retained or self.existing or holder.existing):
            raise pulumi.RunError(
                f"{_named(self)}: retain_on_delete is refused: it is deleted with {_named(holder)}, which is not retained\n"
                f"remedy: give retain_on_delete to {_named(holder)} as well, or to neither"
            )


def judged(
    resource: pulumi.Resource,
    opts: pulumi.ResourceOptions | None,
    judge: Callable[[pulumi.ResourceTransformationArgs], pulumi.ResourceTransformationResult | None],
) -> pulumi.ResourceOptions:
    """*opts* of *resource*, which *judge* sees when all transformations are done, its parents' and the stack's too."""

    def first(args: pulumi.ResourceTransformationArgs) -> None:
        if args.resource is resource:  # its parts have its transformations as well
            resource._transformations.append(last)

    def last(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        return judge(args) if args.resource is resource else None

    return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(transformations=[first]), opts)


def refuse_on_resource(args: pulumi.ResourceTransformationArgs, ignorable: Collection[str]) -> None:
    """Raise RunError for an option that a resource does not go by; it may ignore changes of what is *ignorable*."""
    _refuse(args, _RESOURCE)
    whole = args.opts.parent
    if (
        args.opts.retain_on_delete
        and "owner" in args.props
        and isinstance(whole, Component)
        and not whole.retained
    ):
        why = f"it is a part of {_named(whole)}, which is not retained"
        refuse(args, "retain_on_delete", why, f"give it to {_named(whole)}")
    for name in args.opts.ignore_changes or []:
        if name not in ignorable:
            remedy = f"leave it out, or name one of these: {', '.join(sorted(ignorable))}"
            refuse(
                args,
                f"ignore_changes of {name!r}",
                "what is derived from others, and a part of a property, changes with them",
                remedy if ignorable else _LEAVE_OUT,
            )


def _refuse(args: pulumi.ResourceTransformationArgs, refused: Mapping[str, _Refusal]) -> None:
    for option, refusal in refused.items():
        given = getattr(args.opts, option, None)
        if given is not None and given is not False and given not in ([], {}, ""):
            refuse(args, option, refusal.why, refusal.remedy)


def refuse(args: pulumi.ResourceTransformationArgs, what: str, why: str, remedy: str) -> None:
    """Raise RunError, which Pulumi shows without a traceback."""
    raise pulumi.RunError(
        f"{type(args.resource).__name__} {args.name!r}: {what} is refused: {why}\nremedy: {remedy}"
    )


def _named(component: Component) -> str:
    return f"{type(component).__name__} {component.pulumi_resource_name!r}"
