"""Datasets as the local cloud keeps them: a family is a dataset with its versions, of which the last one is shown."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from uuid import uuid4

from localcloud.facilities.store import Store, now

EXTENSIONS = {
    "GenericCSV": ".csv",
    "GenericCSVNoHeader": ".nh.csv",
    "GenericTSV": ".tsv",
    "GenericTSVNoHeader": ".nh.tsv",
    "ARFF": ".arff",
    "PlainText": ".txt",
    "Zip": ".zip",
}


@dataclass(frozen=True)
class Description:
    """What a client says of a dataset that it has uploaded; `family` is empty for a new one."""

    name: str
    data_type: str
    description: str
    owner: str
    family: str
    file_name: str


@dataclass(frozen=True)
class Dataset:
    """One version. `batch` counts the versions of its family; `place` is its blob: container and name."""

    id: str
    workspace_id: str
    family: str
    batch: int
    name: str
    data_type: str
    description: str
    owner: str
    file_name: str
    upload_id: str
    place: str
    size: int
    schema_status: str
    created: str
    is_latest: bool


_SELECT = (
    "SELECT d.*, NOT EXISTS (SELECT 1 FROM datasets n WHERE n.family=d.family AND n.batch>d.batch) AS is_latest"
    " FROM datasets d WHERE d.workspace_id=?"
)


class Datasets:
    """Reads and writes datasets."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.changing = asyncio.Lock()
        """Whoever adds or deletes versions has it: names and numbers are given once."""

    def latest(self, workspace_id: str) -> list[Dataset]:
        """The last version of each dataset, oldest dataset first: clients take the first of a name."""
        rows = self._store.rows(f"{_SELECT} AND is_latest ORDER BY d.created, d.id", workspace_id)
        return [_dataset(row) for row in rows]

    def get(self, workspace_id: str, dataset_id: str) -> Dataset | None:
        """One version."""
        return self._one("d.id=?", workspace_id, dataset_id)

    def family(self, workspace_id: str, family: str) -> list[Dataset]:
        """The versions of a dataset, in order."""
        rows = self._store.rows(f"{_SELECT} AND d.family=? ORDER BY d.batch", workspace_id, family)
        return [_dataset(row) for row in rows]

    def uploaded_by(self, workspace_id: str, upload_id: str) -> Dataset | None:
        """What came of an upload."""
        return self._one("d.upload_id=?", workspace_id, upload_id)

    def named(self, workspace_id: str, name: str) -> Dataset | None:
        """The dataset that is called so now."""
        return self._one("d.name=? AND is_latest", workspace_id, name)

    def folder_taken(self, folder: str, family: str) -> bool:
        """Whether versions of another dataset are in a folder."""
        start = f"{folder}/"
        sql = "SELECT 1 FROM datasets WHERE substr(place, 1, ?)=? AND family!=?"
        return self._store.row(sql, len(start), start, family) is not None

    def add(
        self,
        workspace_id: str,
        upload_id: str,
        says: Description,
        *,
        place: str,
        size: int,
        schema_status: str,
    ) -> str:
        """Record a version whose blob is there; its id."""
        versions = self.family(workspace_id, says.family)
        dataset_id = f"{workspace_id}.{uuid4().hex}"
        self._store.insert(
            "datasets",
            id=dataset_id,
            workspace_id=workspace_id,
            batch=versions[-1].batch + 1 if versions else 1,
            upload_id=upload_id,
            place=place,
            size=size,
            schema_status=schema_status,
            created=now(),
            **vars(says),
        )
        return dataset_id

    def delete(self, dataset_id: str) -> None:
        """Forget a version."""
        self._store.change("DELETE FROM datasets WHERE id=?", dataset_id)

    def _one(self, condition: str, *arguments: object) -> Dataset | None:
        row = self._store.row(f"{_SELECT} AND {condition}", *arguments)
        return None if row is None else _dataset(row)


def _dataset(row: sqlite3.Row) -> Dataset:
    return Dataset(**{**dict(row), "is_latest": bool(row["is_latest"])})
