"""The trained models of a workspace: those that its experiments and endpoints hold, and those that its jobs made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from localcloud.blobs.locations import Location
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import BadArgument
from localcloud.facilities.store import Store
from localcloud.works.batch.jobs import FINISHED
from localcloud.works.batch.places import EXTENSIONS, output_location
from localcloud.works.models import Models
from localcloud.works.services import load_resources

_HELD = """
SELECT id AS experiment, description, resources, created FROM experiments WHERE workspace_id=?
UNION ALL
SELECT s.experiment_id, s.name, e.resources, e.created FROM endpoints e JOIN services s ON s.id=e.service_id
WHERE s.workspace_id=?
"""
_MADE = """
SELECT j.*, s.experiment_id, s.name FROM jobs j JOIN endpoints e ON e.id=j.endpoint_id
JOIN services s ON s.id=e.service_id WHERE s.workspace_id=? AND j.state=? ORDER BY j.finished, j.rowid
"""


@dataclass(frozen=True)
class TrainedModel:
    """One model. `place` is the blob that a job wrote it to; one that is held is a copy of the local cloud's own."""

    id: str
    family: str
    name: str
    description: str
    experiment_id: str
    size: int
    created: str
    place: Location | None = None


def trained_models(store: Store, models: Models, cloud: Cloud, workspace_id: str) -> list[TrainedModel]:
    """All of them, oldest first."""
    found = {
        model.id: model for model in (*_held(store, models, workspace_id), *_made(store, cloud, workspace_id))
    }
    return sorted(found.values(), key=lambda model: (model.created, model.id))


def _held(store: Store, models: Models, workspace_id: str) -> Iterator[TrainedModel]:
    for row in store.rows(_HELD, workspace_id, workspace_id):
        for resource in load_resources(row["resources"]):
            try:
                kept = models.path(resource.sha256).stat()
            except FileNotFoundError:
                continue
            came = datetime.fromtimestamp(kept.st_mtime, UTC).isoformat(timespec="milliseconds")
            yield TrainedModel(
                id=f"{workspace_id}.{_digest(resource.name, resource.sha256)}",
                family=_digest(workspace_id, resource.name),
                name=resource.name,
                description=f"held by {row['description']}",
                experiment_id=row["experiment"],
                size=kept.st_size,
                created=came,
            )


def _made(store: Store, cloud: Cloud, workspace_id: str) -> Iterator[TrainedModel]:
    for row in store.rows(_MADE, workspace_id, FINISHED):
        outputs, results = json.loads(row["request"])["outputs"], json.loads(row["results"])
        for output, reference in outputs.items():
            try:
                place = output_location(reference, cloud, output)
            except BadArgument:
                continue  # A record of an older version
            if place.name.lower().endswith(EXTENSIONS["model"]) and output in results:
                yield TrainedModel(
                    id=f"{workspace_id}.{_digest(row['id'], output)}",
                    family=_digest(workspace_id, place.path),
                    name=place.path,
                    description=f"made by {row['name']}",
                    experiment_id=row["experiment_id"],
                    size=results[output]["bytes"],
                    created=row["finished"],
                    place=place,
                )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
