"""A further endpoint of a predictive web service, the gate before it, and the model that it serves."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.gate import Gate
from components.trained_model import TrainedModel
from components.web_service import PredictiveWebService
from retrain_hooks.providers import ModelBindingProvider, PromotionProvider, StudioEndpointProvider


class StudioEndpoint(Resource, module="retrain", name="StudioEndpoint"):
    """An endpoint. Outputs: ``url``, ``patch_url``, ``helpUrl``."""

    url: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = {"url": None, "patchUrl": None, "helpUrl": None}
        super().__init__(StudioEndpointProvider(), name, props | outputs, opts)

    @property
    def patch_url(self) -> pulumi.Output[str]:
        """Where a new model is patched."""
        found: pulumi.Output[str] = pulumi.get(self, "patchUrl")
        return found


class Promotion(Resource, module="retrain", name="Promotion"):
    """The gate's decision. Outputs: ``model`` (``{"address", "sha256"}``, what to serve), ``champion``, ``verdict``
    (passed | held | awaiting approval; pending in a preview that can't know it), ``rules`` with their numbers.
    """

    model: pulumi.Output[dict[str, str]]
    verdict: pulumi.Output[str]
    rules: pulumi.Output[list[dict[str, Any]]]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("model", "champion", "verdict", "rules"))
        super().__init__(PromotionProvider(), name, props | outputs, opts)


class ModelBinding(Resource, module="retrain", name="ModelBinding"):
    """Which model an endpoint serves. Output ``bound``: its location as the service answered it."""

    address: pulumi.Output[str]
    bound: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ModelBindingProvider(), name, props | {"bound": None}, opts)


class Endpoint(pulumi.ComponentResource):
    """The endpoint *endpoint_name* of *service*, bound to *candidate* once the *gate* lets it through.

    Where the gate has a holdout, candidates are scored on a further endpoint, *staging_name*, before they are bound.
    Until a candidate passes, the endpoint serves what it served before; a new one the service's baseline.
    """

    def __init__(
        self,
        name: str,
        *,
        service: PredictiveWebService,
        candidate: TrainedModel,
        gate: Gate | None = None,
        endpoint_name: str = "retrained",
        staging_name: str = "staging",
        description: str = "Serves the retrained model",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("retrain:index:Endpoint", name, None, opts)
        gate = gate or Gate()
        place = {"target": service.target, "service": service.service}
        child = pulumi.ResourceOptions(parent=self)
        endpoint = StudioEndpoint(
            f"{name}-studio", {**place, "name": endpoint_name, "description": description}, child
        )
        endpoints = [endpoint]
        if gate.holdout:
            staging = {"name": staging_name, "description": "Where the gate scores a candidate"}
            endpoints.append(StudioEndpoint(f"{name}-staging", {**place, **staging}, child))
        bound = {
            **place,
            "endpointName": endpoint_name,
            "resource": service.experiment.apply(lambda experiment: experiment["resource"]),
        }
        promotion = Promotion(
            f"{name}-promotion",
            {
                **bound,
                "stagingEndpoint": staging_name if gate.holdout else "",
                "candidate": {
                    "address": candidate.address,
                    "sha256": candidate.sha256,
                    "runKey": candidate.run_key,
                    "metrics": candidate.metrics,
                    "dataVersion": candidate.data_version,
                },
                **gate.inputs(),
            },
            pulumi.ResourceOptions(parent=self, depends_on=endpoints),
        )
        binding = ModelBinding(
            f"{name}-binding",
            {**bound, "address": promotion.model["address"], "sha256": promotion.model["sha256"]},
            pulumi.ResourceOptions(parent=self, depends_on=[endpoint]),
        )
        self.name = endpoint_name
        self.url = endpoint.url
        self.patch_url = endpoint.patch_url
        self.model_address = binding.address
        self.bound = binding.bound
        self.verdict = promotion.verdict
        self.rules = promotion.rules
        self.register_outputs(
            {
                "url": self.url,
                "modelAddress": self.model_address,
                "verdict": self.verdict,
                "rules": self.rules,
            }
        )

    @property
    def outputs(self) -> dict[str, Any]:
        """What a stack exports of it."""
        return {
            "endpointUrl": self.url,
            "endpointName": self.name,
            "patchUrl": self.patch_url,
            "modelAddress": self.model_address,
            "verdict": self.verdict,
            "rules": self.rules,
        }
