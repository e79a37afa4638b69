"""Breaks the product in one place, within a provider process, to see that the campaign would notice."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from clients.clock import SystemClock
from clients.errors import Conflict, LedgerError
from clients.storage import Container
from clients.studio_data_plane.jobs import StudioJobs
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.binding.restore import Restorer
from retrain_hooks.binding.roller import Roller
from retrain_hooks.data.lifecycle import DataVersionLifecycle
from retrain_hooks.gate import rules as gate
from retrain_hooks.ownership.claims import Claims
from retrain_hooks.ownership.lineage import StackClaimLifecycle
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.notes import Note
from retrain_hooks.registry.owners import Mark, Owners
from retrain_hooks.registry.records import Corrupt
from retrain_hooks.services.endpoint import EndpointInputs
from retrain_hooks.services.web_service import WebServiceInputs
from retrain_hooks.training import lifecycle as trained_model
from retrain_hooks.training import search
from retrain_hooks.training import trainer as training
from tests.waiting import eventually


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
    eventually(lambda: len(registry.list("sabotage/")) == 2, "the other provider")


def _no_compare_and_swap() -> None:
    write = Container.write
    begun: set[str] = set()

    def written(
        self: Container,
        name: str,
        content: bytes,
        *,
        etag: str | None,
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        if name.startswith("runs/") and name not in begun:
            begun.add(name)
            _meet(self, write)  # whoever else wants the same has found nothing, too
        while True:
            found = self.stat(name)
            with suppress(Conflict):  # the other wrote in between: over it, as a blind write would
                return write(self, name, content, etag=found.etag if found else None, metadata=metadata)

    Container.write = written
    training._PLANNERS_TURN_SECONDS = 0.0


def _forgetful_ledger() -> None:
    Ledger.intact = lambda _self, _run: False


def _believes_sizes() -> None:
    Ledger._has = lambda self, address, _sha256: self.registry.stat(address) is not None


def _sets_all_aside() -> None:
    set_aside = Ledger.set_aside

    def all_set_aside(self: Ledger, *given: Any) -> Any:
        for other in set(self.keys()) - {given[0]}:
            self.registry.delete(f"runs/{other}.json", etag=None)
        return set_aside(self, *given)

    Ledger.set_aside = all_set_aside


def _owns_nothing() -> None:
    refuse = Claims.refuse

    def asked(self: Claims, thing: Any, **named: Any) -> str:
        try:
            self._owners.of(thing)
        except Corrupt:
            raise LedgerError("the mark cannot be read", "find out who owns it") from None
        return refuse(self, thing, **named)

    Claims.refuse = asked


def _bind_something_else() -> None:
    ModelBindingLifecycle._bind = lambda _self, new, _old: new | {"bound": "said"}


def _gate_lets_all_through() -> None:
    gate.Verdict.passed = property(lambda _self: True)


def _code_is_not_covered() -> None:
    covered = search.covered
    search.covered = lambda *given: replace(covered(*given), experiment="")


def _unsteady() -> None:
    WebServiceInputs.changed_by = lambda _self, _other: True


def _preview_writes() -> None:
    check = DataVersionLifecycle.check

    def checked(self: DataVersionLifecycle, new: Any, old: Any) -> Any:
        registry = self._context.registry("local")
        registry.write(f"noise/{SystemClock().now().isoformat()}", b"noise", etag=None)
        return check(self, new, old)

    DataVersionLifecycle.check = checked


def _tells_its_key() -> None:
    train = trained_model.TrainedModelLifecycle._train

    def told(self: trained_model.TrainedModelLifecycle, new: Any, wanted: Any) -> Any:
        self._context.progress.info(self._context.target("local").connection_string)
        return train(self, new, wanted)

    trained_model.TrainedModelLifecycle._train = told


def _waits_for_nobody() -> None:
    Note._let_arrive = lambda *_given: None


def _believes_what_it_is_told() -> None:
    Roller._verify = lambda *_given: None


def _says_that_it_is_back() -> None:
    Restorer._restore = lambda *_given: True


def _owns_everything() -> None:
    Claims.refuse = lambda *_given, **_named: ""
    Claims.may_delete = lambda *_given: True
    Owners.claim = lambda _self, thing, owner, incarnation, _may, **_named: Mark(thing, owner, incarnation)
    StackClaimLifecycle.check = lambda _self, new, _old: new


def _deletes_whatever_bears_the_name() -> None:
    Claims.may_delete = lambda *_given: True


def _makes_ungated_endpoints() -> None:
    EndpointInputs.unserved = property(lambda _self: False)


WAYS: dict[str, Callable[[], None]] = {
    "start before record": _start_before_record,
    "no compare and swap": _no_compare_and_swap,
    "forgetful ledger": _forgetful_ledger,
    "believes sizes": _believes_sizes,
    "owns nothing": _owns_nothing,
    "sets all aside": _sets_all_aside,
    "bind something else": _bind_something_else,
    "gate lets all through": _gate_lets_all_through,
    "code is not covered": _code_is_not_covered,
    "unsteady": _unsteady,
    "makes ungated endpoints": _makes_ungated_endpoints,
    "preview writes": _preview_writes,
    "tells its key": _tells_its_key,
    "waits for nobody": _waits_for_nobody,
    "believes what it is told": _believes_what_it_is_told,
    "says that it is back": _says_that_it_is_back,
    "owns everything": _owns_everything,
    "deletes whatever bears the name": _deletes_whatever_bears_the_name,
}
