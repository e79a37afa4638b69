"""What a platform team declares: one concept a module."""

from components.data_version import DataVersion
from components.endpoint import Endpoint
from components.gate import Gate
from components.rollout import Ring, Rollout
from components.trained_model import RunLimits, TrainedModel
from components.web_service import PredictiveWebService, TrainingWebService
from components.workspace import Workspace

__all__ = [
    "DataVersion",
    "Endpoint",
    "Gate",
    "PredictiveWebService",
    "Ring",
    "Rollout",
    "RunLimits",
    "TrainedModel",
    "TrainingWebService",
    "Workspace",
]
