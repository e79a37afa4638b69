"""The model that an endpoint served before the program, as the model of a data version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from clients.errors import ConfigurationError
from clients.existing import endpoint_name
from components.models.data_version import DataVersion
from components.services.web_service import PredictiveWebService


@dataclass(frozen=True)
class PresentModel:
    """What *endpoint* of *service* serves now stands for *data*, with the parameters and the seed that the program has.

    A TrainedModel that adopts it records it as the run of that data when it is first created; nothing is trained for it.
    *endpoint* is written as in ``Endpoint(existing=…)``.
    """

    service: PredictiveWebService
    endpoint: str
    data: DataVersion

    def inputs(self) -> dict[str, Any]:
        """As an input of a TrainedModel."""
        return {
            "service": self.service.service,
            "endpoint": endpoint_of(self.service, self.endpoint),
            "resource": self.service.experiment.apply(lambda experiment: experiment["resource"]),
            "data": self.data.reference,
        }


def endpoint_of(service: PredictiveWebService, endpoint: str) -> str:
    """The name of an endpoint that is there already. Raises RunError, which Pulumi shows without a traceback."""
    try:
        return endpoint_name(endpoint, service.existing)
    except ConfigurationError as error:
        raise pulumi.RunError(str(error)) from None
