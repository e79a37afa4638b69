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
from pathlib import Path
from typing import Any

import typer

from cli.errors import FAILED, INTERRUPTED, CliError, warn
from cli.project import ROOT, backend_of, passphrase, project, read_yaml, stack_file
from cli.runners import Run, Wishes

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


def call(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run the CLI with our terminal; answers its exit status, 130 after Ctrl-C.

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
        raise CliError(f"the stack {stack} can't be created: {reason[0]}", "name another with -s")


class PulumiRunner:
    """Runs verbs with the Pulumi CLI."""

    def __init__(self, run: Run, executable: str) -> None:
        self.run = run
        self.executable = executable
        self.env = environment(run.env)

    def up(self, wishes: Wishes) -> None:
        """Make the resources as the program declares them."""
        self._go("up", wishes, *([] if wishes.ask else ["--yes", "--skip-preview"]))

    def preview(self, wishes: Wishes) -> None:
        """Show what `up` would do; writes nothing."""
        self._go("preview", wishes)

    def refresh(self, wishes: Wishes) -> None:
        """Read how the resources really are into the state."""
        more = ["--clear-pending-creates"] if wishes.clear_pending_creates else []
        self._go("refresh", wishes, *more, *([] if wishes.ask else ["--yes", "--skip-preview"]))

    def destroy(self, wishes: Wishes) -> None:
        """Delete all that the stack created."""
        more = ["--run-program"] if wishes.run_program else []
        self._go("destroy", wishes, *more, *([] if wishes.ask else ["--yes", "--skip-preview"]))

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets masked."""
        import json

        command = [self.executable, "stack", "output", "--json", "--stack", self.run.stack]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CliError(
                f"the outputs of {self.run.stack} can't be read: {done.stderr.removeprefix('error: ')}",
                "./dev up",
            )
        return dict(json.loads(done.stdout))

    def cancel(self) -> None:
        """Free the stack's lock."""
        command = [self.executable, "cancel", "--yes", "--stack", self.run.stack]
        if status := call(command, self.env):
            raise typer.Exit(status)

    def _go(self, verb: str, wishes: Wishes, *more: str) -> None:
        if backend := backend_of(self.run.stack):
            backend.free_dead_locks(warn)
        ensure_stack(self.executable, self.run.stack, self.env)
        with self._config_file() as config:
            command = [self.executable, verb, "--stack", self.run.stack, "--config-file", config, *more]
            command += [] if wishes.ask else ["--non-interactive"]
            command += ["--refresh"] if wishes.refresh and verb != "refresh" else []
            command += ["--expect-no-changes"] if wishes.expect_no_changes else []
            command += ["--json"] if wishes.as_json else []
            command += ["--diff"] if wishes.diff else []
            command += [f"--target={target}" for target in wishes.targets]
            command += [] if wishes.parallel is None else [f"--parallel={wishes.parallel}"]
            command += ["--continue-on-error"] if wishes.continue_on_error else []
            status = call(command, self.env)
        if status:
            raise typer.Exit(status)

    @contextlib.contextmanager
    def _config_file(self) -> Iterator[str]:
        from cli.stackfile import for_this_run

        stack = self.run.stack
        backend = backend_of(stack)
        latest = backend.deployment() if backend else {}
        salt = ((latest.get("secrets_providers") or {}).get("state") or {}).get("salt")
        text = for_this_run(read_yaml(stack_file(stack)), self.run.overrides, salt)
        with tempfile.NamedTemporaryFile("w", prefix=f"{project()['name']}-{stack}-", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            yield file.name
