"""The dynamic providers: Pulumi's host for the lifecycles.

Pulumi keeps a reference to these classes by their import path in every state: moving or renaming one makes `destroy`
of an older state fail. So each is a thin shell, and stays here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar, NoReturn

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from clients.errors import RetrainError
from plans.approved import APPROVED, Approved
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.data.lifecycle import DataVersionLifecycle
from retrain_hooks.fleet.lifecycle import FleetLifecycle
from retrain_hooks.fleet.roster import FleetRosterLifecycle
from retrain_hooks.fleet.verdict import FleetVerdictLifecycle
from retrain_hooks.gate.lifecycle import PromotionLifecycle
from retrain_hooks.host.interruption import CancellableClock, EngineGuard
from retrain_hooks.host.lifecycle import UNKNOWN, Context, Lifecycle, Props
from retrain_hooks.host.progress import EngineProgress
from retrain_hooks.ownership.lineage import LineageLifecycle, StackClaimLifecycle
from retrain_hooks.services.commitment_plan import CommitmentPlanLifecycle
from retrain_hooks.services.endpoint import EndpointLifecycle
from retrain_hooks.services.web_service import WebServiceLifecycle
from retrain_hooks.training.lifecycle import TrainedModelLifecycle

_PROVIDER_KEY = "__provider"


def _failure(message: str) -> Exception:
    """An exception that prints as *message* alone: Pulumi shows a provider's exception as Python formats it.

    Python writes an exception without text as its class's name, so the class is called what there is to say.
    """
    failure: Exception = type(message, (Exception,), {"__module__": "builtins"})()
    return failure


@cache
def _context() -> Context:
    """One for the process: the provider's first argument is its engine's address."""
    engine = sys.argv[1] if len(sys.argv) > 1 and ":" in sys.argv[1] else ""
    guard = EngineGuard(engine)
    guard.watch()
    return Context(EngineProgress(engine), guard, CancellableClock(guard))


def _incoming(value: Any) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _incoming(item) for key, item in value.items() if key != _PROVIDER_KEY}
    return [_incoming(item) for item in value] if isinstance(value, list) else value


def _outgoing(value: Any) -> Any:
    if value is UNKNOWN:
        return Unknown()  # type: ignore[no-untyped-call]
    if isinstance(value, dict):
        return {key: _outgoing(item) for key, item in value.items()}
    return [_outgoing(item) for item in value] if isinstance(value, list) else value


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except RetrainError as failure:
        _fail(str(failure))
    except Exception as failure:
        _fail(
            f"internal error: {type(failure).__name__}: {failure}\n"
            "remedy: report it with the command you ran; what was bound still serves"
        )


def _fail(message: str) -> NoReturn:
    raise _failure(message) from None


class _Provider(ResourceProvider):
    """Hosts one lifecycle: translates values, results and errors, and nothing else."""

    serialize_as_secret_always = False
    lifecycle: ClassVar[type[Any]]

    @property
    def _life(self) -> Lifecycle:
        life: Lifecycle = self.lifecycle(_context())
        return life

    @contextmanager
    def _held_to_plan(self, call: str, props: Props) -> Iterator[None]:
        """Refuse what is no step of the plan that this update carries out, where it carries out one."""
        folder = os.environ.get(APPROVED)
        if not folder:
            yield
            return
        kind, plan = type(self).__name__.removesuffix("Provider"), Approved.read(folder)
        if (stage := plan.claim(kind, call, props)) is None:
            raise RetrainError(
                f"the plan does not {call} this {kind}: something has changed since the update compared the two",
                "save another plan: ./dev preview --save-plan FILE; have that approved",
            )
        yield
        plan.carried_out(stage)

    def configure(self, req: ConfigureRequest) -> None:
        """Leave cause and remedy of an error, without the stack of this process."""
        sys.tracebacklimit = 0

    def check(self, _olds: Props, news: Props) -> CheckResult:
        """Complete the inputs, or refuse them in one line of cause and one of remedy."""
        try:
            return CheckResult(_outgoing(self._life.check(_incoming(news), _incoming(_olds))), [])
        except RetrainError as failure:
            return CheckResult(news, [CheckFailure("", str(failure))])

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Compare the last outputs with the new inputs."""
        with _one_line_errors():
            found = self._life.diff(_incoming(_olds), _incoming(_news))
            return DiffResult(found.changes, list(found.replaces))

    def create(self, props: Props) -> CreateResult:
        """Make it true."""
        with _one_line_errors(), self._held_to_plan("create", props):
            return CreateResult(*self._life.create(_incoming(props)))

    def read(self, id_: str, props: Props) -> ReadResult:
        """What is there now; an empty id says that it is gone."""
        with _one_line_errors():
            found = self._life.read(id_, _incoming(props))
            return ReadResult("", {}) if found is None else ReadResult(id_, *found)

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """Make it true in place."""
        with _one_line_errors(), self._held_to_plan("update", _news):
            return UpdateResult(self._life.update(_id, _incoming(_olds), _incoming(_news)))

    def delete(self, _id: str, _props: Props) -> None:
        """Remove what ``create`` made."""
        with _one_line_errors(), self._held_to_plan("delete", _props):
            self._life.delete(_id, _incoming(_props))


class StudioWebServiceProvider(_Provider):
    """Hosts WebServiceLifecycle."""

    lifecycle = WebServiceLifecycle


class StudioEndpointProvider(_Provider):
    """Hosts EndpointLifecycle."""

    lifecycle = EndpointLifecycle


class CommitmentPlanProvider(_Provider):
    """Hosts CommitmentPlanLifecycle."""

    lifecycle = CommitmentPlanLifecycle


class DataVersionProvider(_Provider):
    """Hosts DataVersionLifecycle."""

    lifecycle = DataVersionLifecycle


class TrainedModelProvider(_Provider):
    """Hosts TrainedModelLifecycle."""

    lifecycle = TrainedModelLifecycle


class PromotionProvider(_Provider):
    """Hosts PromotionLifecycle."""

    lifecycle = PromotionLifecycle


class ModelBindingProvider(_Provider):
    """Hosts ModelBindingLifecycle."""

    lifecycle = ModelBindingLifecycle


class LineageProvider(_Provider):
    """Hosts LineageLifecycle."""

    lifecycle = LineageLifecycle


class StackClaimProvider(_Provider):
    """Hosts StackClaimLifecycle."""

    lifecycle = StackClaimLifecycle


class FleetProvider(_Provider):
    """Hosts FleetLifecycle."""

    lifecycle = FleetLifecycle


class FleetRosterProvider(_Provider):
    """Hosts FleetRosterLifecycle."""

    lifecycle = FleetRosterLifecycle


class FleetVerdictProvider(_Provider):
    """Hosts FleetVerdictLifecycle."""

    lifecycle = FleetVerdictLifecycle
