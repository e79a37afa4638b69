"""The local cloud's one persistence: SQLite in WAL mode, owned by one process.

`Store` keeps the connection, the schema, workspaces and ARM documents. What belongs to one API (services,
endpoints, jobs, the journal) is read and written by that API's ``state`` module through `Store.rows`,
`Store.row` and `Store.transaction`. Everything below a workspace hangs on it by foreign keys, so deleting a
workspace removes its experiments, services, endpoints and jobs.

A process killed with ``kill -9`` loses nothing that was committed: with ``synchronous=NORMAL`` only a power
cut could.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.facilities.errors import StartError

SCHEMA_VERSION = 4

# What MLflow clients log to Azure ML workspaces.
_TRACKING = """
CREATE TABLE IF NOT EXISTS aml_experiments (
    id TEXT PRIMARY KEY, workspace TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL,
    UNIQUE (workspace, name));
CREATE TABLE IF NOT EXISTS aml_runs (
    workspace TEXT NOT NULL, id TEXT NOT NULL, experiment TEXT NOT NULL, started INTEGER NOT NULL,
    document TEXT NOT NULL, PRIMARY KEY (workspace, id));
CREATE INDEX IF NOT EXISTS aml_runs_by_experiment ON aml_runs (experiment, started);
CREATE TABLE IF NOT EXISTS aml_metrics (
    workspace TEXT NOT NULL, run TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL,
    step INTEGER NOT NULL, UNIQUE (workspace, run, name, at, step, value));
CREATE TABLE IF NOT EXISTS aml_models (
    workspace TEXT NOT NULL, id TEXT NOT NULL, experiment TEXT NOT NULL, run TEXT NOT NULL, name TEXT NOT NULL,
    location TEXT NOT NULL, created INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (workspace, id));
"""
# What clients upload to classic workspaces.
_DATASETS = """
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
    data_type TEXT NOT NULL, blocks INTEGER, created TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS datasets (
    id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
    family TEXT NOT NULL, batch INTEGER NOT NULL, name TEXT NOT NULL, data_type TEXT NOT NULL,
    description TEXT NOT NULL, owner TEXT NOT NULL, file_name TEXT NOT NULL, upload_id TEXT NOT NULL UNIQUE,
    place TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, schema_status TEXT NOT NULL, created TEXT NOT NULL,
    UNIQUE (family, batch));
"""
_SCHEMA = """
CREATE TABLE workspaces (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, primary_token TEXT NOT NULL, secondary_token TEXT NOT NULL,
    created TEXT NOT NULL);
CREATE TABLE packages (
    digest TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE experiments (
    id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
    description TEXT NOT NULL, package TEXT NOT NULL REFERENCES packages(digest), resources TEXT NOT NULL,
    created TEXT NOT NULL, modified TEXT NOT NULL);
CREATE TABLE services (
    id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
    name TEXT NOT NULL, description TEXT NOT NULL, experiment_id TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE endpoints (
    id TEXT PRIMARY KEY, service_id TEXT NOT NULL REFERENCES services(id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE, description TEXT NOT NULL, created TEXT NOT NULL,
    primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL,
    throttle_level TEXT NOT NULL, max_concurrent_calls INTEGER NOT NULL, prevent_update INTEGER NOT NULL,
    diagnostics_trace_level TEXT NOT NULL,
    package TEXT NOT NULL REFERENCES packages(digest), resources TEXT NOT NULL,
    UNIQUE (service_id, name));
CREATE TABLE activities (
    id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
    service_id TEXT NOT NULL, endpoint_id TEXT NOT NULL);
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, endpoint_id TEXT NOT NULL REFERENCES endpoints(id) ON DELETE CASCADE,
    state TEXT NOT NULL, position INTEGER, package TEXT NOT NULL, resources TEXT NOT NULL,
    request TEXT NOT NULL, results TEXT, details TEXT, created TEXT NOT NULL, finished TEXT);
CREATE INDEX jobs_by_state ON jobs (state, position);
CREATE INDEX jobs_by_endpoint ON jobs (endpoint_id);
CREATE TABLE arm (
    key TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    status INTEGER NOT NULL, effect TEXT NOT NULL, service TEXT NOT NULL, fault TEXT, served INTEGER);
"""
# What brings a database of an older format, by its version, one version further.
_UPGRADES = {
    1: "ALTER TABLE journal ADD COLUMN fault TEXT; ALTER TABLE journal ADD COLUMN served INTEGER",
    2: _TRACKING,
    3: _DATASETS,
}


class StoreError(StartError):
    """The database cannot be used."""


@dataclass(frozen=True)
class Workspace:
    """A classic workspace: `id` is 32 lower-case hex digits, the tokens open its management API."""

    id: str
    name: str
    primary_token: str
    secondary_token: str
    created: str

    @property
    def tokens(self) -> tuple[str, str]:
        """Both tokens, each of which is accepted."""
        return (self.primary_token, self.secondary_token)


class Store:
    """SQLite below `data_dir`; safe to use from several threads of the one process that owns it."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data_dir = data_dir
        self._path = data_dir / "studio.db"
        self._lock = threading.RLock()
        self._path.touch(mode=0o600)
        self._connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=2
        )
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                remedy = "stop the other local cloud that uses this data directory, or choose another: python -m localcloud --data-dir"
            else:
                remedy = "./dev cloud reset, which deletes all local data, then ./dev up"
            raise StoreError(f"cannot use the database {self._path}: {error}", remedy) from None
        except StoreError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        # Exclusive: two servers on one directory would run each job twice. The lock dies with its process.
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if 0 <= version < SCHEMA_VERSION:
            upgrades = [_UPGRADES[older] for older in range(version, SCHEMA_VERSION) if older]
            scripts = upgrades if version else [_SCHEMA, _TRACKING, _DATASETS]
            statements = [part for script in scripts for part in script.split(";") if part.strip()]
            with self.transaction() as connection:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        elif version != SCHEMA_VERSION:
            raise StoreError(
                f"the database {self._path} has format {version}, this local cloud writes {SCHEMA_VERSION}",
                "use the version that wrote it, or ./dev cloud reset, which deletes all local data",
            )

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: commits at the end of the block, rolls back when it raises. May be nested."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @property
    def state(self) -> int | None:
        """A number that any change gives another; none while one is being made."""
        return None if self._connection.in_transaction else self._connection.total_changes

    def rows(self, sql: str, *arguments: object) -> list[sqlite3.Row]:
        """All rows that a query gives."""
        with self._lock:
            return self._connection.execute(sql, arguments).fetchall()

    def row(self, sql: str, *arguments: object) -> sqlite3.Row | None:
        """The first row that a query gives."""
        with self._lock:
            row: sqlite3.Row | None = self._connection.execute(sql, arguments).fetchone()
            return row

    def change(self, sql: str, *arguments: object) -> int:
        """Change rows; how many."""
        with self._lock:
            return self._connection.execute(sql, arguments).rowcount

    def insert(self, table: str, **values: object) -> None:
        """Add a row."""
        places = ", ".join("?" * len(values))
        self.change(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values())  # noqa: S608

    def update(self, table: str, row_id: str, **values: object) -> None:
        """Change columns of the row with that id, if there is one."""
        changed = ", ".join(f"{name}=?" for name in values)
        self.change(f"UPDATE {table} SET {changed} WHERE id=?", *values.values(), row_id)  # noqa: S608

    # Workspaces

    def create_workspace(
        self, workspace_id: str, name: str, primary_token: str, secondary_token: str
    ) -> Workspace:
        """Create the workspace, or give an existing one this name and these tokens (its content stays)."""
        self.change(
            "INSERT INTO workspaces VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " name=excluded.name, primary_token=excluded.primary_token,"
            " secondary_token=excluded.secondary_token",
            workspace_id,
            name,
            primary_token,
            secondary_token,
            now(),
        )
        workspace = self.workspace(workspace_id)
        assert workspace is not None
        return workspace

    def workspace(self, workspace_id: str) -> Workspace | None:
        """The workspace of that id."""
        row = self.row("SELECT * FROM workspaces WHERE id=?", workspace_id)
        return None if row is None else Workspace(**dict(row))

    def delete_workspace(self, workspace_id: str) -> None:
        """Delete the workspace, if there is one, and all in it. Running jobs are stopped."""
        self.change("DELETE FROM workspaces WHERE id=?", workspace_id)

    # ARM documents

    def arm_get(self, resource_id: str) -> dict[str, Any] | None:
        """The document of an ARM resource; ids are compared without regard to case."""
        row = self.row("SELECT document FROM arm WHERE key=?", _arm_key(resource_id))
        return None if row is None else json.loads(row["document"])

    def arm_put(self, resource_id: str, document: Mapping[str, Any]) -> None:
        """Create or replace the document of an ARM resource."""
        self.change("INSERT OR REPLACE INTO arm VALUES (?, ?)", _arm_key(resource_id), json.dumps(document))

    def arm_delete(self, resource_id: str) -> None:
        """Delete one ARM document, not those below it."""
        self.change("DELETE FROM arm WHERE key=?", _arm_key(resource_id))

    def arm_list(self, prefix: str) -> list[dict[str, Any]]:
        """The documents of all resources whose id begins with `prefix` (a plain string prefix), by id."""
        key = prefix.lower()
        rows = self.rows("SELECT document FROM arm WHERE substr(key, 1, ?) = ? ORDER BY key", len(key), key)
        return [json.loads(row["document"]) for row in rows]


def now() -> str:
    """The time as the local cloud writes it: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


def _arm_key(resource_id: str) -> str:
    return resource_id.rstrip("/").lower()
