"""Which run on record is the one that was asked for, and at which address its model is or will be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clients.errors import ConfigurationError
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.catalogue import find
from retrain_hooks.registry.ledger import Ledger, Run
from retrain_hooks.registry.records import Corrupt, Unreadable
from retrain_hooks.registry.run_key import Covered, attempt_of, key_of, model_address
from retrain_hooks.training.identity import covered, formerly_covered
from retrain_hooks.training.inputs import Covers, TrainedModelInputs


@dataclass(frozen=True)
class Sought:
    """Where the model is or will be. *run* is the one on record whose model that is; *recorded* whether there ever was one."""

    address: str
    run: Run | None
    recorded: bool

    @property
    def key(self) -> str:
        """The key that the model's address bears: the run's, or of an earlier release's run its former one."""
        return key_of(self.address)

    @property
    def finished(self) -> Run | None:
        """The run, if its model is there."""
        return self.run if self.run and self.run.state == "finished" else None


class Search:
    """Looks in the ledger for the run that *wanted* asks for. Reads only.

    *old* is what was deployed last: of a run that was there then and is gone, the next attempt is another address. Without
    *formerly* no run of FORMAT 1 is looked for.
    """

    def __init__(
        self,
        context: Context,
        wanted: TrainedModelInputs,
        old: TrainedModelInputs | None,
        *,
        formerly: bool = True,
    ) -> None:
        self._wanted, self._old, self._look_back = wanted, old, formerly
        self._ledger = Ledger(context.registry(wanted.target))
        self._data = TrainingData(context, wanted.target, wanted.data)
        data = self._data.digests()[0] if wanted.data.former else wanted.data.digest
        self.covered: Covered = covered(wanted, data)
        self.key = self.covered.key

    @property
    def covers(self) -> Covers:
        """What is kept of it in a state."""
        return Covers(self.key, self.covered.experiment, self.covered.data)

    def find(self) -> Sought:
        """The run that is pinned; else of today's key, or of a key of FORMAT 1 that stands for the same inputs."""
        if self._wanted.pin:
            run = self.pinned()
            return Sought(run.address, run, recorded=True)
        experiment, ledger = self._wanted.experiment.name, self._ledger
        try:
            entry = ledger.find(self.key)
        except Corrupt:
            return self._anew(ledger.last_attempt(experiment, self.key) + 1)
        if entry is None:
            return self._formerly()
        run = entry.run
        if run.state in ("failed", "retired") or (run.state == "finished" and not ledger.intact(run)):
            return self._anew(run.attempt + 1)
        return Sought(run.address, run, recorded=True)

    def _formerly(self) -> Sought:
        before = self._old.address if self._old else ""
        lost = attempt_of(before) if key_of(before) == self.key else 0
        for key in self._former_keys():
            if run := self._ledger.usable(key):
                return Sought(run.address, run, recorded=True)
            lost = attempt_of(before) if key_of(before) == key else lost
        return self._anew(lost + 1, recorded=lost > 0)

    def _anew(self, attempt: int, *, recorded: bool = True) -> Sought:
        address = model_address(self._wanted.experiment.name, self.key, attempt)
        return Sought(address, None, recorded)

    def _former_keys(self) -> Iterator[str]:
        """Keys of FORMAT 1 for the same inputs: of the model that was deployed last, and of what is declared now."""
        if not self._look_back:
            return
        old = self._old
        if old and old.covers and old.covers.key == self.key:
            yield key_of(old.address)
        declared = self._wanted.data
        for data in [declared.digest] if declared.former else self._data.digests()[1]:
            yield formerly_covered(self._wanted, data).key

    def pinned(self) -> Run:
        """The finished run that ``pin`` names, by its key or the beginning of one. Raises ConfigurationError."""
        pin = self._wanted.pin
        try:
            run = find(self._ledger, pin)
        except Unreadable as error:
            raise ConfigurationError(
                f"`pin` names {pin[:12]}, whose record cannot be read",
                "pin another run: ./dev runs shows those that there are",
            ) from error
        except ConfigurationError:
            run = None
        if run is None or run.state != "finished" or not self._ledger.intact(run):
            raise ConfigurationError(
                f"`pin` names {pin[:12]}, and there is no finished run with that key and its model",
                "see ./dev runs for those that there are",
            )
        return run

    def refuse_unexpected(self, found: Sought) -> None:
        """Raise ConfigurationError where the key is not the one that ``expectRunKey`` names, in neither format."""
        expected = self._wanted.expect_run_key
        if any(key.startswith(expected) for key in (found.key, found.run.key if found.run else "")):
            return
        if self._wanted.pin or not any(key.startswith(expected) for key in (self.key, *self._former_keys())):
            raise ConfigurationError(
                f"the run key is {found.key}, not the expected {expected}",
                "look at ./dev preview for what changed, and approve the key that it shows",
            )
