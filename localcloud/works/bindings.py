"""Which graph and models an endpoint serves. With faults: the update is answered 200 and something else is served, or it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from starlette.requests import Request

from localcloud.facilities.errors import Conflict
from localcloud.facilities.journal import mark
from localcloud.faults.rules import BINDING, INCOMPATIBLE, STALE, UNCHANGED, FaultRule
from localcloud.faults.state import Faults
from localcloud.works.services import Endpoint, Resource, Services


def model_mismatch(name: str) -> Conflict:
    """A model cannot take the place of another."""
    return Conflict(
        "ModelOutputMetadataMismatch",
        f"the columns of the new model for '{name}' do not match those of the current one",
        name,
    )


class Bindings:
    """Binds models to endpoints, as requests ask or as the rules have it. Used from the event loop only."""

    def __init__(self, services: Services, faults: Faults) -> None:
        self._services = services
        self._faults = faults
        # What request-response still serves (old), by the id of an endpoint that is bound to something else (bound).
        self._stale: dict[str, tuple[Endpoint, Endpoint]] = {}

    def refuse_on_request(self, request: Request, name: str) -> None:
        """Refuse a model as incompatible (Conflict, ModelOutputMetadataMismatch), if a rule says so."""
        if self._faults.fires(request, INCOMPATIBLE) is not None:
            raise model_mismatch(name)

    def drawn(self, request: Request) -> FaultRule | None:
        """What is to happen to the binding that a request asks for, instead."""
        return self._faults.fires(request, *BINDING)

    def bind(self, request: Request, endpoint: Endpoint, resources: Sequence[Resource]) -> None:
        """Let an endpoint serve these models, as a PATCH asks, or let happen what the rules say instead."""
        bound = replace(endpoint, resources=tuple(resources))

        def serve(state: Endpoint) -> None:
            self._services.serve(state.id, state.package, state.resources)

        self.carry_out(self.drawn(request), endpoint, bound, lambda: serve(bound), lambda: serve(endpoint))

    def carry_out(
        self,
        rule: FaultRule | None,
        old: Endpoint,
        bound: Endpoint,
        serve: Callable[[], None],
        restore: Callable[[], None],
    ) -> None:
        """Bind: `serve` makes `bound` of an endpoint that is `old`, `restore` undoes it. With a rule, not quite so."""
        if rule is not None and rule.kind == UNCHANGED:
            return
        served = self._served(old)
        self._faults.call_off(old.id)
        self._serve_bound(old.id)
        serve()
        if rule is None:
            return
        if rule.kind == STALE:
            self._stale[bound.id] = (served, bound)
            if rule.seconds is not None:
                self._faults.later(bound.id, rule.seconds, lambda: self._serve_bound(bound.id))
            return

        def roll_back() -> None:
            now = self._services.endpoint_by_id(old.workspace_id, old.id)
            if now is not None and _same_models(now, bound):
                restore()

        self._faults.later(old.id, rule.seconds or 0.0, roll_back)

    def scored_by(self, request: Request, endpoint: Endpoint) -> Endpoint:
        """The endpoint with what request-response serves; the journal will say if that is an old model."""
        served = self._served(endpoint)
        if served is not endpoint and not _same_models(served, endpoint):
            mark(request.scope, STALE)
        return served

    def still_served(self) -> list[Endpoint]:
        """The states of endpoints that request-response serves although something else is bound."""
        return [old for old, _ in self._stale.values()]

    def serve_all_bound(self) -> None:
        """Let request-response serve what is bound again, at all endpoints."""
        self._stale.clear()

    def _serve_bound(self, endpoint_id: str) -> None:
        self._stale.pop(endpoint_id, None)

    def _served(self, endpoint: Endpoint) -> Endpoint:
        if endpoint.id not in self._stale:
            return endpoint
        old, bound = self._stale[endpoint.id]
        if not _same_models(endpoint, bound):
            return endpoint
        return replace(endpoint, package=old.package, resources=old.resources)


def _same_models(one: Endpoint, other: Endpoint) -> bool:
    """Whether two states of an endpoint have the same graph and models."""
    return (one.package, one.resources) == (other.package, other.resources)
