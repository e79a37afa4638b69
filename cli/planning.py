"""The plan of a run: shown, written for others, saved to be approved, and held to.

A preview makes a plan, an update makes one first. What is done with it is said by the options of both.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.console import write_text
from cli.errors import CliError, warn
from plans.approved import APPROVED, Approved
from plans.contract import departures, differences, left, other_stack
from plans.plan import Plan, made_of
from plans.promises import digest
from plans.words import WIDEST, as_text

if TYPE_CHECKING:
    from cli.wishes import Wishes
    from clients.storage import Container
    from plans.contract import Basis, Contract
    from plans.forecasts import Forecast
    from retrain_hooks.registry.plans import AppliedPlans

_PROGRAM = ("__main__.py", "Pulumi.yaml")
_TOOL = ("components", "retrain_hooks", "clients", "tasks", "graph", "tables")


class Planning:
    """What is done with the plan of one run; `registry` opens that of its target."""

    def __init__(
        self, stack: str, wishes: Wishes, overrides: Mapping[str, str], registry: Callable[[], Container]
    ) -> None:
        self._open_registry = registry
        self._stack, self._wishes, self._overrides = stack, wishes, overrides
        self._approved: Contract | None = None
        self._plan: Plan | None = None
        self._folder = ""

    @property
    def shows(self) -> bool:
        """Whether people read along."""
        return not self._wishes.as_json

    def begin(self) -> None:
        """Read the plan that is to be carried out, before anything is done. Raises CliError."""
        if file := self._wishes.plan:
            self._approved = _read(file)
            self._refuse([told for told in [other_stack(self._approved, self._stack)] if told])
            self._refuse_applied(self._approved)

    def foreseen(self, document: Mapping[str, Any]) -> Plan:
        """Take the plan in a preview's document: show it, write it where that is asked for, hold it against the approved one.

        Of a preview that is told of again it is the same. Raises CliError where the approved plan is another.
        """
        if self._plan is not None:
            return self._plan
        plan = self._plan = self._with_forecasts(made_of(self._stack, document))
        wishes = self._wishes
        if self._approved is not None:
            self._refuse(differences(self._approved, self._contract(plan, document)))
        if self.shows:
            self._show(plan)
        if wishes.markdown:
            from plans.markdown import as_markdown

            write_text(wishes.markdown, as_markdown(plan))
        if wishes.save_plan:
            contract = self._contract(plan, document)
            write_text(wishes.save_plan, contract.text())
            if self.shows:
                from cli.console import say

                say(f"the plan is saved: {wishes.save_plan} ({contract.key[:7]})")
        return plan

    def came_to(self, document: Mapping[str, Any]) -> None:
        """Show what an update has done, as its plan was shown. Raises CliError where that is not what was approved."""
        plan = made_of(self._stack, document, done=True)
        if self.shows and plan.stages:
            self._show(plan)
        if self._approved is None:
            return
        if less := left(self._approved.plan, plan):
            warn(f"of the plan this was not carried out: {', '.join(less)}")
        if more := departures(self._approved.plan, plan):
            raise CliError(
                f"the update did what the plan {self._wishes.plan} does not say: {', '.join(more)}",
                "save another plan with ./dev preview --save-plan FILE, if there is more to do",
            )

    def carry_out(self) -> dict[str, str]:
        """Claim the approved plan; what providers find its promises by in their environment.

        Raises CliError where it was carried out before.
        """
        contract = self._approved
        if contract is None:
            return {}
        if not self._applied.begin(contract.key, self._stack, _now()):
            self._refuse_applied(contract)
        self._folder = tempfile.mkdtemp(prefix="retraining-plan-")
        return {APPROVED: Approved(contract.plan.stages, Path(self._folder)).written()}

    def close(self) -> None:
        """Take back what was handed out."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    # -- the parts

    def _show(self, plan: Plan) -> None:
        from cli.console import out
        from plans.markdown import as_summary

        if self._wishes.summary:
            print(as_summary(plan), flush=True)
            return
        width = min(out().width, WIDEST) if sys.stdout.isatty() else _columns()
        print(f"{as_text(plan, width)}\n", flush=True)

    def _refuse(self, differing: Sequence[str]) -> None:
        if differing:
            raise CliError(
                f"this is not what the plan {self._wishes.plan} says: {'; '.join(differing)}",
                "save another plan with ./dev preview --save-plan FILE, and have that approved",
            )

    def _refuse_applied(self, contract: Contract) -> None:
        applied = self._applied.find(contract.key)
        if applied is not None:
            raise CliError(
                f"the plan {self._wishes.plan} was carried out already, at {applied.at}",
                "save another plan with ./dev preview --save-plan FILE, if there is more to do",
            )

    @cached_property
    def _registry(self) -> Container:
        return self._open_registry()

    @cached_property
    def _applied(self) -> AppliedPlans:
        from retrain_hooks.registry.plans import AppliedPlans

        return AppliedPlans(self._registry)

    def _with_forecasts(self, plan: Plan) -> Plan:
        """With what is expected of each model that is trained, and of its gate."""
        from plans.forecasts import forecast
        from retrain_hooks.registry.history import History

        gates = {each.facts.get("candidate"): each for each in plan.stages if each.kind == "Promotion"}
        found: dict[str, Forecast] = {}
        for stage in plan.stages:
            if stage.kind != "TrainedModel" or stage.facts.get("action") != "train":
                continue
            past = History(self._registry, str(stage.facts["experiment"])).runs()
            gate = gates.get(stage.facts["runKey"])
            facts = gate.facts if gate else {}
            rules = facts.get("rules")
            told = forecast(
                [run.seconds for run in past],
                [run.metrics for run in past if run.metrics],
                rules if isinstance(rules, list) else (),
                facts.get("championMetrics"),
            )
            found |= {stage.urn: told} | ({gate.urn: told} if gate else {})
        return replace(plan, forecasts=found) if found else plan

    def _contract(self, plan: Plan, document: Mapping[str, Any]) -> Contract:
        from plans.contract import contract_of

        return contract_of(plan, document, self._basis(), _now())

    def _basis(self) -> Basis:
        from cli.project import ROOT, stack_config
        from plans.contract import Basis

        config = {key: digest(value) for key, value in self._configured(stack_config).items()}
        program = digest([_content(ROOT / name) for name in _PROGRAM])
        return Basis(self._stack, _tool(), config, program, "")

    def _configured(self, stack_config: Any) -> dict[str, Any]:
        """The stack's configuration; what differs by how it is written is text."""
        found = stack_config(self._stack, self._overrides)
        return {key: value if isinstance(value, dict) else str(value) for key, value in found.items()}


def _tool() -> str:
    """The version, and the start of a digest of the code that carries a plan out."""
    import tomllib

    from cli.project import ROOT

    version = tomllib.loads(_content(ROOT / "pyproject.toml"))["project"]["version"]
    files = sorted(path for room in _TOOL for path in (ROOT / room).rglob("*.py"))
    code = digest([[str(path.relative_to(ROOT)), _content(path)] for path in files])
    return f"{version} ({code[:7]})"


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _read(file: Path) -> Contract:
    from plans.contract import Contract, NoPlan

    try:
        return Contract.read(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise CliError(
            f"the plan {file} cannot be read: {reason}", "name a file of preview --save-plan"
        ) from None
    except NoPlan as error:
        raise CliError(
            f"the plan {file} is not carried out: {error}",
            "save it again with ./dev preview --save-plan FILE, and leave it as it is",
        ) from None


def _columns() -> int:
    import os

    return int(columns) if (columns := os.environ.get("COLUMNS", "")).isdigit() else WIDEST


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
