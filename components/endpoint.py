"""A further endpoint of a predictive web service, the gate before it, and the model that it serves."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.gate import Gate
from components.notifications import notified
from components.present_model import endpoint_of
from components.rollout import Rollout
from components.trained_model import TrainedModel
from components.web_service import PredictiveWebService
from retrain_hooks.providers import ModelBindingProvider, PromotionProvider, StudioEndpointProvider


class StudioEndpoint(Resource, module="retrain", name="StudioEndpoint"):
    """An endpoint. Outputs: ``url``, ``patch_url``, ``helpUrl``, ``regionUrls``."""

    url: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("url", "patchUrl", "helpUrl", "regionUrls"))
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
        super().__init__(PromotionProvider(), name, props | outputs, notified("judged", opts))


class ModelBinding(Resource, module="retrain", name="ModelBinding"):
    """Which model endpoints serve. Outputs: ``bound``, its location as the live endpoint's service answered it,
    ``serving``, the address by endpoint, and ``probed``, on how many rows it was seen.
    """

    address: pulumi.Output[str]
    bound: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("bound", "serving", "probed"))
        super().__init__(ModelBindingProvider(), name, props | outputs, notified("bound", opts))


class Endpoint(pulumi.ComponentResource):
    """The endpoint *endpoint_name* of *service*, bound to *candidate* once the *gate* lets it through.

    A candidate goes to a further endpoint first, *staging_name*: there the gate scores it where it has a holdout, and the
    probe learns what it answers. With rings, *rollout* says which endpoints get it in which order, and the first of the
    last ring is the live one. Until a candidate passes, endpoints serve what they served before; a new one the service's
    baseline.

    With *existing* the live endpoint is one that is there already: a classic one's management URL or name, or of a New
    service its own resource id. It is bound, and neither created nor deleted; all others are.
    """

    def __init__(
        self,
        name: str,
        *,
        service: PredictiveWebService,
        candidate: TrainedModel,
        gate: Gate | None = None,
        rollout: Rollout | None = None,
        endpoint_name: str = "retrained",
        staging_name: str = "staging",
        description: str = "Serves the retrained model",
        existing: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("retrain:index:Endpoint", name, None, opts)
        if existing:
            endpoint_name = endpoint_of(service, existing)
        gate, rollout = gate or Gate(), (rollout or Rollout()).alone(endpoint_name)
        live, *others = rollout.endpoints
        if existing and live != endpoint_name:
            raise pulumi.RunError(
                f"the adopted endpoint {endpoint_name!r} is not the live one, {live!r}\n"
                "remedy: let the last ring begin with it, or leave out the rings"
            )
        place = {"target": service.target, "service": service.service}
        graph = service.experiment.apply(lambda experiment: experiment["digest"])
        child = pulumi.ResourceOptions(parent=self)

        def studio_endpoint(resource: str, endpoint: str, text: str) -> StudioEndpoint:
            props = {**place, "name": endpoint, "description": text, "graph": graph}
            if existing and endpoint == endpoint_name:
                props = {**place, "name": endpoint, "existing": existing}
            return StudioEndpoint(resource, props, child)

        endpoint = studio_endpoint(f"{name}-studio", live, description)
        endpoints = [endpoint, *(studio_endpoint(f"{name}-{other}", other, description) for other in others)]
        probed = rollout.probe_rows > 0
        if gate.holdout or probed:
            endpoints.append(
                studio_endpoint(f"{name}-staging", staging_name, "Where a candidate is scored first")
            )
        bound = {
            **place,
            "endpointName": live,
            "stagingEndpoint": staging_name if gate.holdout or probed else "",
            "resource": service.experiment.apply(lambda experiment: experiment["resource"]),
        }
        promotion = Promotion(
            f"{name}-promotion",
            {
                **bound,
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
        data = gate.holdout.reference if gate.holdout else candidate.data
        binding = ModelBinding(
            f"{name}-binding",
            {
                **bound,
                "address": promotion.model["address"],
                "sha256": promotion.model["sha256"],
                **rollout.inputs(data["container"], data["blobs"]),
            },
            pulumi.ResourceOptions(parent=self, depends_on=endpoints),
        )
        self.name = live
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
