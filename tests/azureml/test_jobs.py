"""Jobs through our client: one for a run however often it is sent, looked at, cancelled, and told why where they fail."""

from __future__ import annotations

from typing import Any

import pytest

from clients.azureml.services import AzureMlServices
from clients.azureml.workspace import tags_of
from clients.clock import SystemClock
from clients.errors import UpdateCancelled
from clients.protocols import JobState, JobStatus
from retrain_hooks.training.evaluation import read_metrics
from tests.azureml.world import JOB, TRAIN, World
from tests.waiting import eventually

UNTIL = """\
import pathlib, sys, time
data, model = sys.argv[1:]
print("token=abc?sig=secret&se=1 looks at", flush=True)
print("epoch 3 of 9", flush=True)
time.sleep(60)
"""


def ended(world: World, service: str, number: int = 1, **files: str | None) -> JobStatus:
    """How a job is seen by our client, once it has ended."""
    service = world.publish("training", **files) if files else service
    job = world.submit(service, number)
    world.aml.wait(job)
    return world.jobs(service).status(job)


def until(world: World, service: str, job: str, *states: JobState) -> JobStatus:
    """The first look at a job that shows one of the states, and its log where it runs."""

    def look() -> JobStatus | None:
        found = world.jobs(service).status(job)
        shown = found.state in states and (found.state is not JobState.RUNNING or "epoch" in found.progress)
        return found if shown else None

    found: JobStatus = eventually(look, f"{states} of {job}")
    return found


def test_a_run_is_one_job_however_often_it_is_submitted(world: World) -> None:
    """By this process, and by one that has not seen that it is there."""
    service = world.publish("training")
    job = world.submit(service, 1)
    assert world.submit(service, 1) == job
    unaware = world.jobs(service)
    find, looks = unaware._find, []

    def blind(name: str) -> Any:
        looks.append(name)
        return find(name) if len(looks) > 1 else None

    unaware._find = blind  # type: ignore[method-assign]
    data, model = world.registry.readable("models/wine/note.txt"), world.registry.writable("models/x")
    assert unaware.create(job, {"data": data}, {"model": model}, {}) == job
    details = world.aml.wait(job)
    assert details["status"] == "Completed"
    found = world.aml.ws("GET", "jobs").json()["value"]
    assert [one["name"] for one in found if one["name"] == job] == [job]


def test_a_job_is_seen_from_its_submission_to_its_results(world: World) -> None:
    """It waits, or runs, with the last line of its log; it is cancelled, and once more; its name stays taken."""
    service = world.publish("training", train_py=UNTIL)
    jobs = world.jobs(service)
    assert jobs.status(f"{world.name}-none").state is JobState.LOST
    jobs.cancel(f"{world.name}-none")
    job = world.submit(service, 1)
    jobs.start(job)
    assert jobs.status(job).state in (JobState.NOT_STARTED, JobState.RUNNING)
    assert until(world, service, job, JobState.RUNNING).progress == "epoch 3 of 9"
    jobs.cancel(job)
    assert until(world, service, job, JobState.CANCELLED).results == {}
    jobs.cancel(job)
    assert world.submit(service, 1) == job
    assert jobs.status(job).state is JobState.CANCELLED


class Interrupted(SystemClock):
    """The clock of an update that was interrupted."""

    def sleep(self, seconds: float) -> None:
        """Raise UpdateCancelled."""
        raise UpdateCancelled("the update was cancelled", "run it again")


def test_an_interrupted_update_can_cancel_its_job(world: World) -> None:
    """It waits for nothing any more, and the job ends nevertheless."""
    service = world.publish("training", train_py=UNTIL)
    job = world.submit(service, 1)
    until(world, service, job, JobState.RUNNING)
    AzureMlServices(world.target, world.aml.path, Interrupted()).jobs(service).cancel(job)
    assert until(world, service, job, JobState.CANCELLED).results == {}


def test_a_finished_job_leaves_its_model_where_its_run_wants_it(world: World) -> None:
    """With what it logged, as metrics; and is registered under its run's key, with what is known of it as tags."""
    metric = (
        "import os, pathlib, sys, urllib.request, json\n"
        'uri = os.environ["MLFLOW_TRACKING_URI"]\n'
        'pathlib.Path("outputs").mkdir(exist_ok=True)\n'
    )
    service = world.publish("training", train_py=metric + TRAIN)
    job = world.submit(service, 7)
    world.aml.wait(job)
    run = world.aml.mlflow("POST", "runs/log-metric", run_id=job, key="auc", value=0.75, timestamp=1, step=0)
    assert run.is_success, run.text
    jobs = world.jobs(service)
    status = jobs.status(job)
    assert status.state is JobState.FINISHED, status
    assert set(status.results) == {"metrics", "model"}
    assert read_metrics(jobs.fetch(status.results["metrics"])) == {"auc": 0.75}
    model = world.registry.writable(world.address(7))
    jobs.gather(model)
    jobs.register(model, {"data": "v7"})
    jobs.register(model, {"auc": "0.75"})
    key = world.address(7).split("/")[2][:16]
    found = world.aml.ws("GET", f"models/wine/versions/{key}-1").raise_for_status().json()
    assert tags_of(found) == {"data": "v7", "auc": "0.75"}


ELSEWHERE = "import os, sys\nos.rmdir(sys.argv[2])\nos.symlink('/etc', sys.argv[2])\n"
LOUD = "import sys\nfor _ in range(100):\n    sys.stdout.write('x' * 1023 + '\\n' * 1)\n    sys.stdout.write('y' * 1048576)\nsys.exit('\\nno room')\n"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"train_py": "print('nothing to say')\n"}, "The output 'model' is empty"),
        ({"train_py": "import os\nos.kill(os.getpid(), 11)\n"}, "terminated by signal 11 (SIGSEGV)"),
        ({"train_py": "raise SystemExit('line one\\nno such column: alcohol')\n"}, "no such column: alcohol"),
        ({"train_py": LOUD}, "no room"),
        ({"train_py": ELSEWHERE}, "The output 'model' cannot be kept"),
        (
            {"train_py": "import time\ntime.sleep(60)\n", "job_yml": JOB + "limits: {timeout: 1}\n"},
            "ran for longer than its limit of PT1S",
        ),
        ({"job_yml": JOB.replace('"python:3"', "x/y:2")}, "does not know what is in 'x/y:2'"),
    ],
    ids=["no model", "signal", "raises", "100 MB", "elsewhere", "limit", "environment"],
)
def test_a_job_that_fails_says_why_in_a_line(world: World, files: dict[str, str | None], reason: str) -> None:
    """A line that fits on a screen; and nothing is at the model's address."""
    status = ended(world, "", 3, **files)
    late = "limits" in str(files)  # the service itself cancels it
    assert status.state is (JobState.CANCELLED if late else JobState.FAILED), status
    assert reason in status.details
    assert "\n" not in status.details
    assert len(status.details) < 2000
    folder = world.address(3).removesuffix(".ilearner")
    assert not [blob.name for blob in world.registry.list(folder)]
    assert world.registry.stat(world.address(3)) is None
