"""Bindings that misbehave: the PATCH is answered 200, and something else is served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request

from studio.context import Studio
from studio.faults.rules import BINDING, STALE, UNCHANGED
from studio.faults.state import same_models
from studio.management.state import Endpoint, Resource


def bind(studio: Studio, request: Request, endpoint: Endpoint, resources: Sequence[Resource]) -> None:
    """Let an endpoint serve these models, as a PATCH asks, or whatever the rules have happen instead."""
    faults = studio.faults
    rule = faults.fires(request, *BINDING)
    if rule is not None and rule.kind == UNCHANGED:
        return
    served, bound = faults.served(endpoint), replace(endpoint, resources=tuple(resources))
    faults.call_off(endpoint.id)
    faults.serve_bound(endpoint.id)
    studio.services.serve(endpoint.id, bound.package, bound.resources)
    if rule is None:
        return
    if rule.kind == STALE:
        faults.keep_serving(served, bound, rule.seconds)
    else:
        faults.later(endpoint.id, rule.seconds or 0.0, lambda: _roll_back(studio, endpoint, bound))


def _roll_back(studio: Studio, old: Endpoint, bound: Endpoint) -> None:
    now = studio.services.endpoint_by_id(old.workspace_id, old.id)
    if now is not None and same_models(now, bound):
        studio.services.serve(old.id, old.package, old.resources)
