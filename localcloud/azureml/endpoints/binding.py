"""How a change of an endpoint comes true; with a rule of faults, its operation succeeds and something else is so."""

from __future__ import annotations

from starlette.requests import Request

from localcloud.azureml.endpoints.state import Document, keep_endpoint
from localcloud.azureml.serving.state import Serving
from localcloud.facilities.journal import mark
from localcloud.faults.rules import ROLLED_BACK, STALE, UNCHANGED, FaultRule
from localcloud.works.context import Works


def bind(works: Works, serving: Serving, document: Document, rule: FaultRule | None) -> None:
    """Let an endpoint be as its document says, or let happen what the rule says instead."""
    old = works.store.arm_get(document["id"])
    if rule is None or old is None:
        _keep(works, serving, document)
    elif rule.kind != UNCHANGED:
        before = serving.stale.get(document["id"], (old["properties"]["traffic"], None))[0]
        _keep(works, serving, document)
        if rule.kind == STALE:
            serving.stale[document["id"]] = (before, document["properties"]["traffic"])
        if rule.kind == ROLLED_BACK or rule.seconds is not None:
            works.faults.later(
                document["id"], rule.seconds or 0, lambda: _undo(works, serving, document, old)
            )


def _keep(works: Works, serving: Serving, document: Document) -> None:
    works.faults.call_off(document["id"])
    serving.stale.pop(document["id"], None)
    keep_endpoint(works.store, document)


def _undo(works: Works, serving: Serving, document: Document, old: Document) -> None:
    """Serve what is shown again, or roll back what was changed, unless it was changed once more."""
    if serving.stale.pop(document["id"], None) is None and works.store.arm_get(document["id"]) == document:
        keep_endpoint(works.store, old)


def split_of(request: Request, serving: Serving, endpoint: Document) -> dict[str, int]:
    """The traffic by which calls are answered; the journal will say if that is not what is shown."""
    shown: dict[str, int] = endpoint["properties"]["traffic"]
    before, bound = serving.stale.get(endpoint["id"], (shown, shown))
    if bound != shown:
        return shown
    if before != shown:
        mark(request.scope, STALE)
    return before
