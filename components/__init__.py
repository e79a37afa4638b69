"""What a platform team declares: one concept a module."""

from components.configuration import configuration
from components.data_version import DataVersion
from components.endpoint import Endpoint
from components.fleet import EndpointFleet, Members, Schedule
from components.gate import Gate
from components.notifications import notify, notify_from_config
from components.present_model import PresentModel
from components.retrain_schedule import RetrainSchedule
from components.rollout import Ring, Rollout
from components.trained_model import RunLimits, TrainedModel
from components.web_service import PredictiveWebService, TrainingWebService
from components.workspace import Workspace
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
