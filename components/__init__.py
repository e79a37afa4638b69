"""What a platform team declares: one concept a module."""

from components.configuration import configuration
from components.models.data_version import DataVersion
from components.models.endpoint import Endpoint
from components.models.fleet import EndpointFleet, Members, Schedule
from components.models.gate import Gate
from components.models.present_model import PresentModel
from components.models.rollout import Ring, Rollout
from components.models.trained_model import RunLimits, TrainedModel
from components.notifications import notify, notify_from_config
from components.retrain_schedule import RetrainSchedule
from components.services.web_service import PredictiveWebService, TrainingWebService
from components.services.workspace import Workspace
from retrain_hooks.notifications.channels import Command, JsonLines, Webhook

__all__ = [
    "Command",
    "DataVersion",
    "Endpoint",
    "EndpointFleet",
    "Gate",
    "JsonLines",
    "Members",
    "PredictiveWebService",
    "PresentModel",
    "RetrainSchedule",
    "Ring",
    "Rollout",
    "RunLimits",
    "Schedule",
    "TrainedModel",
    "TrainingWebService",
    "Webhook",
    "Workspace",
    "configuration",
    "notify",
    "notify_from_config",
]
