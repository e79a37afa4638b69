"""Bindings that misbehave: the update is answered 200, and something else is served; or it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from starlette.requests import Request

from studio.context import Studio
from studio.faults.rules import BINDING, INCOMPATIBLE, STALE, UNCHANGED, Rule
from studio.faults.state import same_models
from studio.management.errors import model_mismatch
from studio.management.state import Endpoint, Resource


def refuse_on_request(studio: Studio, request: Request, name: str) -> None:
    """Refuse a model as incompatible (Conflict, ModelOutputMetadataMismatch), if a rule says so."""
    if studio.faults.fires(request, INCOMPATIBLE) is not None:
        raise model_mismatch(name)


def drawn(studio: Studio, request: Request) -> Rule | None:
    """What is to happen to the binding that a request asks for, instead."""
    return studio.faults.fires(request, *BINDING)


def bind(studio: Studio, request: Request, endpoint: Endpoint, resources: Sequence[Resource]) -> None:
    """Let an endpoint serve these models, as a PATCH asks, or whatever the rules have happen instead."""
    bound = replace(endpoint, resources=tuple(resources))

    def serve(state: Endpoint) -> None:
        studio.services.serve(state.id, state.package, state.resources)

    carry_out(studio, drawn(studio, request), endpoint, bound, lambda: serve(bound), lambda: serve(endpoint))


def carry_out(
    studio: Studio,
    rule: Rule | None,
    old: Endpoint,
    bound: Endpoint,
    serve: Callable[[], None],
    restore: Callable[[], None],
) -> None:
    """Bind: `serve` makes `bound` of an endpoint that is `old`, `restore` undoes it. With a rule, not quite so."""
    faults = studio.faults
    if rule is not None and rule.kind == UNCHANGED:
        return
    served = faults.served(old)
    faults.call_off(old.id)
    faults.serve_bound(old.id)
    serve()
    if rule is None:
        return
    if rule.kind == STALE:
        faults.keep_serving(served, bound, rule.seconds)
        return

    def roll_back() -> None:
        now = studio.services.endpoint_by_id(old.workspace_id, old.id)
        if now is not None and same_models(now, bound):
            restore()

    faults.later(old.id, rule.seconds or 0.0, roll_back)
