"""The trained model reference: stands for "the model trained from this data version"."""

from __future__ import annotations

from dataclasses import replace

from graph.flow import Column
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.host.lifecycle import Context, Diff, Props, known
from retrain_hooks.registry.adoption import Adoption
from retrain_hooks.registry.history import History
from retrain_hooks.registry.ledger import Ledger, Run
from retrain_hooks.registry.run_key import attempt_of, key_of
from retrain_hooks.training.fitness import hold_data, needed
from retrain_hooks.training.identity import sent
from retrain_hooks.training.inputs import Leaves, TrainedModelInputs
from retrain_hooks.training.search import Search, Sought
from retrain_hooks.training.staleness import why
from retrain_hooks.training.trainer import Request, Trainer

_COVERED = ("experiment", "source", "data", "parameters", "seed", "force", "pin", "target")
# What a check says of a plan. Kept while the model stays, so that nothing changes by being looked at again.
_PLAN = ("why", "plan")
_RESULTS = ("bytes", "seconds", "job", "reused", "dataVersion")
_NEVER_KEPT = ("leaves",)


class TrainedModelLifecycle:
    """Computes run key and address by reading, and makes the address true in ``create`` and ``update``.

    Inputs: TrainedModelInputs. The run key is the one that the model's address bears: of a model that an earlier release
    trained, its key of FORMAT 1.
    """

    inputs = TrainedModelInputs

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``runKey``, ``address``, ``covers``, ``why`` and ``plan``; of a finished run ``sha256`` and ``metrics`` too.

        Raises ConfigurationError for an unknown parameter or one out of its range, a pin to no finished run, a key that
        was not expected.
        """
        wanted = TrainedModelInputs.parse(new)
        if not known(*(new.get(name) for name in _COVERED)):
            return new
        before = TrainedModelInputs.parse(old, recorded=True) if old.get("address") else None
        search = Search(self._context, wanted, before)
        sought = search.find()
        search.refuse_unexpected(sought)
        if sought.run is None:
            hold_data(self._context, wanted, search.covered)
        found: Props = {
            "runKey": sought.key,
            "address": sought.address,
            "covers": search.covers.props(),
            **_leaves(before, sought),
        }
        if run := sought.finished:
            found |= {"sha256": run.sha256, "metrics": run.metrics}
        if before and before.address == sought.address:
            found |= {name: old[name] for name in _PLAN if name in old}
        else:
            adoption = None if before or sought.recorded else self._adoption(wanted, search.key)
            after = TrainedModelInputs.parse(new | found, recorded=True)
            found |= {
                "why": why(before, after),
                "plan": adoption.plan if adoption else self._plan(wanted, sought),
            }
        return new | found

    def _adoption(self, wanted: TrainedModelInputs, key: str = "") -> Adoption | None:
        """What would be adopted when the resource is created, as the run *key* where one is given; None where nothing."""
        if wanted.adopts is None or not known(wanted.adopts):
            return None
        search = Search(self._context, replace(wanted, data=wanted.adopts.data), None)
        if (key and key != search.key) or search.find().recorded:
            return None
        adoption = Adoption(self._context, wanted.target, wanted.adopts.props())
        return adoption if adoption.served(wanted.experiment.name) else None

    def _plan(self, wanted: TrainedModelInputs, sought: Sought) -> str:
        """What an update would do, and how long that should take.

        It names the run, so that another run's plan is another text and a preview shows it.
        """
        if run := sought.finished:
            return f"reuse run {sought.key[:12]} of {run.ended_at[:16]}"
        if sought.run and sought.run.state == "submitted" and sought.run.job:
            return f"attach to job {sought.run.job.id}"
        attempt = attempt_of(sought.address)
        what = f"train run {sought.key[:12]}" + (f", attempt {attempt}" if attempt > 1 else "")
        seconds = History(self._context.registry(wanted.target), wanted.experiment.name).expected()
        if seconds is None:
            return f"{what}, duration not known yet"
        rate = wanted.rate_per_hour
        price = f", about {seconds / 3600 * rate:.2f} at {rate:g} an hour" if rate else ""
        duration = f"{seconds / 60:.1f} min" if seconds >= 60 else f"{max(1.0, seconds):.0f} s"
        return f"{what}, about {duration}{price}"

    def diff(self, old: Props, new: Props) -> Diff:
        """Another model is a change; another key for the same one is none, nor is anything else."""
        return Diff(any(old.get(name) != new.get(name) for name in ("address", "target")))

    def create(self, new: Props) -> tuple[str, Props]:
        """Train, attach or reuse; adopt what was served before, where that is asked for."""
        wanted = TrainedModelInputs.parse(new)
        if wanted.adopts and (adoption := self._adoption(wanted)):
            search = Search(self._context, replace(wanted, data=wanted.adopts.data), None)
            adoption.record(search.key, wanted.experiment.name, search.covered.inputs)
        return f"models/{wanted.experiment.name}", self._train(new, wanted)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Train, attach or reuse."""
        return self._train(new, TrainedModelInputs.parse(new))

    def _train(self, new: Props, wanted: TrainedModelInputs) -> Props:
        context = self._context
        search = Search(context, wanted, None)
        if wanted.pin:
            run, reused = search.pinned(), True
        else:
            if wanted.leaves:
                context.guard.check()
                Ledger(context.registry(wanted.target)).adopt(wanted.leaves.key, wanted.leaves.former)
            run, reused = Trainer(context, wanted.target).train(self._request(wanted, search))
            if reused:
                context.progress.info(f"run {run.key[:12]} is reused: nothing to train")
        return {name: value for name, value in new.items() if name not in _NEVER_KEPT} | _outputs(run, reused)

    def _request(self, wanted: TrainedModelInputs, search: Search) -> Request:
        experiment = wanted.experiment
        return Request(
            covered=search.covered,
            address=wanted.address,
            experiment=experiment.name,
            data=TrainingData(self._context, wanted.target, wanted.data),
            input=experiment.input,
            outputs={"model": experiment.model_output, "evaluation": experiment.evaluation_output},
            parameters=sent(wanted, search.covered),
            service=wanted.service,
            deadline=60.0 * wanted.deadline_minutes,
            max_jobs=wanted.max_jobs,
            cancel_job=wanted.cancel_jobs,
            label=needed(wanted, search.covered).label or Column(),
        )

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded reference; a lost model is found by ``check``."""
        return old, {name: value for name, value in old.items() if name not in _RESULTS}

    def delete(self, id_: str, old: Props) -> None:
        """Nothing is deleted: models live in the registry, longer than a stack."""


def _leaves(before: TrainedModelInputs | None, sought: Sought) -> Props:
    """A run that is left is found again whatever became of its experiment's texts by then, under its key of FORMAT 2."""
    if before is None or before.covers is None or before.pin or before.address == sought.address:
        return {}
    left = before.covers.key, key_of(before.address)
    return {} if left[0] == left[1] else {"leaves": Leaves(*left).props()}


def _outputs(run: Run, reused: bool) -> Props:
    return {
        "runKey": key_of(run.address),
        "address": run.address,
        "sha256": run.sha256,
        "metrics": run.metrics,
        "dataVersion": run.data_version,
        "bytes": run.bytes,
        "seconds": run.seconds,
        "job": run.job.id if run.job else "",
        "reused": reused,
    }
