"""How a stack is run: the options of `up`, `preview`, `refresh` and `destroy`, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from cli.options import AsJson, Config, Engine, EngineOption, Stack, Yes

# In the environment of a run that was asked to: adopt what bears the stack's names; tell what happens to each member.
TAKE_OVER, EACH_MEMBER = "RETRAIN_TAKE_OVER", "RETRAIN_FLEET_MEMBERS"


@dataclass(frozen=True)
class Wishes:
    """How one verb runs a stack.

    Each field is an option but `ask`: show what would happen first, and ask.
    """

    stack: Stack = "dev"
    config: Config = None
    engine: EngineOption = Engine.auto
    refresh: Annotated[bool, Option("--refresh", help="First read how the resources really are.")] = False
    expect_no_changes: Annotated[bool, Option("--expect-no-changes", help="Fail if anything changes.")] = (
        False
    )
    diff: Annotated[
        bool, Option("--diff", help="Show each change with all its properties, as the CLI does.")
    ] = False
    steps: Annotated[
        bool,
        Option("--steps", help="Show every step with what changes, and the outputs, as the engine does."),
    ] = False
    summary: Annotated[bool, Option("--summary", help="Show the plan in one line.")] = False
    markdown: Annotated[
        Path | None,
        Option("--markdown", metavar="FILE", help="Write the plan as Markdown, for a pull request."),
    ] = None
    save_plan: Annotated[
        Path | None,
        Option(
            "--save-plan",
            metavar="FILE",
            help="Save the plan, for `up --plan FILE` to carry out, and nothing else.",
        ),
    ] = None
    plan: Annotated[
        Path | None,
        Option("--plan", metavar="FILE", help="Carry out this plan of `preview --save-plan`, and no other."),
    ] = None
    detailed_exitcode: Annotated[
        bool,
        Option(
            "--detailed-exitcode",
            help="End with 0 where nothing changes, 2 where something would, 1 on errors.",
        ),
    ] = False
    expect: Annotated[
        str | None,
        Option(
            "--expect", metavar="KEY", help="The run key (or its first digits) that was approved; no other."
        ),
    ] = None
    target: Annotated[
        list[str] | None,
        Option("--target", "-t", metavar="URN", help="Only this resource, `*` allowed; repeatable."),
    ] = None
    parallel: Annotated[
        int | None, Option("--parallel", "-p", min=1, help="How many resources at a time, at most.")
    ] = None
    continue_on_error: Annotated[
        bool,
        Option("--continue-on-error", help="After a failure leave out only what depends on what failed."),
    ] = False
    clear_pending_creates: Annotated[
        bool, Option("--clear-pending-creates", help="Forget what a run that was cut off was creating.")
    ] = False
    run_program: Annotated[
        bool,
        Option(
            "--run-program", help="Run the program first, for its hooks and its providers' configuration."
        ),
    ] = False
    take_over: Annotated[
        bool,
        Option(
            "--take-over",
            help="Adopt what bears this stack's names already: its state was lost. Asks, or needs --yes.",
        ),
    ] = False
    members: Annotated[
        bool,
        Option("--members", help="Say of each member of a fleet what happens to it, and by which model."),
    ] = False
    no_progress: Annotated[
        bool,
        Option("--no-progress", help="Leave out what is only on the way: spinners, seconds, log lines."),
    ] = False
    as_json: AsJson = False
    yes: Yes = False
    ask: bool = False

    @property
    def in_full(self) -> bool:
        """Whether all steps are shown beside the plan."""
        return self.steps or self.diff

    @property
    def may_delete(self) -> bool:
        """Whether somebody said yes to what an update deletes, or is going to be asked."""
        return self.yes or self.ask

    @property
    def asked(self) -> list[str]:
        """What program and providers are asked to do, by the variables that say so."""
        named = {TAKE_OVER: self.take_over, EACH_MEMBER: self.members}
        return [name for name, wanted in named.items() if wanted]

    @property
    def targets(self) -> tuple[str, ...]:
        """URNs, `*` allowed; none stand for everything."""
        return tuple(self.target or ())
