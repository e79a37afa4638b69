"""Trained models and modules on the wire. Source: azuremlps code/Contracts.cs (UserAsset, Module)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graph.modules import category, says
from graph.spec import Module
from localcloud.blobs.locations import Location, readable
from localcloud.facilities.cloud import Cloud
from localcloud.studio.web_services.definition import module_uri
from localcloud.studio.workspaces.wire import date
from localcloud.works.trained_models import TrainedModel

_OWNER = "local cloud"


def models_json(models: Sequence[TrainedModel], cloud: Cloud) -> list[dict[str, Any]]:
    """Trained models; those of one name are versions of a family. What a job made has an address for a day."""
    counted: dict[str, int] = {}
    shown = []
    for model in models:
        batch = counted[model.family] = counted.get(model.family, 0) + 1
        shown.append((model, batch))
    return [_model(model, batch, batch == counted[model.family], cloud) for model, batch in shown]


def _model(model: TrainedModel, batch: int, latest: bool, cloud: Cloud) -> dict[str, Any]:
    return {
        "Id": model.id,
        "Name": model.name,
        "Description": model.description,
        "DataTypeId": "iLearnerDotNet",
        "FamilyId": model.family,
        "Batch": batch,
        "IsLatest": latest,
        "IsDeprecated": False,
        "ExperimentId": model.experiment_id or None,
        "Owner": _OWNER,
        "PromotedFrom": None,
        "ResourceUploadId": None,
        "SourceOrigin": "FromOutputPromotion",
        "Language": None,
        "Size": model.size,
        "CreatedDate": date(model.created),
        "ClientVersion": None,
        "ServiceVersion": 0,
        "Category": "Trained Models",
        "DownloadLocation": model.place and _location(readable(model.place, cloud)),
    }


def _location(place: Location) -> dict[str, Any]:
    return {"BaseUri": place.base, "Location": place.path, "AccessCredential": place.read_sas()}


def module_json(module: Module) -> dict[str, Any]:
    """A module of experiment graphs."""
    uri = module_uri(module.name)
    identifier = uri.removeprefix("aml://module/")
    return {
        "Id": identifier,
        "Name": module.name,
        "Description": says(module).splitlines()[0],
        "Category": category(module),
        "FamilyId": identifier.split(".")[1],
        "IsDeterministic": not module.scripts,
        "IsBlocking": True,
        "ModuleType": "Batch",
        "ReleaseState": "Release",
        "ModuleLanguage": {"Language": "Python", "Version": ""},
        "ResourceUploadId": None,
        "Size": 0,
        "CreatedDate": None,
        "Owner": _OWNER,
        "IsLatest": True,
        "IsDeprecated": False,
        "SourceOrigin": "BuiltIn",
        "ClientVersion": None,
        "ServiceVersion": None,
        "Batch": 1,
        "EscalationEmail": None,
        "InformationUrl": None,
    }
