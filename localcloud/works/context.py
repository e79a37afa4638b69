"""Everything the APIs share, made once when the server starts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from localcloud.blobs.kept_writes import KeptWrites
from localcloud.blobs.proxy import BlobProxy
from localcloud.directory.state import Directory
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.journal import Journal
from localcloud.facilities.long_operations import LongOperations
from localcloud.facilities.store import Store
from localcloud.faults.state import Faults
from localcloud.works.batch.executor import Executor
from localcloud.works.batch.jobs import Jobs
from localcloud.works.batch.misbehaving import JobFaults
from localcloud.works.batch.processes import ProcessPool
from localcloud.works.batch.runner import Runner
from localcloud.works.bindings import Bindings
from localcloud.works.calls import Calls
from localcloud.works.datasets.state import Datasets
from localcloud.works.datasets.uploads import Uploads
from localcloud.works.experiments import Experiments
from localcloud.works.graphs import Graphs
from localcloud.works.models import Models
from localcloud.works.pace import Pace
from localcloud.works.services import Services

_SCORING_THREADS = 4


@dataclass(frozen=True)
class Works:
    """All of one local cloud: its addresses, its state, its workers."""

    cloud: Cloud
    store: Store
    directory: Directory
    journal: Journal
    faults: Faults
    services: Services
    bindings: Bindings
    experiments: Experiments
    models: Models
    datasets: Datasets
    uploads: Uploads
    graphs: Graphs
    jobs: Jobs
    runner: Runner
    job_faults: JobFaults
    proxy: BlobProxy
    calls: Calls
    operations: LongOperations
    scoring: ThreadPoolExecutor
    pace: Pace


def open_works(
    cloud: Cloud,
    data_dir: Path,
    *,
    executor: Executor | None = None,
    allow_faults: bool = False,
    allow_scripts: bool = False,
) -> Works:
    """Open the state below `data_dir`. Nothing runs yet. Raises `StoreError`."""
    store, faults = Store(data_dir), Faults(allowed=allow_faults)
    journal, services, jobs = Journal(store), Services(store), Jobs(store)
    models = Models(data_dir / "models")
    runner = Runner(jobs, services, models, cloud, executor or ProcessPool(1))
    return Works(
        cloud=cloud,
        store=store,
        directory=Directory(cloud, data_dir / "signing.key"),
        journal=journal,
        faults=faults,
        services=services,
        bindings=Bindings(services, faults),
        experiments=Experiments(store),
        models=models,
        datasets=Datasets(store),
        uploads=Uploads(store, data_dir / "uploads"),
        graphs=Graphs(services, models, scripts=allow_scripts),
        jobs=jobs,
        runner=runner,
        job_faults=JobFaults(faults, jobs, runner),
        proxy=BlobProxy(cloud, journal, faults, KeptWrites(data_dir / "blob-writes")),
        calls=Calls(),
        operations=LongOperations(store, cloud.subscription),
        scoring=ThreadPoolExecutor(_SCORING_THREADS, thread_name_prefix="scoring"),
        pace=Pace(),
    )


def works_of(request: Request) -> Works:
    """The local cloud that a request is for."""
    works: Works = request.app.state.works
    return works
