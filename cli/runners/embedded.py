"""The embedded engine, called in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from cli.console import agreed, out, say, want_a_yes
from cli.errors import FAILED, INTERRUPTED, warn
from cli.project import ROOT, passphrase
from cli.runners.deletions import Planned, refuse_unasked
from cli.runners.run import Run
from cli.views.outcomes import as_written
from cli.wishes import TAKE_OVER, Wishes
from plans.plan import is_refused_change, made_of

if TYPE_CHECKING:
    from cli.planning import Planning
    from cli.views.display import View
    from engine import Options, Result, Workspace
    from engine.children.forks import Forks
    from plans.plan import Plan

Act = Callable[..., "Result"]

# What program and providers need beside pulumi: imported once for both, and by each while the engine gets ready.
_FOR_BOTH = ("requests", "stamina")
_FOR_EACH = {"program": ("pulumi_azure_native", "parver"), "providers": ("azure.storage.blob",)}


class EmbeddedRunner:
    """Runs verbs with `engine/`."""

    def __init__(self, run: Run) -> None:
        from engine import Workspace

        self.run = run
        self.workspace: Workspace = Workspace.open(
            ROOT, run.stack, config=run.overrides, passphrase=passphrase()
        )

    def up(self, wishes: Wishes, planning: Planning) -> None:
        """Make the resources as the program declares them, once a preview has found nothing wrong."""
        import engine

        question = f"Perform this update of {self.run.stack}?"
        self._carry_out("up", engine.up, wishes, question, "preview", engine.preview, planning=planning)

    def preview(self, wishes: Wishes, planning: Planning) -> Plan:
        """Show what `up` would do, and answer that; writes nothing."""
        import engine

        with _forks(1) as forks:
            found = self._go("preview", engine.preview, wishes, forks, preview=True, planning=planning)
        return planning.foreseen(self._document(found))

    def refresh(self, wishes: Wishes) -> None:
        """Read how the resources really are into the state."""
        import engine

        if wishes.ask:
            wishes = self._with_pending_creates_cleared(wishes)
        question = f"Write this into the state of {self.run.stack}?"
        look = partial(engine.refresh, preview_only=True)
        self._carry_out("refresh", engine.refresh, wishes, question, "refresh", look)

    def destroy(self, wishes: Wishes) -> None:
        """Delete all that the stack created."""
        import engine

        question = f"Delete everything that {self.run.stack} created?"
        look = partial(engine.destroy, preview_only=True)
        self._carry_out("destroy", engine.destroy, wishes, question, "destroy", look)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets masked."""
        import engine

        return dict(engine.stack_outputs(self.workspace))

    def cancel(self) -> None:
        """Free the stack's lock."""
        import engine

        out().print(engine.cancel(self.workspace))

    def _carry_out(
        self,
        verb: str,
        act: Act,
        wishes: Wishes,
        question: str,
        looking: str,
        look: Act,
        *,
        planning: Planning | None = None,
    ) -> None:
        """Look first, where somebody is asked or it has a plan; the stack stays locked until all is done."""
        looks = wishes.ask or planning is not None
        if planning:
            planning.begin()
        with self.workspace.backend.locked(warn), _forks(1 + looks) as forks:
            if looks:
                # A check for changes is for what is done.
                first = replace(wishes, expect_no_changes=False)
                found = self._go(
                    looking, look, first, forks, preview=True, shown=wishes.ask, planning=planning
                )
                if not wishes.may_delete:
                    refuse_unasked(_planned(found), self.run.stack)
                if planning:
                    planning.foreseen(self._document(found))
            if wishes.ask:
                want_a_yes(question, yes=False)
            if planning:
                self.run.env.update(planning.carry_out())
            done = self._go(verb, act, wishes, forks)
        if planning:
            planning.came_to(self._document(done))

    def _document(self, result: Result) -> dict[str, Any]:
        """What a result tells of its steps."""
        from cli.views.json_view import digest

        return digest(result, takes_over=TAKE_OVER in self.run.env)

    def _with_pending_creates_cleared(self, wishes: Wishes) -> Wishes:
        pending = self.workspace.snapshot().pending
        names = ", ".join(state.urn.rpartition("::")[2] for op, state in pending if op == "creating")
        if not names or wishes.clear_pending_creates:
            return wishes
        question = f"A run was cut off while it created {names}. Forget that (what may be there stays there)?"
        return replace(wishes, clear_pending_creates=agreed(question))

    def _options(self, wishes: Wishes, forks: Forks) -> Options:
        from engine import Options

        return Options(
            refresh=wishes.refresh,
            expect_no_changes=wishes.expect_no_changes,
            continue_on_error=wishes.continue_on_error,
            clear_pending_creates=wishes.clear_pending_creates,
            run_program=wishes.run_program,
            targets=wishes.targets,
            env=self.run.env,
            parallel=wishes.parallel or Options.parallel,
            forks=forks,
        )

    def _go(
        self,
        verb: str,
        act: Act,
        wishes: Wishes,
        forks: Forks,
        *,
        preview: bool = False,
        shown: bool = True,
        planning: Planning | None = None,
    ) -> Result:
        from cli.views.display import Held

        make = partial(self._view, verb, wishes, preview, planning)
        first = (lambda result: planning.foreseen(self._document(result))) if planning else None
        held = preview and not (wishes.as_json and shown) and (planning is not None or not shown)
        view = (
            Held(make, out(), "" if wishes.no_progress else "Previewing", shown=shown, first=first)
            if held
            else make()
        )
        with closing(view):
            result = act(self.workspace, self._options(wishes, forks), view)
            cancelled = any(str(failure).startswith("cancelled") for failure in result.failures)
            if not (result.ok or shown or cancelled):
                say(f"the {verb} failed, so nothing was changed")
            view.finish(result)
        if not result.ok:
            raise typer.Exit(INTERRUPTED if cancelled else FAILED)
        return result

    def _plan(self, planning: Planning | None, document: Mapping[str, Any], result: Result) -> Plan:
        """The plan that a run is told with as JSON."""
        if planning and all(map(is_refused_change, result.failures)):
            return planning.foreseen(document)
        return made_of(self.run.stack, document, done=not result.preview)

    def _view(self, verb: str, wishes: Wishes, preview: bool, planning: Planning | None) -> View:
        from cli.views.diff_view import DiffView
        from cli.views.display import Renderer
        from cli.views.json_view import JsonView

        takes_over = TAKE_OVER in self.run.env
        if wishes.as_json:
            config = self.workspace.config(check=False).items()
            told = {key: "[secret]" if value.secret else value.text for key, value in config}
            return JsonView(told, partial(self._plan, planning), takes_over=takes_over)
        diff = DiffView(verb, self.run.stack, preview) if wishes.diff else None
        return Renderer(
            out(),
            verb,
            interactive=sys.stdout.isatty() and not wishes.no_progress,
            progress=not wishes.no_progress,
            steps=wishes.in_full or verb not in ("up", "preview"),
            diff=diff,
            takes_over=takes_over,
        )


def _planned(result: Result) -> Iterator[Planned]:
    for step in result.steps:
        if old := as_written(step.before):
            yield Planned(step.op, step.urn, old, as_written(step.after) or {})


def _forks(runs: int) -> Forks:
    """Processes for this many runs: later, when gRPC has been used, none can be made."""
    from engine.children.forks import Forks

    return Forks(_FOR_EACH, shared=_FOR_BOTH, runs=runs)
