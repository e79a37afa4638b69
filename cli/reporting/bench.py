"""What a report over many runs takes: a thousand runs and verdicts beside those of a deployed stack, in a container of its own that
is deleted afterwards.

    python -m cli.reporting.bench [STACK]
"""

from __future__ import annotations

import random
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

    from cli.reporting.sources import Sources
    from clients.storage import Container
    from retrain_hooks.registry.ledger import Run

RUNS = 1_000
SECONDS, BYTES = 5.0, 5_000_000
_WRITERS = 16
_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


def main() -> int:
    """Measure and print; 1 where it takes longer, or is larger, than it may."""
    from cli.reporting.sources import sources_of

    stack = sys.argv[1] if len(sys.argv) > 1 else "dev"
    sources = sources_of(stack)
    with _crowded(sources):
        from cli.reporting.gather import gathered
        from reports.page import render

        sources = replace(sources)  # nothing is known of it yet
        started, busy = time.perf_counter(), time.process_time()
        report = gathered(sources)
        told = time.perf_counter()
        page = render(report).encode()
        ended, busy = time.perf_counter(), time.process_time() - busy
    print(
        f"{len(report.runs)} runs, {len(report.verdicts)} verdicts told: gathered {told - started:.2f} s, "
        f"written {ended - told:.2f} s, of it {busy:.2f} s of the processor; {len(page) / 1e6:.2f} MB; at most {SECONDS:g} s and {BYTES / 1e6:g} MB"
    )
    return int(ended - started > SECONDS or len(page) > BYTES)


@contextmanager
def _crowded(sources: Sources) -> Iterator[None]:
    """While the sources' registry is a copy with many more runs in it."""
    from azure.storage.blob import BlobServiceClient

    from clients.storage import Container

    context, name = sources.registry.context, f"report-bench-{secrets.token_hex(4)}"
    here, target = context.registry(sources.registry.target), context.target(sources.registry.target)
    with BlobServiceClient.from_connection_string(target.connection_string) as service:
        service.create_container(name)
        try:
            _fill(service.get_container_client(name), *_content(here, sources.runs))
            there = Container(target.connection_string, name, target.remedy)
            context.registry = lambda target: there  # type: ignore[method-assign]
            yield
        finally:
            service.delete_container(name)


def _fill(
    client: ContainerClient, content: Mapping[str, bytes], index: Mapping[str, Mapping[str, str]]
) -> None:
    def upload(blob: str) -> None:
        client.upload_blob(blob, content[blob], metadata=dict(index.get(blob, {})))

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(upload, content))


def _content(registry: Container, runs: list[Run]) -> tuple[dict[str, bytes], dict[str, Mapping[str, str]]]:
    """What the registry has, and runs like those of the stack, each with a verdict; the index of each run's record."""
    from retrain_hooks.registry.summaries import index_of

    folders = ("runs/", "verdicts/", "bound/", "models/")
    found = {blob.name: registry.read(blob.name)[0] for folder in folders for blob in registry.list(folder)}
    index: dict[str, Mapping[str, str]] = {f"runs/{run.key}.json": index_of(run.summary) for run in runs}
    chance = random.Random(7)  # noqa: S311 -- for a table
    like = [run for run in runs if run.state == "finished"]
    for number in range(RUNS):
        run = _another(like[number % len(like)], number, chance)
        found[f"runs/{run.key}.json"], index[f"runs/{run.key}.json"] = _json(run), index_of(run.summary)
        name, verdict = _verdict(run)
        found[f"verdicts/{name}.json"] = verdict
    return found, index


def _another(run: Run, number: int, chance: random.Random) -> Run:
    begun = _BEGIN + timedelta(days=number)
    ended = begun + timedelta(seconds=chance.uniform(10, 90))
    metrics = {
        name: value * chance.uniform(0.95, 1.0) if isinstance(value, float) else value
        for name, value in run.metrics.items()
    }
    return replace(
        run,
        key=sha256(f"{run.key} {number}".encode()).hexdigest(),
        planned_at=begun.isoformat(),
        started_at=begun.isoformat(),
        ended_at=ended.isoformat(),
        seconds=(ended - begun).total_seconds(),
        data={**run.data, "version": f"{begun:%Y-%m-%d}"},
        metrics=metrics,
        former="",
    )


def _verdict(run: Run) -> tuple[str, bytes]:
    from retrain_hooks.gate.rules import Ruling
    from retrain_hooks.gate.verdicts import Case, Model

    case = Case(Model(run.address, run.key), None, {"rules": ["auc >= 0.65"]}, run.sha256)
    ruling = Ruling("auc >= 0.65", 0.7, 0.65, True, "auc 0.7 >= 0.65")
    record: dict[str, Any] = asdict(case) | {"outcome": "passed", "rules": [asdict(ruling)]}
    record["sha256"] = record.pop("candidate_sha256")
    return case.name, _json(record | {"judgedAt": run.ended_at, "version": 1})


def _json(value: Any) -> bytes:
    from retrain_hooks.registry.plain import encode
    from retrain_hooks.registry.run_key import canonical_json

    return canonical_json(encode(value))


if __name__ == "__main__":
    sys.exit(main())
