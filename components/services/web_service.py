"""Training and predictive web services: two components over one dynamic resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi

from clients.protocols import AZUREML, NEW
from components.services.references import ModelReference
from components.services.workspace import Workspace
from components.shared.options import Component
from components.shared.ownership import owner
from components.shared.plain import PlainResource
from retrain_hooks.ownership.names import default_name
from retrain_hooks.providers import StudioWebServiceProvider


class StudioWebService(PlainResource, module="retrain", name="StudioWebService"):
    """A published experiment. Outputs: ``experiment`` (summary with digest), ``service``, ``url``."""

    ignorable = ("model", "regions")
    experiment: pulumi.Output[dict[str, Any]]
    service: pulumi.Output[dict[str, Any]]
    url: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = {
            "experiment": None,
            "service": None,
            "url": None,
            "endpoint": None,
            "experimentId": None,
            "name": None,
        }
        super().__init__(StudioWebServiceProvider(), name, props | outputs, opts)


class _WebService(Component):
    def __init__(
        self,
        token: str,
        name: str,
        workspace: Workspace,
        props: dict[str, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        super().__init__(token, name, opts)
        self.target = workspace.target
        self.existing = props.get("existing")
        self.refuse_kept_in(workspace)
        # What its further endpoints are deleted with: New ones are web services, those of Azure ML v2 the workspace's own.
        self.kind = str(props.get("kind") or "")
        self.holds: Component = workspace if self.kind in (NEW, AZUREML) else self
        self.workspace = workspace
        self.source: str | None = props.get("source")
        resource = f"{name}-service"
        service = StudioWebService(
            resource,
            {
                "target": workspace.target,
                "workspace": workspace.reference,
                "owner": owner(workspace.target, resource),
                **props,
            },
            # Jobs run on the workspace's compute, by what its identity may do.
            pulumi.ResourceOptions(parent=self, depends_on=[workspace] if self.kind == AZUREML else None),
        )
        self.experiment = service.experiment
        self.service = service.service
        # A service of Azure ML v2 answers nowhere itself.
        self.url = pulumi.Output.from_input("") if self.kind == AZUREML else service.url
        self.register_outputs({"url": self.url})


def _published(
    name: str,
    part: str,
    workspace: Workspace,
    kind: str,
    experiment: str | None,
    model: Any = None,
    regions: Sequence[str] = (),
) -> dict[str, Any]:
    """The inputs of a service that is made of an experiment."""
    if experiment is None:
        raise pulumi.RunError(
            f"the web service {name!r} has neither an experiment nor an existing service\n"
            "remedy: name the experiment to publish, or with `existing` the service to adopt"
        )
    return {
        "kind": kind,
        "defaultName": default_name(pulumi.get_project(), pulumi.get_stack(), experiment, name),
        "part": part,
        "source": experiment,
        "model": model,
        **({"location": workspace.location} if kind == AZUREML else {}),
        "plan": workspace.commitment_plan.plan if kind == NEW else None,
        "regions": list(regions) if kind == NEW and regions else None,
    }


def _adopted(part: str, existing: str, experiment: str | None, **said: Any) -> dict[str, Any]:
    """The inputs of a service that is there already."""
    if experiment is not None:
        raise pulumi.RunError(
            f"both an experiment, {experiment!r}, and an existing web service are given\n"
            "remedy: an existing service is never published anew: leave out one of the two"
        )
    return {"part": part, "existing": existing, **said}


class TrainingWebService(_WebService):
    """``experiments/<experiment>/training.json`` published so that the batch service can run it.

    It must have web service outputs for the trained model and for the evaluation. Or a training service that is there
    already: *existing* is a New one's resource id, or a classic one's management URL or id. It is never published or
    deleted. *revision* then stands for its experiment in run keys; of a New one its definition does, unless given.
    *ports* names ``input``, ``model`` (output) and ``evaluation`` (output) where the service does not tell.
    """

    def __init__(
        self,
        name: str,
        *,
        workspace: Workspace,
        experiment: str | None = None,
        kind: str = "classic",
        existing: str | None = None,
        revision: str | None = None,
        ports: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if existing:
            said = {"revision": revision, "ports": dict(ports or {})}
            props = _adopted("training", existing, experiment, **said)
        else:
            props = _published(name, "training", workspace, kind, experiment)
        super().__init__("TrainingWebService", name, workspace, props, opts)


class PredictiveWebService(_WebService):
    """``experiments/<experiment>/predictive.json`` published with *model*, the baseline.

    Its default endpoint goes on serving that; a retrained model goes to a further Endpoint. ``url`` is the default
    endpoint's. A New one is published in *regions* as well, and so are its endpoints. Or a service that is there
    already, *existing* (as of a TrainingWebService), which has no baseline: *resource* names the trained model to
    replace where it has several, *ports* its ``input`` where it does not tell.
    """

    def __init__(
        self,
        name: str,
        *,
        workspace: Workspace,
        experiment: str | None = None,
        model: ModelReference | None = None,
        kind: str = "classic",
        regions: Sequence[str] = (),
        existing: str | None = None,
        resource: str | None = None,
        ports: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if existing:
            said = {"resource": resource, "ports": dict(ports or {})}
            props = _adopted("predictive", existing, experiment, **said)
        elif model is None:
            raise pulumi.RunError(
                f"the predictive web service {name!r} has no model to be published with\n"
                "remedy: give it the baseline: model=…"
            )
        else:
            # Azure ML v2 serves none of its own accord: a model gets a deployment when it is bound.
            baseline = None if kind == AZUREML else {"address": model.address, "sha256": model.sha256}
            props = _published(name, "predictive", workspace, kind, experiment, baseline, regions)
        super().__init__("PredictiveWebService", name, workspace, props, opts)
        self._served: dict[str, str] = {}

    def serve(self, component: str, endpoints: Iterable[str]) -> None:
        """Note that *component* declares these endpoints of it. Raises RunError where another has one of them."""
        for endpoint in endpoints:
            other = self._served.setdefault(endpoint, component)
            if other != component:
                raise pulumi.RunError(
                    f"{component!r} and {other!r} both declare the endpoint {endpoint!r} of one web service\n"
                    "remedy: give each endpoint a name of its own: endpoint_name=…"
                )
