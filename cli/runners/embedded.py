"""The embedded engine, called in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from cli.console import agreed, out, print_json
from cli.errors import FAILED, INTERRUPTED, show
from cli.project import ROOT, passphrase
from cli.runners import Run, Wishes

if TYPE_CHECKING:
    from engine import Event, Options, Result, Workspace
    from engine.forks import Forks

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

    def up(self, wishes: Wishes) -> None:
        """Make the resources as the program declares them."""
        import engine

        if wishes.ask:
            self._go("preview", engine.preview, _looking(wishes), preview=True)
            self._confirm(f"Perform this update of {self.run.stack}?")
        self._go("up", engine.up, wishes)

    def preview(self, wishes: Wishes) -> None:
        """Show what `up` would do; writes nothing."""
        import engine

        self._go("preview", engine.preview, wishes, preview=True)

    def refresh(self, wishes: Wishes) -> None:
        """Read how the resources really are into the state."""
        import engine

        if wishes.ask:
            wishes = self._with_pending_creates_cleared(wishes)
            only_shown = _with(engine.refresh, preview_only=True)
            self._go("refresh", only_shown, _looking(wishes), preview=True)
            self._confirm(f"Write this into the state of {self.run.stack}?")
        self._go("refresh", engine.refresh, wishes)

    def destroy(self, wishes: Wishes) -> None:
        """Delete all that the stack created."""
        import engine

        if wishes.ask:
            only_shown = _with(engine.destroy, preview_only=True)
            self._go("destroy", only_shown, _looking(wishes), preview=True)
            self._confirm(f"Delete everything that {self.run.stack} created?")
        self._go("destroy", engine.destroy, wishes)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets masked."""
        import engine

        return dict(engine.stack_outputs(self.workspace))

    def cancel(self) -> None:
        """Free the stack's lock."""
        import engine

        out().print(engine.cancel(self.workspace))

    def _confirm(self, question: str) -> None:
        if not agreed(question):
            show("not confirmed, so nothing was done", "answer y, or give --yes")
            raise typer.Exit(FAILED)

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

    def _go(self, verb: str, act: Callable[..., Result], wishes: Wishes, *, preview: bool = False) -> None:
        from cli.diff_view import DiffView
        from cli.display import Renderer
        from engine.forks import Forks

        with Forks(_FOR_EACH, shared=_FOR_BOTH) as forks:
            if wishes.as_json:
                from cli.json_view import digest

                told: list[Event] = []
                result = act(self.workspace, self._options(wishes, forks), told.append)
                config = self.workspace.config(check=False).items()
                shown = {key: "[secret]" if value.secret else value.text for key, value in config}
                print_json(digest(result, told, shown))
            else:
                diff = DiffView(verb, self.run.stack, preview) if wishes.diff else None
                renderer = Renderer(out(), verb, interactive=sys.stdout.isatty(), diff=diff)
                with closing(renderer):
                    result = act(self.workspace, self._options(wishes, forks), renderer)
                    renderer.finish(result)
        if not result.ok:
            cancelled = any(str(failure).startswith("cancelled") for failure in result.failures)
            raise typer.Exit(INTERRUPTED if cancelled else FAILED)


def _looking(wishes: Wishes) -> Wishes:
    """What is shown before a question is asked; a check for changes is for what is done."""
    return replace(wishes, ask=False, expect_no_changes=False)


def _with(act: Callable[..., Result], **more: Any) -> Callable[..., Result]:
    def call(*args: Any) -> Result:
        return act(*args, **more)

    return call
