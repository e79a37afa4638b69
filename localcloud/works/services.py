"""Web services and endpoints as the local cloud keeps them.

An endpoint holds its own copy of the graph (by digest) and of the models (by hash): publishing an experiment
again touches the default endpoint only, a PATCH touches one endpoint only.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

from localcloud.facilities.store import Store, now

DEFAULT_ENDPOINT = "default"
LOW_CALLS = 4
DEFAULT_CALLS = 20
MOST_CALLS = 200


@dataclass(frozen=True)
class Resource:
    """A trained model in a graph: its name, where it was fetched from (never its SAS), and its bytes' hash."""

    name: str
    base: str
    relative: str
    sha256: str
    kind: str = "TrainedModel"


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of a web service. `id` is the guid of its data plane; `package` a digest."""

    id: str
    service_id: str
    workspace_id: str
    name: str
    description: str
    created: str
    package: str
    resources: tuple[Resource, ...]
    primary_key: str = field(repr=False)
    secondary_key: str = field(repr=False)
    throttle_level: str = "High"
    max_concurrent_calls: int = DEFAULT_CALLS
    prevent_update: bool = False
    diagnostics_trace_level: str = "None"

    @property
    def keys(self) -> tuple[str, str]:
        """Both keys, each of which is accepted."""
        return (self.primary_key, self.secondary_key)

    @property
    def is_default(self) -> bool:
        """Whether it is the one that publishing updates and nothing else may."""
        return self.name == DEFAULT_ENDPOINT


@dataclass(frozen=True)
class WebService:
    """A published experiment."""

    id: str
    workspace_id: str
    name: str
    description: str
    experiment_id: str
    created: str
    endpoints: int


def new_id() -> str:
    """An id in Studio's form: 32 lower-case hex digits."""
    return uuid4().hex


def new_key() -> str:
    """An endpoint's key: base64 of 64 random bytes, 88 characters."""
    return b64encode(secrets.token_bytes(64)).decode("ascii")


_SERVICES = (
    "SELECT s.*, (SELECT count(*) FROM endpoints e WHERE e.service_id = s.id) AS endpoints FROM services s"
)
_ENDPOINTS = "SELECT e.*, s.workspace_id FROM endpoints e JOIN services s ON s.id = e.service_id"


class Services:
    """Reads and writes web services, endpoints and the graphs they run."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept_lately: set[str] = set()
        # Endpoints as they were read when the store was in a state.
        self._read: dict[tuple[str, str], Endpoint] = {}
        self._read_at: int | None = None

    # Graphs

    def keep_package(self, package: Mapping[str, Any]) -> str:
        """Keep a graph; its digest."""
        document = json.dumps(package, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = hashlib.sha256(document.encode()).hexdigest()
        self._kept_lately.add(digest)
        self._store.change("INSERT OR IGNORE INTO packages VALUES (?, ?)", digest, document)
        return digest

    def package(self, digest: str) -> dict[str, Any]:
        """The graph with that digest."""
        row = self._store.row("SELECT document FROM packages WHERE digest=?", digest)
        if row is None:
            raise LookupError(f"no graph {digest}")
        document: dict[str, Any] = json.loads(row["document"])
        return document

    def forget_packages(self, used: Collection[str] = ()) -> None:
        """Delete the graphs that nothing names, but for those `used` and those kept since the last time.

        Who keeps a graph names it a moment later.
        """
        rows = self._store.rows(
            "SELECT digest FROM packages EXCEPT SELECT package FROM experiments"
            " EXCEPT SELECT package FROM endpoints EXCEPT SELECT package FROM jobs"
        )
        for digest in {row["digest"] for row in rows} - self._kept_lately - set(used):
            self._store.change("DELETE FROM packages WHERE digest=?", digest)
        self._kept_lately.clear()

    # Web services

    def services(self, workspace_id: str) -> list[WebService]:
        """The web services of a workspace, oldest first."""
        rows = self._store.rows(f"{_SERVICES} WHERE workspace_id=? ORDER BY created, id", workspace_id)
        return [WebService(**dict(row)) for row in rows]

    def service(self, workspace_id: str, service_id: str) -> WebService | None:
        """One web service."""
        row = self._store.row(f"{_SERVICES} WHERE workspace_id=? AND id=?", workspace_id, service_id)
        return None if row is None else WebService(**dict(row))

    def service_of(self, experiment_id: str) -> WebService | None:
        """The web service that an experiment was published as."""
        row = self._store.row(f"{_SERVICES} WHERE experiment_id=? ORDER BY created", experiment_id)
        return None if row is None else WebService(**dict(row))

    def publish(
        self,
        workspace_id: str,
        experiment_id: str,
        name: str,
        description: str,
        package: str,
        resources: Sequence[Resource],
    ) -> Endpoint:
        """Create the experiment's web service, or give its default endpoint this graph and these models."""
        with self._store.transaction():
            service = self.service_of(experiment_id)
            if service is None:
                service_id = self._insert_service(new_id(), workspace_id, name, description, experiment_id)
                endpoint_id = self._insert_endpoint(
                    service_id, DEFAULT_ENDPOINT, description, package, resources
                )
            else:
                endpoint_id = self.default_endpoint(service.id).id
                self._store.update("services", service.id, name=name, description=description)
                self.serve(endpoint_id, package, resources)
        published = self.endpoint_by_id(workspace_id, endpoint_id)
        assert published is not None
        return published

    def provide(
        self,
        owner: str,
        service_id: str,
        name: str,
        description: str,
        package: str,
        resources: Sequence[Resource],
        keys: tuple[str, str],
        max_concurrent_calls: int,
    ) -> Endpoint:
        """Create or change a New web service: one endpoint, whose id is the service's own.

        It hangs on a row that stands for its subscription (`owner`: its id without dashes), as a classic service
        hangs on its workspace, so that both are scored, and run batch jobs, by the same code.
        """
        with self._store.transaction():
            if self._store.workspace(owner) is None:
                self._store.create_workspace(owner, owner, new_id(), new_id())
            if self.service(owner, service_id) is None:
                self._insert_service(service_id, owner, name, description, "")
                self._insert_endpoint(
                    service_id, DEFAULT_ENDPOINT, description, package, resources, service_id
                )
            self._store.update("services", service_id, name=name, description=description)
            self.serve(service_id, package, resources)
            primary, secondary = keys
            self.configure(
                service_id,
                primary_key=primary,
                secondary_key=secondary,
                max_concurrent_calls=max_concurrent_calls,
            )
        provided = self.endpoint_by_id(owner, service_id)
        assert provided is not None
        return provided

    def delete_service(self, workspace_id: str, service_id: str) -> None:
        """Delete a web service with its endpoints and their jobs."""
        self._store.change("DELETE FROM services WHERE workspace_id=? AND id=?", workspace_id, service_id)

    # Endpoints

    def endpoints(self, service_id: str) -> list[Endpoint]:
        """The endpoints of a web service, oldest first."""
        rows = self._store.rows(f"{_ENDPOINTS} WHERE service_id=? ORDER BY e.rowid", service_id)
        return [_endpoint(row) for row in rows]

    def all_endpoints(self, limit: int) -> list[tuple[str, Endpoint]]:
        """Endpoints of all web services, each with the name of its own, by these names."""
        rows = self._store.rows(
            "SELECT e.*, s.workspace_id, s.name AS service FROM endpoints e JOIN services s ON s.id = e.service_id"
            " ORDER BY s.name, e.rowid LIMIT ?",
            limit,
        )
        named = [dict(row) for row in rows]
        return [(row.pop("service"), _endpoint(row)) for row in named]

    def endpoint(self, service_id: str, name: str) -> Endpoint | None:
        """An endpoint by its name, whatever its case, or by its guid."""
        row = self._store.row(
            f"{_ENDPOINTS} WHERE service_id=? AND (e.name=? OR e.id=?)", service_id, name, name.lower()
        )
        return None if row is None else _endpoint(row)

    def default_endpoint(self, service_id: str) -> Endpoint:
        """The endpoint that every web service has."""
        default = self.endpoint(service_id, DEFAULT_ENDPOINT)
        assert default is not None
        return default

    def endpoint_by_id(self, workspace_id: str, endpoint_id: str) -> Endpoint | None:
        """An endpoint by its guid, as the data plane names it."""
        state, key = self._store.state, (workspace_id, endpoint_id)
        if state is None or state != self._read_at:
            self._read, self._read_at = {}, state
        if key not in self._read:
            row = self._store.row(
                f"{_ENDPOINTS} WHERE e.id=? AND s.workspace_id=?", endpoint_id, workspace_id
            )
            if row is None or state is None:
                return None if row is None else _endpoint(row)
            self._read[key] = _endpoint(row)
        return self._read[key]

    def add_endpoint(self, service_id: str, name: str, description: str) -> Endpoint:
        """Add an endpoint that starts as a copy of the default one."""
        default = self.default_endpoint(service_id)
        endpoint_id = self._insert_endpoint(service_id, name, description, default.package, default.resources)
        added = self.endpoint_by_id(default.workspace_id, endpoint_id)
        assert added is not None
        return added

    def configure(self, endpoint_id: str, **settings: object) -> None:
        """Change what is not the graph and not the models: fields of `Endpoint`."""
        self._store.update("endpoints", endpoint_id, **settings)

    def serve(self, endpoint_id: str, package: str, resources: Sequence[Resource]) -> None:
        """Let an endpoint serve this graph with these models; callers see the old or the new, never a mixture."""
        self._store.update("endpoints", endpoint_id, package=package, resources=dump_resources(resources))

    def delete_endpoint(self, endpoint_id: str) -> None:
        """Delete an endpoint and its jobs."""
        self._store.change("DELETE FROM endpoints WHERE id=?", endpoint_id)

    def _insert_service(self, service_id: str, owner: str, name: str, says: str, experiment_id: str) -> str:
        self._store.insert(
            "services",
            id=service_id,
            workspace_id=owner,
            name=name,
            description=says,
            experiment_id=experiment_id,
            created=now(),
        )
        return service_id

    def _insert_endpoint(
        self,
        service_id: str,
        name: str,
        description: str,
        package: str,
        resources: Sequence[Resource],
        endpoint_id: str | None = None,
    ) -> str:
        endpoint_id = endpoint_id or new_id()
        settings = Endpoint(
            endpoint_id,
            service_id,
            "",
            name,
            description,
            now(),
            package,
            tuple(resources),
            new_key(),
            new_key(),
        )
        kept = {column: value for column, value in vars(settings).items() if column != "workspace_id"}
        self._store.insert("endpoints", **{**kept, "resources": dump_resources(resources)})
        return endpoint_id


def load_resources(text: str) -> tuple[Resource, ...]:
    """Resources as `dump_resources` wrote them."""
    return tuple(Resource(**entry) for entry in json.loads(text))


def dump_resources(resources: Sequence[Resource]) -> str:
    """Resources as text, for the store."""
    return json.dumps([asdict(resource) for resource in resources])


def _endpoint(row: sqlite3.Row | Mapping[str, Any]) -> Endpoint:
    values = dict(row)
    values["resources"] = load_resources(values["resources"])
    values["prevent_update"] = bool(values["prevent_update"])
    return Endpoint(**values)
