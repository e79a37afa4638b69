"""Everything the APIs share, made once when the server starts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from studio.aad.state import Directory
from studio.bes.runner import Runner
from studio.bes.state import Jobs
from studio.blob.proxy import BlobProxy
from studio.cloud import Cloud
from studio.faults.state import Faults
from studio.graphs import Graphs
from studio.journal import Journal
from studio.management.state import Services
from studio.models import Models
from studio.rrs.state import Calls
from studio.store import Store
from studio.webservices.operations import Operations
from studio.workspaces.state import Experiments

_SCORING_THREADS = 4


@dataclass(frozen=True)
class Studio:
    """One studio: its cloud, its state, its workers."""

    cloud: Cloud
    store: Store
    directory: Directory
    journal: Journal
    faults: Faults
    services: Services
    experiments: Experiments
    models: Models
    graphs: Graphs
    jobs: Jobs
    runner: Runner
    proxy: BlobProxy
    calls: Calls
    operations: Operations
    scoring: ThreadPoolExecutor


def open_studio(cloud: Cloud, data_dir: Path, *, workers: int = 1, allow_faults: bool = False) -> Studio:
    """Open the state below `data_dir`. Nothing runs yet. Raises `StoreError`."""
    store, faults = Store(data_dir), Faults(allowed=allow_faults)
    journal, services, jobs = Journal(store), Services(store), Jobs(store)
    models = Models(data_dir / "models")
    return Studio(
        cloud=cloud,
        store=store,
        directory=Directory(cloud, data_dir / "signing.key"),
        journal=journal,
        faults=faults,
        services=services,
        experiments=Experiments(store),
        models=models,
        graphs=Graphs(services, models),
        jobs=jobs,
        runner=Runner(jobs, services, models, cloud, workers),
        proxy=BlobProxy(cloud.azurite_address, journal, faults),
        calls=Calls(),
        operations=Operations(store, cloud.subscription),
        scoring=ThreadPoolExecutor(_SCORING_THREADS, thread_name_prefix="scoring"),
    )


def studio_of(request: Request) -> Studio:
    """The studio that a request is for."""
    studio: Studio = request.app.state.studio
    return studio
