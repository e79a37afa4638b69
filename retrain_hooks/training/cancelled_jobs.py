"""Cancelling training jobs at the service, with what the ledger then says of them."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from clients.clock import Clock
from clients.errors import NotFound, RetrainError
from clients.protocols import Jobs
from retrain_hooks.host.references import same_id
from retrain_hooks.registry.ledger import Entry, Job, Ledger, Run
from retrain_hooks.registry.records import Unreadable

CANCELLED = "Cancelled by "


def job_of(run: Run) -> Job:
    """The job of a submitted run: a record of one without a job is corrupt (``registry/ledger.py``)."""
    assert run.job is not None
    return run.job


def belongs_to(run: Run, workspace: Mapping[str, str]) -> bool:
    """Whether the run's job is one of *workspace* (``{"resource": ARM id, "id": 32 hex}``, the id where it is known)."""
    if run.job is None:
        return False
    theirs = run.job.workspace
    same = theirs.get("id") == workspace.get("id") or not (theirs.get("id") and workspace.get("id"))
    return same and same_id(theirs["resource"], workspace["resource"])


def cancel(ledger: Ledger, entry: Entry, jobs: Jobs, clock: Clock) -> Run:
    """Cancel the job of a submitted run at the service and record it as failed; the record as it is then.

    Who cancels is recorded first: an update that waits for the job would take it for lost, and train again. A crash
    before the end leaves a job that the next update attaches to, or finds cancelled. Where somebody else moved the
    record on in the meantime, theirs stands.
    """
    job = job_of(entry.run)
    entry, ours = ledger.advance(entry, replace(entry.run, error=f"{CANCELLED}{_who()}"))
    if ours:
        jobs.cancel(job.id)
        failed = replace(entry.run, state="failed", ended_at=clock.now().isoformat())
        entry, _ours = ledger.advance(entry, failed)
    return entry.run


def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):  # a user id without a name, as in containers
        return f"a user of {socket.gethostname()}"


@dataclass
class Cancellation:
    """What became of the unfinished jobs: cancelled, ended by themselves or by others, of other stacks, with problems."""

    cancelled: list[Run] = field(default_factory=list)
    elsewhere: list[Run] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def cancel_all(
    ledger: Ledger,
    workspace: Mapping[str, str] | None,
    jobs: Callable[[str], Jobs],
    clock: Clock,
) -> Cancellation:
    """Cancel all submitted jobs of *workspace* (None: there is none yet, so no job is its own).

    *jobs* answers for a training service's id. One that cannot be cancelled doesn't keep the others.
    """
    found = Cancellation()
    for run in ledger.runs():
        if isinstance(run, Unreadable):
            found.problems.append(run.cause)
        elif run.state == "submitted" and run.job is not None:
            if workspace is None or not belongs_to(run, workspace):
                found.elsewhere.append(run)
                continue
            try:
                _cancel_one(ledger, run, jobs(run.job.service), clock, found)
            except NotFound:
                found.problems.append(f"job {run.job.id}: its training service is gone, and the job with it")
            except RetrainError as error:
                found.problems.append(f"job {run.job.id} could not be cancelled: {error.cause}")
    return found


def _cancel_one(ledger: Ledger, run: Run, jobs: Jobs, clock: Clock, found: Cancellation) -> None:
    entry = ledger.find(run.key)
    if entry is None or entry.run != run or run.job is None:
        return
    if jobs.status(run.job.id).state.ended:
        found.problems.append(f"job {run.job.id} has ended already; the next ./dev up sees to its run")
        return
    if cancel(ledger, entry, jobs, clock).state == "failed":
        found.cancelled.append(run)
