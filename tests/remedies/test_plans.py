"""What a plan that is refused advises, done, and it is carried out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cli.services.registry
from cli.console import write_text
from cli.planning import Planning
from cli.reporting.scored import _scorer
from cli.reporting.sources import sources_of
from cli.wishes import Wishes
from clients.errors import RetrainError
from plans.approved import APPROVED, Approved
from plans.contract import contract_of
from plans.plan import made_of
from retrain_hooks import providers
from retrain_hooks.providers import TrainedModelProvider
from retrain_hooks.registry.summaries import Summary
from tests.healing import Told
from tests.plans.documents import retraining
from tests.plans.test_contract import BASIS, MODEL, changed
from tests.unit.fakes import MemoryContainer

heals = pytest.mark.heals
OTHER = changed(lambda props: props["data"].update(version="2013-03"), MODEL)


@pytest.fixture
def registry() -> MemoryContainer:
    return MemoryContainer()


def saved(file: Path, document: dict[str, Any]) -> Path:
    """The plan of a document, in a file."""
    plan = made_of("dev", document)
    file.write_text(contract_of(plan, document, BASIS, "2026-11-28T09:00:00Z").text(), encoding="utf-8")
    return file


def carried_out(file: Path, document: dict[str, Any], registry: MemoryContainer) -> None:
    """An update that is to carry out the plan in *file*, and finds *document*."""
    planning = Planning("dev", Wishes(plan=file, summary=True), {}, lambda: registry)  # type: ignore[arg-type]
    planning._basis = lambda: BASIS  # type: ignore[method-assign]
    try:
        planning.begin()
        planning.foreseen(document)
        planning.carry_out()
    finally:
        planning.close()


@heals("name a file of preview --save-plan")
@heals("save it again with ./dev preview --save-plan FILE, and leave it as it is")
@heals("save another plan with ./dev preview --save-plan FILE, and have that approved")
@heals("save another plan with ./dev preview --save-plan FILE, if there is more to do")
def test_plans(remedy: Told, registry: MemoryContainer, tmp_path: Path) -> None:
    """The file that was saved, as it was saved, of what is there now, once."""
    file = tmp_path / "plan.json"
    remedy.fails(lambda: carried_out(file, OTHER, registry))
    saved(file, retraining())
    file.write_text(file.read_text().replace("2013-02", "2013-03"))
    remedy.fails(lambda: carried_out(file, OTHER, registry))
    saved(file, retraining())
    remedy.fails(lambda: carried_out(file, OTHER, registry))
    carried_out(saved(file, OTHER), OTHER, registry)
    remedy.fails(lambda: carried_out(file, OTHER, registry))
    carried_out(saved(file, retraining()), retraining(), registry)


@heals("name a file in a folder that is there")
def test_files(remedy: Told, tmp_path: Path) -> None:
    """And it is written."""
    remedy.fails(lambda: write_text(tmp_path / "no" / "plan.md", "text"))
    write_text(tmp_path / "plan.md", "text")
    assert (tmp_path / "plan.md").read_text() == "text"


@heals("save another plan: ./dev preview --save-plan FILE; have that approved")
def test_providers(remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the approved plan has no step for is refused; with its plan it is gone on with."""

    class Nothing:
        """A lifecycle that does nothing: what is tested comes before it."""

        def __init__(self, _context: object) -> None:
            pass

        def update(self, *_given: object) -> dict[str, Any]:
            return {}

    monkeypatch.setattr(providers, "_context", lambda: None)
    monkeypatch.setattr(TrainedModelProvider, "lifecycle", Nothing)
    model = OTHER["steps"][MODEL]

    def carry_out() -> None:
        TrainedModelProvider().update("id", model["oldState"]["inputs"], model["newState"]["inputs"])

    monkeypatch.setenv(APPROVED, Approved(made_of("dev", retraining()).stages, tmp_path).written())
    with pytest.raises(Exception) as refused:
        carry_out()
    remedy(refused.type.__name__)  # of a class that is called as its message
    monkeypatch.setenv(APPROVED, Approved(made_of("dev", OTHER).stages, tmp_path).written())
    carry_out()


@heals("./dev up -s {}", at="cli/reporting/sources.py")
def test_reports(remedy: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stack that has trained something."""
    runs: list[Any] = []
    ledger = SimpleNamespace(summaries=lambda: runs)
    monkeypatch.setattr(cli.services.registry, "open_registry", lambda _stack: SimpleNamespace(ledger=ledger))
    remedy.fails(lambda: sources_of("dev"))
    runs.append(Summary("k", "flights", "finished", 1, "models/flights/k/1.ilearner", "2013-01", "2-a", "1"))
    assert sources_of("dev").summaries == runs


@heals("compare models of an experiment")
def test_comparisons(remedy: Told) -> None:
    """Such as the example's, whose model then is what is missing."""
    sources: Any = SimpleNamespace(registry=SimpleNamespace(container=MemoryContainer()))
    remedy.fails(lambda: _scorer(sources, "nobody", "models/nobody/k/1.ilearner"))
    with pytest.raises(RetrainError, match="models/flights"):
        _scorer(sources, "flights", "models/flights/k/1.ilearner")
