"""A schedule of Azure ML v2 that asks for a retraining: it leaves marks, and `watch` acts on them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pulumi

from clients.azureml.schedules import TAG
from clients.protocols import AZUREML
from components.services.workspace import Workspace
from components.shared.options import Component
from components.shared.ownership import stack_claim
from retrain_hooks.experiments.carried import IMAGE
from retrain_hooks.ownership.names import default_name

if TYPE_CHECKING:
    from retrain_hooks.triggers.schedule import Settings

_TRIGGER = "schedule"  # what the configuration's list of triggers calls it
_NAME = 60
_COMMAND = "echo due"
_LIMIT = "PT10M"


class RetrainSchedule(Component):
    """A schedule of *workspace*, of kind ``azureml``, at the times that *settings* say. ``id`` is its ARM id.

    Its job only says that it was due, and trains nothing: what is to be trained, and whether, is known when `watch` previews.
    With ``existing`` in its settings it is one that is there already, whatever its jobs do: it is read, never changed.
    """

    def __init__(
        self,
        name: str,
        *,
        workspace: Workspace,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("RetrainSchedule", name, opts)
        if workspace.kind != AZUREML:
            raise pulumi.RunError(
                f"the schedule {name!r}: the kind {workspace.kind} has no schedules of its own\n"
                "remedy: let `watch` keep the time, by a trigger `cron`"
            )
        self.existing = settings.existing or None
        self.refuse_kept_in(workspace)
        child = pulumi.ResourceOptions(
            parent=self, depends_on=[stack_claim(workspace.target)], provider=workspace.parts.provider
        )
        made = self._adopted(workspace, settings, child) if self.existing else None
        self.id: pulumi.Output[str] = made or self._declared(workspace, settings, child)
        self.register_outputs({"id": self.id})

    def _adopted(
        self, workspace: Workspace, settings: Settings, child: pulumi.ResourceOptions
    ) -> pulumi.Output[str]:
        from pulumi_azure_native import machinelearningservices

        id_ = pulumi.Output.concat(workspace.parts.id, "/schedules/", settings.existing)
        found = machinelearningservices.Schedule.get(f"{self._name}-schedule", id_, opts=child)
        return found.id  # type: ignore[no-any-return]

    def _declared(
        self, workspace: Workspace, settings: Settings, child: pulumi.ResourceOptions
    ) -> pulumi.Output[str]:
        from pulumi_azure_native import machinelearningservices

        parts = workspace.parts
        called = default_name(pulumi.get_project(), pulumi.get_stack(), self._name, limit=_NAME)
        where: dict[str, Any] = {"workspace_name": parts.name, "resource_group_name": parts.group}
        named = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(ignore_changes=["name"]))
        environment = machinelearningservices.EnvironmentVersion(
            f"{self._name}-environment",
            name=called,
            version=hashlib.sha256(IMAGE.encode()).hexdigest()[:8],
            properties=machinelearningservices.EnvironmentVersionPropertiesArgs(image=IMAGE),
            opts=named,
            **where,
        )
        job = {
            "jobType": "Command",
            "command": _COMMAND,
            "environmentId": environment.id,
            "experimentName": called,
            "limits": {"jobLimitsType": "Command", "timeout": _LIMIT},
            "tags": {**parts.tags, TAG: called},
            **({"computeId": parts.compute} if parts.compute else {}),
        }
        made = machinelearningservices.Schedule(
            f"{self._name}-schedule",
            name=called,
            properties={
                "displayName": called,
                "description": "Says when a retraining is due; `./dev watch` retrains",
                "tags": parts.tags,
                "isEnabled": settings.enabled,
                "trigger": settings.trigger(),
                "action": {"actionType": "CreateJob", "jobDefinition": job},
            },
            opts=named,
            **where,
        )
        return made.id  # type: ignore[no-any-return]

    @classmethod
    def from_config(cls, config: pulumi.Config, workspace: Workspace) -> dict[str, pulumi.Output[str]]:
        """Those of the configuration's `triggers` that are kept by the service: their ids, by their names in the stack."""
        triggers = config.get_object("triggers") or []
        if not any(_TRIGGER in one for one in triggers):
            return {}
        from retrain_hooks.triggers.declared import declared  # brings the libraries of all kinds
        from retrain_hooks.triggers.schedule import Settings

        wanted = [one.settings for one in declared(triggers) if isinstance(one.settings, Settings)]
        return {one.name: cls(one.name, workspace=workspace, settings=one).id for one in wanted}
