"""Shows a run as Pulumi's users know it: one line a step, properties old => new, outputs, a summary.

On a terminal, running steps have a live line each (seconds, last progress message); in CI there are plain lines only.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from backend.urns import is_stack
from backend.values import UNKNOWN_TEXT
from cli.views.operations import ONGOING, PAST, SYMBOLS, TITLES
from cli.views.outcomes import counted, of_step, remarks
from engine.events import (
    Diagnostic,
    Event,
    OutputsSet,
    Result,
    Step,
    StepFailed,
    StepFinished,
    StepStarted,
)
from engine.property_changes import PropertyDiff, outputs_diff
from plans.plan import is_refused_change

if TYPE_CHECKING:
    from cli.views.diff_view import DiffView

_LONGEST = 400
_EVERY = 5.0  # seconds between two progress lines of one resource, where there is no terminal
_KINDS = {"add": ("+", "green"), "delete": ("-", "red"), "update": ("~", "yellow")}


class View(Protocol):
    """Shows a run: it is called with each event, then `finish` with the result, then `close`."""

    def __call__(self, event: Event) -> None:
        """Take one event."""

    def finish(self, result: Result) -> None:
        """Take the result."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Held:
    """Keeps what a run tells until it has ended, and tells it then with the view that `make` makes: always where it is to be
    `shown`, else if it failed. `first` is called before, with the result, unless the run was cut off.
    """

    def __init__(
        self,
        make: Callable[[], View],
        console: Console,
        doing: str,
        *,
        shown: bool = False,
        first: Callable[[Result], object] | None = None,
    ) -> None:
        self._make, self._shown, self._first = make, shown, first
        self._told: list[Event] = []
        self._status = console.status(doing) if doing and console.is_terminal else None
        if self._status:
            self._status.start()

    def __call__(self, event: Event) -> None:
        """Keep it, unless it only shows progress."""
        if not (isinstance(event, Diagnostic) and event.ephemeral):
            self._told.append(event)

    def finish(self, result: Result) -> None:
        """Tell it."""
        self.close()
        if self._first and all(map(is_refused_change, result.failures)):
            self._first(result)
        if result.ok and not self._shown:
            return
        with closing(self._make()) as view:
            for event in self._told:
                view(event)
            view.finish(result)

    def close(self) -> None:
        """End the line that says what is going on."""
        if self._status:
            self._status.stop()


class Renderer:
    """Prints events as they come; call `finish` with the result.

    Without *progress* what only passes is left out. With `diff` all properties are shown, as by the CLI. Without `steps` those of a preview are left out, as are properties and
    outputs: the plan tells of them.
    """

    def __init__(
        self,
        console: Console,
        verb: str,
        *,
        interactive: bool,
        progress: bool = True,
        steps: bool = True,
        diff: DiffView | None = None,
        takes_over: bool = False,
    ) -> None:
        self._console = console
        self._diff = diff
        self._shows_progress = progress
        self._steps = steps
        self._takes_over = takes_over
        self._verb = verb
        self._preview = verb == "preview"
        self._live: Live | None = None
        self._running: dict[tuple[str, str], tuple[Step, float]] = {}
        self._progress: dict[str, str] = {}
        self._told: dict[str, tuple[float, str]] = {}
        self._seen: set[tuple[str, str]] = set()
        self._errors: list[tuple[str, str]] = []
        self._failures = 0
        self._stack: Step | None = None
        self._lock = threading.Lock()
        title = f"{TITLES[verb]} ({diff.stack}):" if diff else TITLES[verb]
        if steps or not self._preview:
            console.print(Text(title, style="bold magenta"))
        if interactive:
            self._live = Live(
                console=console,
                refresh_per_second=8,
                transient=True,
                get_renderable=self._rows,
                redirect_stdout=False,
            )
            self._live.start()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        with self._lock:
            if isinstance(event, StepStarted):
                self._running[event.step.urn, event.step.op] = (event.step, monotonic())
                if self._diff:
                    self._diff.started(event.step)
            elif isinstance(event, StepFinished):
                self._running.pop((event.step.urn, event.step.op), None)
                self._running.pop((event.step.urn, "refresh"), None)
                self._progress.pop(event.step.urn, None)
                if self._diff:
                    self._print(self._diff.finished(event.step))
                else:
                    self._finished(event.step, event.seconds)
            elif isinstance(event, OutputsSet):
                if is_stack(event.step.urn):
                    self._stack = event.step
                elif self._diff:
                    self._print(self._diff.outputs_set(event.step))
            elif isinstance(event, StepFailed):
                self._running.pop((event.step.urn, event.step.op), None)
                self._failures += 1
                self._failed(event.step, event.message)
            else:
                self._diagnostic(event)

    def close(self) -> None:
        """End the live display, and say what went wrong: that comes last; `finish` does it, too."""
        self._stop()
        if self._errors:
            self._console.print()
        for message, urn in self._errors:
            self._message("error", message, urn)
        self._errors = []

    def finish(self, result: Result) -> None:
        """Print outputs (where it failed not those of before), a summary, and last what went wrong."""
        self._stop()
        if self._diff:
            if self._stack and result.ok:
                self._print(self._diff.outputs_set(self._stack))
            self._print(self._diff.summary(result))
            said = [
                (self._said(step), step.name)
                for step in result.steps
                if not (step.before and step.before.retain_on_delete)  # which is shown as such
            ]
            for line in remarks(said):
                self._console.print(Text(f"    {line}"), soft_wrap=True)
        else:
            if self._steps:
                self._outputs(result)
            if self._steps or not result.ok:
                self._summary(result)
        told = {message for message, _ in self._errors}
        self._errors += [(failure, "") for failure in result.failures if failure not in told]
        self.close()

    # -- the parts

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _rows(self) -> Group:
        now = monotonic()
        rows = []
        for step, since in list(self._running.values()):
            if step.op in ("same", "replace") or self._preview:
                continue
            text = Text.assemble(
                *_head(step),
                f" {ONGOING.get(step.op, step.op)} ({now - since:.0f}s) ",
                (self._progress.get(step.urn, ""), "dim"),
                no_wrap=True,
                overflow="ellipsis",
            )
            rows.append(Spinner("dots", text))
        if status := self._progress.get(""):
            rows.append(Spinner("dots", Text(status, style="dim")))
        return Group(*rows)

    def _finished(self, step: Step, seconds: float) -> None:
        if step.op in ("same", "refresh") or (step.op == "create-replacement" and self._preview):
            return
        if self._preview and not self._steps:
            return
        done = "" if self._preview else f" ({seconds:.2f}s)"
        said = self._said(step)
        word = said if self._preview else PAST.get(said, said)
        self._console.print(Text.assemble(*_head(step, said), f" {word}{done}"), soft_wrap=True)
        if self._steps and step.op != "create-replacement":
            for line in property_lines(step.diff, indent=6):
                self._console.print(line, soft_wrap=True)

    def _said(self, step: Step) -> str:
        """What a step came to; what a refresh finds gone was not left."""
        return step.op if self._verb == "refresh" else of_step(step, takes_over=self._takes_over)

    def _print(self, text: Text) -> None:
        if text:
            self._console.print(text, soft_wrap=True, end="")

    def _failed(self, step: Step, message: str) -> None:
        if self._diff:
            self._print(self._diff.failed(step))
        else:
            self._console.print(Text.assemble(*_head(step), (" failed", "bold red")), soft_wrap=True)
        self._errors.append((message, step.urn))

    def _diagnostic(self, event: Diagnostic) -> None:
        if event.severity == "debug":
            return
        if event.ephemeral:
            if not self._shows_progress:
                return
            self._progress[event.urn] = event.message.splitlines()[-1] if event.message else ""
            if self._live is None and event.message and self._news(event):
                self._console.print(
                    Text(f"    {_name(event.urn)}{event.message}", style="dim"), soft_wrap=True
                )
            return
        if event.severity == "error":
            self._errors.append((event.message, event.urn))
        else:
            self._message(event.severity, event.message, event.urn)

    def _news(self, event: Diagnostic) -> bool:
        """Whether a passing message says something new but for its numbers, or the last one is a while ago."""
        wording = "".join(character for character in event.message if not character.isdigit())
        at, last = self._told.get(event.urn, (-_EVERY, ""))
        if wording == last and monotonic() - at < _EVERY:
            return False
        self._told[event.urn] = (monotonic(), wording)
        return True

    def _message(self, severity: str, message: str, urn: str) -> None:
        if (urn, message) in self._seen or not message.strip():
            return
        self._seen.add((urn, message))
        style = {"error": "bold red", "warning": "yellow"}.get(severity, "")
        head = f"{severity}: " if style else ""
        first, *rest = message.splitlines()
        self._console.print(Text.assemble(f"    {_name(urn)}", (head, style), first), soft_wrap=True)
        for line in rest:
            self._console.print(Text(f"      {line}"), soft_wrap=True)

    def _outputs(self, result: Result) -> None:
        changed = outputs_diff(result.old_outputs, result.outputs)
        all_ = result.ok and not self._preview
        if self._verb == "destroy" or not (changed or (result.outputs and all_)):
            return
        self._console.print(Text("\nOutputs:", style="bold"))
        touched = {d.path.split(".")[0].split("[")[0] for d in changed}
        lines = list(changed)
        if all_:
            kept = [k for k in result.outputs if k not in touched]
            lines += [PropertyDiff(k, "update", result.outputs[k], result.outputs[k]) for k in kept]
        for line in property_lines(sorted(lines, key=lambda d: d.path), indent=4):
            self._console.print(line, soft_wrap=True)

    def _summary(self, result: Result) -> None:
        self._console.print(Text("\nResources:", style="bold"))
        told = self._verb != "refresh"
        changes = counted(result, takes_over=self._takes_over) if told else result.changes
        for op, (symbol, style) in SYMBOLS.items():
            if op == "same" or not (count := changes.get(op)):
                continue
            what = f"to {op}" if result.preview else PAST.get(op, op)
            self._console.print(Text(f"    {symbol}{count} {what}", style=style))
        if same := changes.get("same"):
            self._console.print(Text(f"    {same} unchanged"))
        elif not any(changes.values()):
            self._console.print(Text("    none"))
        if self._failures:
            self._console.print(Text(f"    {self._failures} failed", style="bold red"))
        if not result.preview:
            self._console.print(f"\nDuration: {result.duration:.0f}s", highlight=False)


def property_lines(diffs: Iterable[PropertyDiff], *, indent: int) -> Iterable[Text]:
    """`~ key: "old" => "new"`, one line a property, names aligned."""
    listed = list(diffs)
    width = max((len(d.path) for d in listed), default=0)
    for diff in listed:
        same = (
            diff.kind == "update"
            and not diff.unknown
            and diff.old == diff.new
            and diff.old not in ("[secret]",)
        )
        symbol, style = (" ", "") if same else _KINDS[diff.kind]
        line = Text(" " * indent)
        line.append(f"{symbol} {diff.path.ljust(width)}: ", style=style)
        new = UNKNOWN_TEXT if diff.unknown and diff.new is None else shown(diff.new)
        if same or diff.kind == "add":
            line.append(new)
        elif diff.kind == "delete":
            line.append(shown(diff.old))
        else:
            line.append(f"{shown(diff.old)} => {new}")
        if diff.replaces:
            line.append(" (replaces)", style="magenta")
        yield line


def shown(value: Any) -> str:
    """A value as JSON, markers bare, long texts cut."""
    if value in (UNKNOWN_TEXT, "[secret]"):
        return str(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _head(step: Step, said: str = "") -> list[tuple[str, str]]:
    symbol, style = SYMBOLS.get(said or step.op, ("  ", ""))
    return [(f" {symbol} ", style), (step.type, "dim"), (f" {step.name}", "bold")]


def _name(urn: str) -> str:
    return f"{urn.split('::', 3)[-1]}: " if urn else ""
