"""Experiments as the local cloud keeps them, and the activities that publish them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from localcloud.facilities.store import Store, now
from localcloud.works.services import Endpoint, Resource, dump_resources, load_resources, new_id

_MOST_ACTIVITIES = 1000


@dataclass(frozen=True)
class Experiment:
    """A saved experiment; `package` is the digest of its graph, `resources` the models it starts with."""

    id: str
    workspace_id: str
    description: str
    package: str
    resources: tuple[Resource, ...]
    created: str
    modified: str


@dataclass(frozen=True)
class Activity:
    """One publishing, and what came of it."""

    id: str
    workspace_id: str
    service_id: str
    endpoint_id: str


class Experiments:
    """Reads and writes experiments."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(
        self, workspace_id: str, description: str, package: str, resources: Sequence[Resource]
    ) -> Experiment:
        """Save an experiment; the same description in a workspace is the same experiment, with new content.

        Its id follows from both, so that one which was deleted and saved again still is the one that its web
        service was published from.
        """
        guid = hashlib.sha256(f"{workspace_id}\0{description}".encode()).hexdigest()[:32]
        experiment_id = f"{workspace_id}.f-id.{guid}"
        self._store.change(
            "INSERT INTO experiments VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " package=excluded.package, resources=excluded.resources, modified=excluded.modified",
            experiment_id,
            workspace_id,
            description,
            package,
            dump_resources(resources),
            now(),
            now(),
        )
        saved = self.get(workspace_id, experiment_id)
        assert saved is not None
        return saved

    def get(self, workspace_id: str, experiment_id: str) -> Experiment | None:
        """One experiment."""
        row = self._store.row(
            "SELECT * FROM experiments WHERE workspace_id=? AND id=?", workspace_id, experiment_id
        )
        return None if row is None else _experiment(row)

    def list(self, workspace_id: str) -> list[Experiment]:
        """The experiments of a workspace, oldest first."""
        rows = self._store.rows(
            "SELECT * FROM experiments WHERE workspace_id=? ORDER BY created, id", workspace_id
        )
        return [_experiment(row) for row in rows]

    def delete(self, workspace_id: str, experiment_id: str) -> None:
        """Delete an experiment, not the web service published from it."""
        self._store.change(
            "DELETE FROM experiments WHERE workspace_id=? AND id=?", workspace_id, experiment_id
        )

    def record_activity(self, endpoint: Endpoint) -> Activity:
        """Remember a publishing, for clients that poll it."""
        activity = Activity(new_id(), endpoint.workspace_id, endpoint.service_id, endpoint.id)
        self._store.insert("activities", **vars(activity))
        self._store.change(
            "DELETE FROM activities WHERE rowid <= (SELECT max(rowid) FROM activities) - ?", _MOST_ACTIVITIES
        )
        return activity

    def activity(self, workspace_id: str, activity_id: str) -> Activity | None:
        """One publishing."""
        row = self._store.row(
            "SELECT * FROM activities WHERE workspace_id=? AND id=?", workspace_id, activity_id
        )
        return None if row is None else Activity(**dict(row))

    def models(self) -> set[str]:
        """The hashes of all models that experiments and endpoints name."""
        rows = self._store.rows("SELECT resources FROM experiments UNION SELECT resources FROM endpoints")
        return {resource.sha256 for row in rows for resource in load_resources(row["resources"])}


def _experiment(row: sqlite3.Row) -> Experiment:
    return Experiment(**{**dict(row), "resources": load_resources(row["resources"])})
