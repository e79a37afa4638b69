"""The Pulumi CLI, as a child process in the environment that the program and the local cloud need."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import typer

from cli.console import print_json, say, want_a_yes
from cli.errors import FAILED, INTERRUPTED, CliError, show, warn
from cli.planning import Planning
from cli.project import ROOT, backend_of, passphrase, project, read_yaml, stack_file
from cli.runners.deletions import Planned, refuse_unasked
from cli.runners.event_log import Told, step_of
from cli.runners.run import Run
from cli.wishes import TAKE_OVER, Wishes
from plans.plan import Plan, is_refused_change

OLDEST = (3, 200, 0)


def find(*, required: bool) -> str | None:
    """The CLI on PATH; None where there is none or it is too old, which is an error where it is `required`."""
    executable = shutil.which("pulumi")
    if executable is None:
        if required:
            raise CliError(
                "the Pulumi CLI isn't on PATH",
                "install the Pulumi CLI and put it on PATH, or use the embedded engine: --engine embedded",
            )
        return None
    done = subprocess.run(
        [executable, "version"], capture_output=True, text=True, check=False, env=environment({}), cwd="/"
    )
    found = re.search(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout)
    if found and tuple(map(int, found.groups())) >= OLDEST:
        return executable
    if required:
        oldest = ".".join(map(str, OLDEST))
        version = found[0] if found else "of an unknown version"
        raise CliError(
            f"the Pulumi CLI on PATH is {version}, and {oldest} is the oldest that works",
            "upgrade it, or use the embedded engine: --engine embedded",
        )
    return None


def environment(added: Mapping[str, str]) -> dict[str, str]:
    """The environment for the CLI: nothing is downloaded, and .venv's Python comes first."""
    env = os.environ | {
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    if (empty := passphrase()) is not None:
        env["PULUMI_CONFIG_PASSPHRASE"] = empty
    return {**env, **added}


def call(command: Sequence[str], env: Mapping[str, str], *, stdout: IO[bytes] | None = None) -> int:
    """Run the CLI with our terminal (but for `stdout`, if given); answers its exit status, 130 after Ctrl-C.

    On a terminal Ctrl-C reaches the CLI by itself, and a second one would make it drop everything; elsewhere the CLI
    gets a session of its own, so that it hears the signal once, from here.
    """
    shared = sys.stdin.isatty()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=dict(env),
        start_new_session=not shared,
        stdin=None if shared else subprocess.DEVNULL,
        stdout=stdout,
    )
    interrupted = False
    while True:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            interrupted = True
            if not shared:
                process.send_signal(signal.SIGINT)
        else:
            return INTERRUPTED if interrupted else min(abs(status), FAILED)


def ensure_stack(executable: str, stack: str, env: Mapping[str, str]) -> None:
    """Create the stack where it has no state yet.

    In a folder of its own, since the CLI writes a salt into the stack's file as it creates a stack.
    """
    backend = backend_of(stack)
    if backend is None or backend.file.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(ROOT / "Pulumi.yaml", Path(folder, "Pulumi.yaml"))
        command = [executable, "stack", "init", stack, "--no-select", "--non-interactive", "--cwd", folder]
        done = subprocess.run(
            command,
            env={**env, "PULUMI_BACKEND_URL": f"file://{backend.base.parent}"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode and not backend.file.exists():
        reason = done.stderr.strip().removeprefix("error: ").splitlines() or ["it gave no reason"]
        raise CliError(
            f"the stack {stack} can't be created: {reason[0]}",
            "correct what it says, or name another with -s",
        )


def _planned(steps: list[dict[str, Any]]) -> Iterator[Planned]:
    for step in steps:
        yield Planned(step["op"], step["urn"], step.get("oldState") or {}, step.get("newState") or {})


class PulumiRunner:
    """Runs verbs with the Pulumi CLI."""

    def __init__(self, run: Run, executable: str) -> None:
        self.run = run
        self.executable = executable
        self.env = environment(run.env)

    def up(self, wishes: Wishes, planning: Planning) -> None:
        """Make the resources as the program declares them, once a preview has found nothing wrong."""
        planning.begin()
        told = self._look(replace(wishes, expect_no_changes=False), planning)
        if not wishes.may_delete:
            refuse_unasked(_planned(told.steps), self.run.stack)
        planning.foreseen({"steps": told.steps})
        if wishes.ask:
            want_a_yes(f"Perform this update of {self.run.stack}?", yes=False)
        self.env.update(planning.carry_out())
        done = self._go("up", wishes, "--skip-preview", "--yes")
        planning.came_to({"steps": done.steps})

    def preview(self, wishes: Wishes, planning: Planning) -> Plan:
        """Show what `up` would do, and answer that; writes nothing."""
        return planning.foreseen({"steps": self._look(wishes, planning, shown=True).steps})

    def _look(self, wishes: Wishes, planning: Planning, *, shown: bool = False) -> Told:
        """What a preview tells: as JSON, with the plan, where that is wanted; in the CLI's own words where all is to be shown."""
        if wishes.as_json:
            return self._told_as_json(wishes, planning, shown)
        if wishes.in_full and (shown or wishes.ask):
            return self._go("preview", replace(wishes, ask=False), planning=planning)
        with tempfile.TemporaryFile() as hidden:
            told = self._go("preview", replace(wishes, ask=False), stdout=hidden, planning=planning)
        for line in told.said if shown or wishes.ask else ():
            say(line)
        return told

    def _told_as_json(self, wishes: Wishes, planning: Planning, shown: bool) -> Told:
        import json

        takes_over = TAKE_OVER in self.run.env
        with tempfile.TemporaryFile() as held_back:
            try:
                self._go("preview", wishes, stdout=held_back)
            except typer.Exit:
                held_back.seek(0)
                shutil.copyfileobj(held_back, sys.stdout.buffer)
                raise
            held_back.seek(0)
            document = json.loads(held_back.read() or "{}")
        steps = [step_of(step, takes_over=takes_over) for step in document.get("steps") or []]
        if shown:
            print_json(document | {"plan": planning.foreseen({"steps": steps}).json()})
        return Told(steps=steps)

    def refresh(self, wishes: Wishes) -> None:
        """Read how the resources really are into the state."""
        self._go("refresh", wishes, *([] if wishes.ask else ["--yes", "--skip-preview"]))

    def destroy(self, wishes: Wishes) -> None:
        """Delete all that the stack created."""
        self._go("destroy", wishes, *([] if wishes.ask else ["--yes", "--skip-preview"]))

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets masked."""
        import json

        command = [self.executable, "stack", "output", "--json", "--stack", self.run.stack]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CliError(
                f"the outputs of {self.run.stack} can't be read: {done.stderr.removeprefix('error: ')}",
                f"correct what it says; a stack that was never deployed: ./dev up -s {self.run.stack}",
            )
        return dict(json.loads(done.stdout))

    def cancel(self) -> None:
        """Free the stack's lock."""
        command = [self.executable, "cancel", "--yes", "--stack", self.run.stack]
        if status := call(command, self.env):
            raise typer.Exit(status)

    def _go(
        self,
        verb: str,
        wishes: Wishes,
        *more: str,
        stdout: IO[bytes] | None = None,
        planning: Planning | None = None,
    ) -> Told:
        """Run a verb; what its events told."""
        told = Told()
        if backend := backend_of(self.run.stack):
            backend.free_dead_locks(warn)
        ensure_stack(self.executable, self.run.stack, self.env)
        with self._config_file() as config, tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "events.json")
            command = [self.executable, verb, "--stack", self.run.stack, "--config-file", config, *more]
            flags = {
                "--non-interactive": not wishes.ask,
                "--refresh": wishes.refresh and verb != "refresh",
                "--expect-no-changes": wishes.expect_no_changes,
                "--json": wishes.as_json,
                "--suppress-progress": wishes.no_progress and not wishes.as_json,
                "--diff": wishes.diff,
                f"--parallel={wishes.parallel}": wishes.parallel is not None,
                "--continue-on-error": wishes.continue_on_error,
                "--clear-pending-creates": wishes.clear_pending_creates,
                "--run-program": wishes.run_program,
            }
            command += [flag for flag, given in flags.items() if given]
            command += [f"--target={target}" for target in wishes.targets]
            env = self.env
            if not wishes.as_json:
                command += ["--event-log", str(log)]
                env = env | {"PULUMI_DEBUG_COMMANDS": "true"}  # has that option
            status = call(command, env, stdout=stdout)
            if not wishes.as_json:
                told = self._conclude(verb, log, planning, failed=status not in (0, INTERRUPTED))
        if status:
            raise typer.Exit(status)
        return told

    def _conclude(self, verb: str, log: Path, planning: Planning | None, *, failed: bool) -> Told:
        """Say below the CLI's own display what that has another word for, and last why the run *failed*."""
        from cli.views.outcomes import remarks

        told = Told.read(log, preview=verb == "preview", takes_over=TAKE_OVER in self.run.env)
        if verb not in (
            "preview",
            "refresh",
        ):  # what a refresh finds gone was not left; of a preview the plan tells
            for line in remarks(told.outcomes):
                say(line)
        if not failed:
            return told
        if planning and all(is_refused_change(error) for error in told.errors):
            planning.foreseen({"steps": told.steps})
        if verb == "up":
            say("the update failed: outputs above are those of before, unless they are shown as changed")
        for error in told.errors:
            cause, _, remedy = error.partition("\nremedy: ")
            show(cause, remedy)
        return told

    @contextlib.contextmanager
    def _config_file(self) -> Iterator[str]:
        from cli.stacks.files import for_this_run

        stack = self.run.stack
        backend = backend_of(stack)
        latest = backend.deployment() if backend else {}
        salt = ((latest.get("secrets_providers") or {}).get("state") or {}).get("salt")
        text = for_this_run(read_yaml(stack_file(stack)), self.run.overrides, salt)
        with tempfile.NamedTemporaryFile("w", prefix=f"{project()['name']}-{stack}-", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            yield file.name
