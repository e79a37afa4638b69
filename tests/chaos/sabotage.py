"""Breaks the product in one place, within a provider process, to see that the campaign would notice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from clients.clock import SystemClock
from clients.errors import Conflict
from clients.storage import Container
from clients.studio_data_plane.jobs import StudioJobs
from retrain_hooks import gate, trained_model, training
from retrain_hooks.binding import ModelBindingLifecycle
from retrain_hooks.data_version import DataVersionLifecycle
from retrain_hooks.ledger import Ledger
from retrain_hooks.lifecycle import Diff
from retrain_hooks.notes import Note
from retrain_hooks.restore import Restorer
from retrain_hooks.rollout import Roller
from retrain_hooks.web_service import WebServiceLifecycle


def _start_before_record() -> None:
    create = StudioJobs.create

    def created(self: StudioJobs, *given: Any) -> str:
        job = create(self, *given)
        self.start(job)
        return job

    StudioJobs.create = created


def _meet(registry: Container, write: Callable[..., str]) -> None:
    """Return once two providers have come here; a minute is more than a start takes on any machine."""
    with suppress(Conflict):
        write(registry, f"sabotage/{os.getpid()}", b"", etag=None)
    until = time.monotonic() + 60
    while len(registry.list("sabotage/")) < 2 and time.monotonic() < until:
        time.sleep(0.1)


def _no_compare_and_swap() -> None:
    write = Container.write
    begun: set[str] = set()

    def written(self: Container, name: str, content: bytes, *, etag: str | None) -> str:
        if name.startswith("runs/") and name not in begun:
            begun.add(name)
            _meet(self, write)  # whoever else wants the same has found nothing, too
        while True:
            found = self.stat(name)
            with suppress(Conflict):  # the other wrote in between: over it, as a blind write would
                return write(self, name, content, etag=found.etag if found else None)

    Container.write = written
    training._PLANNERS_TURN_SECONDS = 0.0


def _forgetful_ledger() -> None:
    Ledger.intact = lambda _self, _run: False


def _bind_something_else() -> None:
    ModelBindingLifecycle._bind = lambda _self, new, _old: new | {"bound": "said"}


def _gate_lets_all_through() -> None:
    gate.Verdict.passed = property(lambda _self: True)


def _code_is_not_covered() -> None:
    key = trained_model.run_key
    trained_model.run_key = lambda **covered: key(**covered | {"experiment": ""})


def _unsteady() -> None:
    WebServiceLifecycle.diff = lambda _self, _old, _new: Diff(True)


def _preview_writes() -> None:
    check = DataVersionLifecycle.check

    def checked(self: DataVersionLifecycle, new: Any, old: Any) -> Any:
        registry = self._context.registry("local")
        registry.write(f"noise/{SystemClock().now().isoformat()}", b"noise", etag=None)
        return check(self, new, old)

    DataVersionLifecycle.check = checked


def _tells_its_key() -> None:
    train = trained_model.TrainedModelLifecycle._train

    def told(self: trained_model.TrainedModelLifecycle, new: Any) -> Any:
        self._context.progress.info(self._context.target("local").connection_string)
        return train(self, new)

    trained_model.TrainedModelLifecycle._train = told


def _waits_for_nobody() -> None:
    Note._let_arrive = lambda *_given: None


def _believes_what_it_is_told() -> None:
    Roller._verify = lambda *_given: None


def _says_that_it_is_back() -> None:
    Restorer._restore = lambda *_given: True


WAYS: dict[str, Callable[[], None]] = {
    "start before record": _start_before_record,
    "no compare and swap": _no_compare_and_swap,
    "forgetful ledger": _forgetful_ledger,
    "bind something else": _bind_something_else,
    "gate lets all through": _gate_lets_all_through,
    "code is not covered": _code_is_not_covered,
    "unsteady": _unsteady,
    "preview writes": _preview_writes,
    "tells its key": _tells_its_key,
    "waits for nobody": _waits_for_nobody,
    "believes what it is told": _believes_what_it_is_told,
    "says that it is back": _says_that_it_is_back,
}
