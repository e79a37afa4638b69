"""Training and predictive web services: two components over one dynamic resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import Resource

from clients.web_services import NEW
from components.workspace import Workspace
from retrain_hooks.providers import StudioWebServiceProvider

if TYPE_CHECKING:
    from components.trained_model import TrainedModel


class StudioWebService(Resource, module="retrain", name="StudioWebService"):
    """A published experiment. Outputs: ``experiment`` (summary with digest), ``service``, ``url``."""

    experiment: pulumi.Output[dict[str, Any]]
    service: pulumi.Output[dict[str, Any]]
    url: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = {"experiment": None, "service": None, "url": None, "endpoint": None, "experimentId": None}
        super().__init__(StudioWebServiceProvider(), name, props | outputs, opts)


class _WebService(pulumi.ComponentResource):
    def __init__(
        self,
        token: str,
        name: str,
        part: str,
        workspace: Workspace,
        kind: str,
        experiment: str,
        model: pulumi.Input[dict[str, Any]] | None,
        regions: Sequence[str],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        super().__init__(f"retrain:index:{token}", name, None, opts)
        self.target = workspace.target
        service = StudioWebService(
            f"{name}-service",
            {
                "target": workspace.target,
                "kind": kind,
                "workspace": workspace.reference,
                "name": f"{experiment}-{name}",
                "part": part,
                "source": experiment,
                "model": model,
                "plan": workspace.commitment_plan.plan if kind == NEW else None,
                "regions": list(regions) if kind == NEW and regions else None,
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.experiment = service.experiment
        self.service = service.service
        self.url = service.url
        self.register_outputs({"url": self.url})


class TrainingWebService(_WebService):
    """``experiments/<experiment>/training.json`` published so that the batch service can run it.

    It must have web service outputs for the trained model and for the evaluation.
    """

    def __init__(
        self,
        name: str,
        *,
        workspace: Workspace,
        experiment: str,
        kind: str = "classic",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("TrainingWebService", name, "training", workspace, kind, experiment, None, (), opts)


class PredictiveWebService(_WebService):
    """``experiments/<experiment>/predictive.json`` published with *model*, the baseline.

    Its default endpoint goes on serving that; a retrained model goes to a further Endpoint. ``url`` is the default
    endpoint's. A New one is published in *regions* as well, and so are its endpoints.
    """

    def __init__(
        self,
        name: str,
        *,
        workspace: Workspace,
        experiment: str,
        model: TrainedModel,
        kind: str = "classic",
        regions: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        baseline = {"address": model.address, "sha256": model.sha256}
        super().__init__(
            "PredictiveWebService",
            name,
            "predictive",
            workspace,
            kind,
            experiment,
            baseline,
            regions,
            opts,
        )
