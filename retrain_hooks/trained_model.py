"""The trained model reference: stands for "the model trained from this data version"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.errors import ConfigurationError
from retrain_hooks.ledger import Ledger, Run
from retrain_hooks.lifecycle import Context, Diff, Props, known
from retrain_hooks.run_key import model_address, run_key
from retrain_hooks.training import Request, Trainer

_SEED = "Random seed"


class TrainedModelLifecycle:
    """Computes run key and address by reading, and makes the address true in ``create`` and ``update``.

    Inputs: ``target``, ``experiment`` (summary with digest), ``service`` (of the training web service), ``data``
    (``{"digest", "blobs"}``), ``parameters``, ``seed``, ``force``, ``deadlineMinutes``.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``runKey`` and ``address``; ``sha256`` and ``metrics`` too where the run has finished before."""
        experiment, data = new["experiment"], new["data"]
        if not known(
            experiment, data, new.get("parameters"), new.get("seed"), new.get("force"), new["target"]
        ):
            return new
        key = run_key(**self._identity(new))
        entry = self._ledger(new).find(key)
        attempt = 1
        found: Props = {}
        if entry is not None:
            run, attempt = entry.run, entry.run.attempt
            if run.state == "finished" and self._ledger(new).intact(run):
                found = {"sha256": run.sha256, "metrics": run.metrics}
            elif run.state in ("finished", "failed"):
                attempt += 1
        return new | {"runKey": key, "address": model_address(experiment["name"], key, attempt)} | found

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
        """Train, attach or reuse."""
        return f"models/{new['experiment']['name']}", self._train(new)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Train, attach or reuse."""
        return self._train(new)

    def _train(self, new: Props) -> Props:
        context, experiment, service = self._context, new["experiment"], new["service"]
        trainer = Trainer(
            self._ledger(new),
            context.data(new["target"]),
            lambda workspace, id_: context.services(new["target"], workspace).jobs(id_),
            context.clock,
            context.progress,
            context.guard,
        )
        identity = self._identity(new)
        seed = {_SEED: str(identity["seed"])} if _SEED in experiment["parameters"] else {}
        run, reused = trainer.train(
            Request(
                key=new["runKey"],
                experiment=experiment["name"],
                inputs=identity,
                blob=new["data"]["blobs"][0],
                input=experiment["input"],
                outputs={"model": experiment["modelOutput"], "evaluation": experiment["evaluationOutput"]},
                parameters=seed | identity["parameters"],
                service=service["id"],
                workspace=dict(service["workspace"]),
                deadline=60.0 * float(new.get("deadlineMinutes") or 60),
            )
        )
        if reused:
            context.progress.info(f"run {run.key[:12]} is reused: nothing to train")
        return new | _outputs(run)

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded reference; a lost model is found by ``check``."""
        return old, {name: value for name, value in old.items() if name not in ("job", "seconds", "bytes")}

    def delete(self, id_: str, old: Props) -> None:
        """Nothing is deleted: models live in the registry, longer than a stack."""

    def _ledger(self, new: Props) -> Ledger:
        return Ledger(self._context.registry(new["target"]))


def _outputs(run: Run) -> Props:
    return {
        "runKey": run.key,
        "address": run.address,
        "sha256": run.sha256,
        "metrics": run.metrics,
        "bytes": run.bytes,
        "seconds": run.seconds,
        "job": run.job.id if run.job else "",
    }


def _text(value: Any) -> str:
    """A web-service parameter as the wire carries it: text, whole numbers without a fraction."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping | list):
        raise ConfigurationError("a parameter is not a plain value", "give each parameter a text or a number")
    return str(value)
