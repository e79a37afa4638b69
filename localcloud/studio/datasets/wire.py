"""Datasets on the wire: all members that the published Python, R and PowerShell clients read.

Sources: azureml 0.2.7 (`SourceDataset`), RevolutionAnalytics/AzureML (R/internal.R), azuremlps (code/Contracts.cs).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localcloud.blobs.locations import Location, local_location
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.wire import member
from localcloud.studio.datasets.errors import no_text, wrong_type
from localcloud.studio.workspaces.wire import date
from localcloud.works.datasets.state import EXTENSIONS, Dataset, Description

_LONGEST = 1000
_EPOCH_TICKS = 621_355_968_000_000_000  # of 100 ns, from year 1 to 1970


def dataset_json(dataset: Dataset, cloud: Cloud) -> dict[str, Any]:
    """A dataset. BaseUri, Location and AccessCredential, one after the other, are its address for a day."""
    milliseconds = int(datetime.fromisoformat(dataset.created).timestamp() * 1000)
    return {
        "Id": dataset.id,
        "Name": dataset.name,
        "DataTypeId": dataset.data_type,
        "Description": dataset.description,
        "FamilyId": dataset.family,
        "ResourceUploadId": dataset.upload_id,
        "SourceOrigin": "FromResourceUpload",
        "Size": dataset.size,
        "CreatedDate": date(dataset.created),
        "CreatedDateTicks": _EPOCH_TICKS + milliseconds * 10_000,
        "Owner": dataset.owner,
        "ExperimentId": None,
        "ClientVersion": None,
        "PromotedFrom": None,
        "UploadedFromFilename": dataset.file_name,
        "ServiceVersion": dataset.batch,
        "IsLatest": dataset.is_latest,
        "IsDeprecated": False,
        "Category": "",
        "Culture": None,
        "Batch": dataset.batch,
        "DownloadLocation": _endpoint(dataset, local_location(cloud, dataset.place)),
        "VisualizeEndPoint": _endpoint(dataset),
        "SchemaEndPoint": _endpoint(dataset),
        "SchemaStatus": dataset.schema_status,
    }


def _endpoint(dataset: Dataset, place: Location | None = None) -> dict[str, Any]:
    """Where something of a dataset can be fetched; all of it is empty for what is not kept."""
    return {
        "BaseUri": place.base if place else "",
        "Location": place.path if place else "",
        "AccessCredential": place.read_sas() if place else "",
        "Size": dataset.size if place else 0,
        "Name": place.name if place else "",
        "EndpointType": "AzureBlobStorage",
        "CredentialContainer": None,
        "FileType": dataset.data_type,
        "IsAuxiliary": False,
    }


def data_type(value: object) -> str:
    """A DataTypeId, as Studio writes it. Raises DataTypeNotSupported."""
    known = {name.casefold(): name for name in EXTENSIONS}
    found = known.get(value.casefold()) if isinstance(value, str) else None
    if found is None:
        raise wrong_type(value)
    return found


def description(body: Mapping[str, Any]) -> Description:
    """What the body of a new dataset says. Raises BadParameterValue, DataTypeNotSupported."""
    source = member(body, "DataSource")
    if not isinstance(source, Mapping):
        raise no_text("Name")
    name = _text(source, "Name").strip()
    if not name:
        raise no_text("Name")
    return Description(
        name=name,
        data_type=data_type(member(source, "DataTypeId")),
        description=_text(source, "Description"),
        owner=_text(source, "Owner"),
        family=_text(source, "FamilyId"),
        file_name=_text(body, "UploadedFromFileName"),
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    value = member(body, name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
        raise no_text(name)
    return value
