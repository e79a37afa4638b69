"""The process: how it starts, refuses to start, ends, and comes back after kill -9."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.studio.houses import PREDICTIVE, RESOURCE, TRAINING, houses, slow_training
from tests.studio.running import ROOT, Azurite, Running
from tests.studio.shared import job_request
from tests.waiting import eventually


def refused(running: Running, *changes: tuple[str, str]) -> list[str]:
    """The lines that a studio which cannot start says."""
    command = running.command()
    for option, value in changes:
        command[command.index(option) + 1] = value
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_a_port_that_is_taken_is_named(own_studio: Running) -> None:
    """One line of cause, one of remedy, status 2."""
    with socket.create_server(("127.0.0.1", own_studio.blob_port)):
        lines = refused(own_studio)
    assert lines[0] == f"error: port {own_studio.blob_port} is taken by another program"
    assert lines[1].startswith("remedy: ")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("content", "cause"),
    [(None, "cannot read the cloud file"), ("{", "is not JSON"), ("{}", "lacks blob, azurite, account")],
)
def test_a_cloud_file_that_cannot_be_used_is_named(
    own_studio: Running, tmp_path: Path, content: str | None, cause: str
) -> None:
    """Missing, not JSON, incomplete."""
    file = tmp_path / "other.json"
    if content is not None:
        file.write_text(content)
    lines = refused(own_studio, ("--cloud-file", str(file)))
    assert lines[0].startswith("error: ")
    assert cause in lines[0]
    assert len(lines) == 2


def test_an_idle_worker_that_is_killed_is_replaced(own_studio: Running) -> None:
    """Killed while it waits, or as a job comes that it has not begun: the job runs all the same."""
    own_studio.start()
    own_studio.upload("data", "houses.csv", houses())
    endpoint = own_studio.workspace("idle").endpoint(
        own_studio.workspace("idle").publish("houses-training", TRAINING)
    )
    order = job_request(own_studio, "houses.csv")
    assert endpoint.run(order)["StatusCode"] == "Finished"
    [worker] = own_studio.workers()
    worker.kill()
    assert endpoint.run(order)["StatusCode"] == "Finished"
    [other] = eventually(own_studio.workers, "another worker")
    assert other.pid != worker.pid
    other.suspend()
    job = endpoint.submit(order).json()
    endpoint.call("POST", f"jobs/{job}/start").raise_for_status()
    endpoint.wait(job, "Running")
    other.kill()
    assert endpoint.wait(job, "Finished", "Failed")["StatusCode"] == "Finished"


def test_jobs_survive_kill_minus_nine(own_studio: Running) -> None:
    """Running and queued jobs run again in order, unstarted ones wait, no worker outlives its server, and a job
    whose record cannot be run fails alone."""
    own_studio.start()
    workspace = own_studio.workspace("survivors")
    own_studio.upload("data", "houses.csv", houses())
    slow = workspace.endpoint(workspace.publish("slow", slow_training()))
    quick = workspace.endpoint(workspace.publish("quick", TRAINING))
    order = job_request(own_studio, "houses.csv")
    running = slow.submit(order | {"GlobalParameters": {"Trees": "1500"}}).json()
    queued = quick.submit(job_request(own_studio, "houses.csv", output1="m.ilearner")).json()
    unstarted = quick.submit(order).json()
    slow.call("POST", f"jobs/{running}/start")
    quick.call("POST", f"jobs/{queued}/start")
    slow.wait(running, "Running")
    assert quick.call("GET", f"jobs/{queued}").json()["StatusCode"] == "NotStarted"
    workers = own_studio.workers()
    assert workers
    own_studio.stop(signal.SIGKILL)
    eventually(lambda: not any(alive(worker) for worker in workers), "the workers' end")

    own_studio.start()
    assert quick.call("POST", f"jobs/{queued}/start").status_code == 400
    assert quick.call("GET", f"jobs/{unstarted}").json()["StatusCode"] == "NotStarted"
    model = quick.wait(queued, "Finished", "Failed")["Results"]["output1"]
    assert slow.call("GET", f"jobs/{running}").json()["StatusCode"] == "Finished"
    assert quick.call("GET", f"jobs/{unstarted}").json()["StatusCode"] == "NotStarted"
    quick.call("POST", f"jobs/{unstarted}/start").raise_for_status()
    assert quick.wait(unstarted, "Finished", "Failed")["StatusCode"] == "Finished"
    submitted = [one for one in own_studio.journal() if one["path"].split("?")[0].endswith("/jobs")]
    assert len(submitted) == 3

    resource = {"Name": RESOURCE, "Location": model}
    scoring = workspace.endpoint(workspace.publish("scoring", PREDICTIVE, [resource]))
    price = scoring.price(100)
    damaged = quick.submit(order).json()
    assert own_studio.stop(signal.SIGTERM) == 0
    damage(own_studio, damaged)
    own_studio.start()
    assert scoring.price(100) == price
    quick.call("POST", f"jobs/{damaged}/start").raise_for_status()
    assert quick.wait(damaged, "Finished", "Failed")["Details"].startswith("Error 0000: Internal error: ")
    assert quick.run(order)["StatusCode"] == "Finished"
    own_studio.stop(signal.SIGINT)
    for secret in (own_studio.azurite.key, workspace.token, quick.key, "sig=?", "AccountKey=Z"):
        assert secret not in own_studio.log


def damage(studio: Running, job: str) -> None:
    """Make the record of a job one that no studio can run."""
    with closing(sqlite3.connect(studio.directory / "data" / "studio.db", isolation_level=None)) as database:
        database.execute(
            "UPDATE jobs SET request=replace(request, 'AccountKey', 'Nothing') WHERE id=?", (job,)
        )


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_two_studios_do_not_share_a_data_directory(studio: Running, azurite: Azurite) -> None:
    """The second one refuses: it would run each job twice."""
    second = Running(studio.directory, azurite)
    assert second.process is None
    lines = refused_elsewhere(second)
    second.close()
    assert "cannot use the database" in lines[0]
    assert "--data-dir" in lines[1]


def refused_elsewhere(second: Running) -> list[str]:
    file = second.directory / "cloud.json"
    kept = file.read_text()
    try:
        return refused(second)
    finally:
        file.write_text(kept)
