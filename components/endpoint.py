"""A further endpoint of a predictive web service, and the model that it serves."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.trained_model import TrainedModel
from components.web_service import PredictiveWebService
from retrain_hooks.providers import ModelBindingProvider, StudioEndpointProvider


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


class ModelBinding(Resource, module="retrain", name="ModelBinding"):
    """Which model an endpoint serves. Output ``bound``: its location as the service answered it."""

    address: pulumi.Output[str]
    bound: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ModelBindingProvider(), name, props | {"bound": None}, opts)


class Endpoint(pulumi.ComponentResource):
    """The endpoint *endpoint_name* of *service*, bound to *candidate*.

    A gate between candidate and binding has its place here: what it lets through is what is bound.
    """

    def __init__(
        self,
        name: str,
        *,
        service: PredictiveWebService,
        candidate: TrainedModel,
        endpoint_name: str = "retrained",
        description: str = "Serves the retrained model",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("retrain:index:Endpoint", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        endpoint = StudioEndpoint(
            f"{name}-studio",
            {
                "target": service.target,
                "service": service.service,
                "name": endpoint_name,
                "description": description,
            },
            child,
        )
        binding = ModelBinding(
            f"{name}-binding",
            {
                "target": service.target,
                "service": service.service,
                "endpointName": endpoint_name,
                "resource": service.experiment.apply(lambda experiment: experiment["resource"]),
                "address": candidate.address,
                "sha256": candidate.sha256,
            },
            pulumi.ResourceOptions(parent=self, depends_on=[endpoint]),
        )
        self.url = endpoint.url
        self.patch_url = endpoint.patch_url
        self.model_address = binding.address
        self.bound = binding.bound
        self.register_outputs({"url": self.url, "modelAddress": self.model_address})
