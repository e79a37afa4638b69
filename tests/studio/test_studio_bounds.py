"""Whatever grows in the local cloud has a bound, and nothing that something still names is deleted for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.facilities.journal import Journal
from localcloud.facilities.store import Store
from localcloud.works import upkeep
from localcloud.works.batch.jobs import FAILED, FINISHED, NOT_STARTED, QUEUED, JobRequest, Jobs
from localcloud.works.services import Resource
from tests.studio.houses import TRAINING
from tests.studio.inside import Inside, opened

WORKSPACE = "0" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of this test alone."""
    found = Store(tmp_path)
    yield found
    found.close()


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    """A local cloud of this test alone."""
    with opened(tmp_path) as found:
        yield found


def test_the_journal_is_a_ring(store: Store) -> None:
    """Of more calls than it holds the oldest are gone, whatever their effect; ids go on."""
    journal = Journal(store, most=10)
    for number in range(25):
        journal.record(
            "2026-01-01T00:00:00.000Z", "PUT" if number % 3 else "GET", f"/{number}", 200, "studio"
        )
    assert [entry["path"] for entry in journal.entries()] == [f"/{number}" for number in range(15, 25)]
    last = journal.entries()[-1]["id"]
    journal.clear()
    journal.record("2026-01-01T00:00:00.000Z", "PUT", "/next", 200, "studio")
    assert journal.entries()[0]["id"] == last + 1


def test_the_journal_is_read_in_pages(inside: Inside) -> None:
    """`after` goes on behind an entry, `limit` ends early; both together give all of it once, as one call does."""
    for number in range(1203):
        inside.works.journal.record("2026-01-01T00:00:00.000Z", "GET", f"/{number}", 200, "studio")
    whole = inside("GET", "/_local/journal").json()
    assert [entry["path"] for entry in whole] == [f"/{number}" for number in range(1203)]
    pages, after = [], 0
    while page := inside("GET", f"/_local/journal?after={after}&limit=100").json():
        assert len(page) <= 100
        pages += page
        after = page[-1]["id"]
    assert pages == whole
    assert inside("GET", "/_local/journal?limit=0").json() == []
    assert len(inside("GET", "/_local/journal?limit=501").json()) == 501


@pytest.mark.parametrize(
    "query", ["after=-1", "limit=x", "after=1.5", f"limit={'9' * 30}", "limit=%EF%BC%91"]
)
def test_a_wrong_page_is_refused(inside: Inside, query: str) -> None:
    """Neither a negative, nor a fraction, nor a word is a number of entries."""
    answer = inside("GET", f"/_local/journal?{query}")
    assert (answer.status_code, query[:5] in answer.text) == (400, True)


def test_ended_and_forgotten_jobs_are_bounded(inside: Inside) -> None:
    """The last ones that ended stay, and the last that nobody started; one that waits or runs stays however old it is."""
    works = inside.works
    endpoint = published(inside)
    jobs = Jobs(works.store, most=5)

    def create() -> str:
        return jobs.create(endpoint.id, endpoint.package, (), JobRequest({}, {}, {}))

    def states() -> dict[str, int]:
        rows = works.store.rows("SELECT state, count(*) AS number FROM jobs GROUP BY state")
        return {row["state"]: row["number"] for row in rows}

    waiting = [create() for _ in range(3)]
    for job in waiting:
        assert jobs.start(job)
    ended = []
    for number in range(12):
        ended.append(create())
        works.store.update(
            "jobs",
            ended[-1],
            state=FAILED if number % 2 else FINISHED,
            finished=f"2026-01-01T00:00:{number:02}.000Z",
        )
    unstarted = [create() for _ in range(12)]
    assert states() == {QUEUED: 3, FAILED: 3, FINISHED: 2, NOT_STARTED: 5}
    assert all(jobs.exists(job) for job in waiting + ended[-5:] + unstarted[-5:])


def test_publishings_are_bounded(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last ones can be asked for."""
    monkeypatch.setattr("localcloud.works.experiments._MOST_ACTIVITIES", 3)
    endpoint = published(inside)
    made = [inside.works.experiments.record_activity(endpoint) for _ in range(7)]
    known = [inside.works.experiments.activity(WORKSPACE, one.id) is not None for one in made]
    assert known == [False] * 4 + [True] * 3


def test_graphs_and_models_that_nothing_names_go(inside: Inside) -> None:
    """What experiments, endpoints and jobs name stays, and what came a moment ago: its name is on the way."""
    works = inside.works
    endpoint = published(inside)
    job_graph = works.services.keep_package({"name": "of a job"})
    works.jobs.create(endpoint.id, job_graph, [model(inside, "c")], JobRequest({}, {}, {}))
    works.services.serve(endpoint.id, endpoint.package, [model(inside, "a")])
    orphans = [works.services.keep_package({"name": f"orphan {number}"}) for number in range(3)]
    model(inside, "b", age=7200)
    model(inside, "d", age=10)
    upkeep.tidy(works)
    assert set(graphs(inside)) == {endpoint.package, job_graph, *orphans}
    assert models(inside) == {"a", "c", "d"}
    works.services.keep_package({"name": "orphan 0"})
    upkeep.tidy(works)
    assert set(graphs(inside)) == {endpoint.package, job_graph, orphans[0]}
    upkeep.tidy(works, starting=True)
    assert set(graphs(inside)) == {endpoint.package, job_graph}
    assert models(inside) == {"a", "c"}


def test_operations_are_bounded(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that ended long ago go, and those before the last ones; what goes on stays."""
    monkeypatch.setattr("localcloud.facilities.long_operations._MOST", 2)
    operations = inside.works.operations
    ends = [
        "2020-01-01T00:00:00.0000000Z",
        *(f"2999-01-01T00:00:0{number}.0000000Z" for number in range(4)),
        None,
    ]
    begun = [
        operations.begin(f"/resource/{number}", "westeurope", "update", {}) for number in range(len(ends))
    ]
    for operation, end in zip(begun, ends, strict=True):
        operation.ended, operation.status = end, "Succeeded" if end else "Provisioning"
        inside.works.store.arm_put(operation.id, vars(operation))
    operations.forget_old()
    known = [operations.find("westeurope", operation.name) is not None for operation in begun]
    assert known == [False, False, False, True, True, True]


def test_logs_are_kept_short(tmp_path: Path) -> None:
    """A log that became too long is set aside and emptied in place: its process goes on writing into it."""
    (tmp_path / "short.log").write_text("short")
    with (tmp_path / "long.log").open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        upkeep.bound_logs(tmp_path, longest=50)
        writer.write(b"next")
    assert (tmp_path / "long.log").read_text() == "next"
    assert (tmp_path / "long.old.log").read_text() == "x" * 100
    assert (tmp_path / "short.log").read_text() == "short"
    upkeep.bound_logs(tmp_path, longest=50)
    assert (tmp_path / "long.old.log").exists()


def published(inside: Inside) -> Any:
    """An endpoint of a training web service."""
    works = inside.works
    works.store.create_workspace(WORKSPACE, "ws", "t", "t")
    digest = works.services.keep_package(TRAINING)
    saved = works.experiments.save(WORKSPACE, "houses", digest, [])
    return works.services.publish(WORKSPACE, saved.id, "houses", "", digest, [])


def model(inside: Inside, name: str, age: float = 7200) -> Resource:
    """A kept model that came so many seconds ago."""
    file = inside.works.models.path(name)
    file.write_bytes(b"")
    at = file.stat().st_mtime - age
    os.utime(file, (at, at))
    return Resource(name, "", "", name)


def models(inside: Inside) -> set[str]:
    return {file.stem for file in inside.works.models.path("x").parent.iterdir()}


def graphs(inside: Inside) -> list[str]:
    return [row["digest"] for row in inside.works.store.rows("SELECT digest FROM packages")]
