"""The trained model reference: stands for "the model trained from this data version"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clients.errors import ConfigurationError
from retrain_hooks.adoption import Adoption
from retrain_hooks.history import History
from retrain_hooks.ledger import CorruptRecord, Ledger, Run
from retrain_hooks.lifecycle import Context, Diff, Props, known
from retrain_hooks.run_key import model_address, run_key
from retrain_hooks.staleness import why
from retrain_hooks.training import Request, Trainer
from retrain_hooks.training_data import TrainingData

_SEED = "Random seed"
_COVERED = ("experiment", "data", "parameters", "seed", "force", "pin", "target")
# What a check says of a plan. Kept while the key stays, so that nothing changes by being looked at again.
_PLAN = ("why", "plan")
_RESULTS = ("bytes", "seconds", "job", "reused")


class TrainedModelLifecycle:
    """Computes run key and address by reading, and makes the address true in ``create`` and ``update``.

    Inputs: ``target``, ``experiment`` (summary with digest), ``service`` (of the training web service), ``data``
    (``{"container", "version", "digest", "blobs"}``), ``parameters``, ``seed``, ``force``, ``pin`` (a past run's
    key), ``expectRunKey``, ``maxJobs``, ``cancelJobs``, ``deadlineMinutes``, ``ratePerHour``, ``adopts`` (the model that
    an endpoint served before: ``{"service", "endpoint", "resource", "data"}``, see Adoption).
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``runKey``, ``address``, ``why`` and ``plan``; of a finished run ``sha256`` and ``metrics`` too.

        Raises ConfigurationError for an unknown parameter, a pin to no finished run, a key that was not expected, a
        rate that is no number.
        """
        if not known(*(new.get(name) for name in _COVERED)):
            return new
        _rate(new)
        key = new.get("pin") or run_key(**self._identity(new))
        run, attempt = self._recorded(new, key)
        expected = new.get("expectRunKey")
        if expected and not key.startswith(str(expected)):
            raise ConfigurationError(
                f"the run key is {key}, not the expected {expected}",
                "look at ./dev preview for what changed, and approve the key that it shows",
            )
        found: Props = {"runKey": key, "address": model_address(new["experiment"]["name"], key, attempt)}
        if run is not None and run.attempt == attempt and run.state == "finished":
            found |= {"sha256": run.sha256, "metrics": run.metrics}
        if all(old.get(name) == found[name] for name in ("runKey", "address")):
            found |= {name: old[name] for name in _PLAN if name in old}
        else:
            adoption = self._adoption(new, key) if run is None and not old else None
            plan = adoption.plan if adoption else self._plan(new, run, key, attempt)
            found |= {"why": why(old, new | found), "plan": plan}
        return new | found

    def _adoption(self, new: Props, key: str) -> Adoption | None:
        """What would be adopted as the run *key* when the resource is created; None where nothing would."""
        adopts = new.get("adopts")
        if (
            not adopts
            or not known(adopts)
            or run_key(**self._identity(new | {"data": adopts["data"]})) != key
        ):
            return None
        adoption = Adoption(self._context, new["target"], adopts)
        return adoption if adoption.served(new["experiment"]["name"]) else None

    def _adopt(self, new: Props) -> None:
        """Record the model that was served before the program: once, as long as nobody has bound another."""
        adopts = new.get("adopts")
        if not adopts:
            return
        inputs = self._identity(new | {"data": adopts["data"]})
        adoption = Adoption(self._context, new["target"], adopts)
        adoption.record(run_key(**inputs), new["experiment"]["name"], inputs)

    def _recorded(self, new: Props, key: str) -> tuple[Run | None, int]:
        """What the ledger knows of *key*, and the attempt that an update would bring to its end."""
        ledger = self._ledger(new)
        try:
            entry = ledger.find(key)
        except CorruptRecord:
            return None, ledger.last_attempt(new["experiment"]["name"], key) + 1
        run = entry.run if entry else None
        if new.get("pin") and (run is None or run.state != "finished" or not ledger.intact(run)):
            raise ConfigurationError(
                f"`pin` names {key[:12]}, and there is no finished run with that key and its model",
                "see ./dev runs for those that there are",
            )
        if run is None:
            return None, 1
        if run.state in ("failed", "retired") or (run.state == "finished" and not ledger.intact(run)):
            return run, run.attempt + 1
        return run, run.attempt

    def _plan(self, new: Props, run: Run | None, key: str, attempt: int) -> str:
        """What an update would do for *key*'s *attempt*, and how long that should take.

        It names the run, so that another run's plan is another text and a preview shows it.
        """
        if run is not None and run.attempt == attempt and run.state == "finished":
            return f"reuse run {key[:12]} of {run.ended_at[:16]}"
        if run is not None and run.state == "submitted" and run.job:
            return f"attach to job {run.job.id}"
        what = f"train run {key[:12]}" + (f", attempt {attempt}" if attempt > 1 else "")
        seconds = History(self._context.registry(new["target"]), new["experiment"]["name"]).expected()
        if seconds is None:
            return f"{what}, duration not known yet"
        rate = _rate(new)
        price = f", about {seconds / 3600 * rate:.2f} at {rate:g} an hour" if rate else ""
        duration = f"{seconds / 60:.1f} min" if seconds >= 60 else f"{max(1.0, seconds):.0f} s"
        return f"{what}, about {duration}{price}"

    def _identity(self, new: Props) -> dict[str, Any]:
        """What the run key covers."""
        declared = new["experiment"]["parameters"]
        parameters = {name: _text(value) for name, value in (new.get("parameters") or {}).items()}
        if unknown := sorted(set(parameters) - set(declared)):
            raise ConfigurationError(
                f"the experiment {new['experiment']['name']!r} has no parameter {', '.join(unknown)}; "
                f"it has: {', '.join(declared) or 'none'}",
                "set only parameters that the experiment declares",
            )
        return {
            "experiment": new["experiment"]["digest"],
            "data": new["data"]["digest"],
            "parameters": parameters,
            "seed": int(new.get("seed") or 0),
            "force": str(new.get("force") or ""),
        }

    def diff(self, old: Props, new: Props) -> Diff:
        """Another key, or another attempt at it, is a change; nothing else is."""
        return Diff(any(old.get(name) != new.get(name) for name in ("runKey", "address", "target")))

    def create(self, new: Props) -> tuple[str, Props]:
        """Train, attach or reuse; adopt what was served before, where that is asked for."""
        self._adopt(new)
        return f"models/{new['experiment']['name']}", self._train(new)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Train, attach or reuse."""
        return self._train(new)

    def _train(self, new: Props) -> Props:
        context = self._context
        if new.get("pin"):
            run, _attempt = self._recorded(new, new["pin"])
            if run is not None:
                return new | _outputs(run, reused=True)
        trainer = Trainer(
            self._ledger(new),
            lambda name: context.data(new["target"], name),
            lambda workspace, service: context.services(
                new["target"], {"id": service, "workspace": workspace}
            ).jobs(service),
            context.clock,
            context.progress,
            context.guard,
            context.budget,
        )
        run, reused = trainer.train(self._request(new))
        if reused:
            context.progress.info(f"run {run.key[:12]} is reused: nothing to train")
        return new | _outputs(run, reused)

    def _request(self, new: Props) -> Request:
        experiment, service, data = new["experiment"], new["service"], new["data"]
        identity = self._identity(new)
        seed = {_SEED: str(identity["seed"])} if _SEED in experiment["parameters"] else {}
        limit = new.get("maxJobs")
        container = self._context.data(new["target"], data.get("container"))
        return Request(
            key=new["runKey"],
            experiment=experiment["name"],
            inputs=identity,
            data=TrainingData(
                container,
                self._context.registry(new["target"]),
                list(data["blobs"]),
                data["digest"],
                data["version"],
            ),
            input=experiment["input"],
            outputs={"model": experiment["modelOutput"], "evaluation": experiment["evaluationOutput"]},
            parameters=seed | identity["parameters"],
            service=service["id"],
            workspace=dict(service["workspace"]),
            deadline=60.0 * float(new.get("deadlineMinutes") or 60),
            max_jobs=None if limit is None else int(limit),
            cancel_job=bool(new.get("cancelJobs")),
        )

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded reference; a lost model is found by ``check``."""
        return old, {name: value for name, value in old.items() if name not in _RESULTS}

    def delete(self, id_: str, old: Props) -> None:
        """Nothing is deleted: models live in the registry, longer than a stack."""

    def _ledger(self, new: Props) -> Ledger:
        return Ledger(self._context.registry(new["target"]))


def _outputs(run: Run, reused: bool) -> Props:
    return {
        "runKey": run.key,
        "address": run.address,
        "sha256": run.sha256,
        "metrics": run.metrics,
        "bytes": run.bytes,
        "seconds": run.seconds,
        "job": run.job.id if run.job else "",
        "reused": reused,
    }


def _rate(new: Props) -> float:
    """What an hour of training costs; 0 where that is not said."""
    declared = new.get("ratePerHour") or 0
    try:
        rate = float(declared)
    except (TypeError, ValueError):
        rate = -1.0
    if not 0 <= rate < math.inf:
        raise ConfigurationError(
            f"`ratePerHour` is {declared!r}, which is no price",
            "set it to a number such as 2.50, without a currency",
        )
    return rate


def _text(value: Any) -> str:
    """A web-service parameter as the wire carries it: text, whole numbers without a fraction."""
    if isinstance(value, Mapping | list):
        raise ConfigurationError("a parameter is not a plain value", "give each parameter a text or a number")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
