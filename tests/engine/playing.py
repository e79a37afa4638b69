"""Plays a scenario on one engine and notes what can be compared: what was said, asked, told and kept.

An outcome is plain JSON: `well` (green or not), `said` (why not), `steps` (of a run that is green), `changes` (how
many are counted), `calls` of the provider, `hooks` (what the program's were told) and `state`: by URN, what is other than after the run before. Ids, times
and ciphertexts are left out.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import threading
import types
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import engine
from engine.events import Listener, Result, StepFinished, StepStarted
from tests.engine.comparable import URN, changes_of, listed, said, shown_steps, steps_of, tidy
from tests.engine.conftest import Stack
from tests.engine.scenarios import SDK, Scenario
from tests.engine.things import Served, Things

NAMED = URN + "things:index:Thing::{}"
PASSPHRASE = "correct horse"
SALT = "v1:mzuLmwXtNfQ=:v1:bqbkC2qoQ3O35FQe:aROAuaXUAABjXbzllIltknokUPBmog=="
ERRORS = re.compile(r"^ *error: (.*)", re.MULTILINE)
Outcome = dict[str, Any]


class Player:
    """One engine with a project and a provider of its own."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self.root = root
        self.served = Served(Things())
        (root / "Pulumi.yaml").write_text("name: demo\nruntime: python\nbackend:\n  url: file://.\n")
        (root / "sdk.py").write_text(SDK)

    def close(self) -> None:
        """Stop the provider."""
        self.served.close()

    def play(self, scenario: Scenario) -> dict[str, Outcome]:
        """All runs of a scenario, by their number and what they are."""
        outcomes = {}
        before: dict[str, Any] = {}
        for number, (verb, step) in enumerate(scenario.runs, start=1):
            self.write(scenario, step)
            self.served.things.begin()
            (self.root / "hooks.jsonl").unlink(missing_ok=True)
            if verb in ("drift", "kill", "lock"):
                getattr(self, verb)()
                continue
            command, *arguments = [NAMED.format(w) if w in "abcdefxy" else w for w in verb.split()]
            if command in ("interrupt", "terminate"):
                calls, command, *arguments = arguments
                self.interrupt(int(calls), twice=verb.startswith("terminate"))
            outcome = self.run(command, arguments)
            calls = self.calls(command)
            outcome |= {"calls": calls if scenario.ordered else sorted(calls), "hooks": self.hooks()}
            if command != "preview":
                after = self.state()
                outcome["state"] = {
                    k: after.get(k) for k in {**before, **after} if before.get(k) != after.get(k)
                }
                before = after
            outcomes[f"{number}: {verb}, step {step}"] = outcome
        return outcomes

    def drift(self) -> None:
        """Change what exists behind the engine's back."""
        store = self.served.things.store
        store["a-1"]["value"] = "drifted"
        if "b-1" in store:
            store["b-1"]["echo"] = "other echo"
        store.pop("c-1", None)

    def kill(self) -> None:
        """Leave a state as of a run that was killed while it made one resource and changed another."""
        checkpoint = json.loads(self.state_file.read_text())
        latest = checkpoint["checkpoint"]["latest"]
        a = next(r for r in latest["resources"] if r["urn"] == NAMED.format("a"))
        made = {**a, "urn": NAMED.format("b"), "id": ""}
        made.pop("outputs")
        latest["pending_operations"] = [
            {"resource": made, "type": "creating"},
            {"resource": a, "type": "updating"},
        ]
        self.state_file.write_text(json.dumps(checkpoint))

    def lock(self) -> None:
        """Lock the stack from another machine."""
        folder = self.root / ".pulumi/locks/organization/demo/dev"
        folder.mkdir(parents=True, exist_ok=True)
        held = {"pid": 1, "username": "ann", "hostname": "elsewhere", "timestamp": "2026-01-02T03:04:05Z"}
        (folder / "6fd3a5c6-7f0f-4c0b-9d7f-0123456789ab.json").write_text(json.dumps(held))

    def interrupt(self, calls: int, *, twice: bool) -> None:
        """Once as many calls wait for it, interrupt the run that now begins; a second time when the provider was told."""
        things = self.served.things

        def wait() -> None:
            if all(things.waiting.acquire(timeout=30) for _ in range(calls)):
                self.signal()
            if twice and things.cancelled.wait(30):
                self.signal()

        threading.Thread(target=wait, daemon=True).start()

    def signal(self) -> None:
        """Press Ctrl-C."""
        os.kill(os.getpid(), signal.SIGINT)

    def run(self, command: str, arguments: list[str]) -> Outcome:
        """What one command came to."""
        raise NotImplementedError

    def write(self, scenario: Scenario, step: int) -> None:
        """The program at that step."""
        self.served.things.can(scenario.provider)
        (self.root / "__main__.py").write_text("from sdk import *\n" + scenario.program)
        config = f"encryptionsalt: {SALT}\nconfig:\n  demo:step: {step}\n{scenario.config.format(step=step)}"
        (self.root / "Pulumi.dev.yaml").write_text(config)

    @property
    def state_file(self) -> Path:
        """The checkpoint."""
        return self.root / ".pulumi/stacks/demo/dev.json"

    def files(self) -> list[str]:
        """What there is of the stack on disk, numbers aside, and the backups that the CLI makes after each run."""
        found = {path.relative_to(self.root) for path in (self.root / ".pulumi").rglob("*") if path.is_file()}
        return sorted(
            {
                re.sub(r"\d+", "N", str(path))
                for path in found
                if path.suffix != ".attrs" and "backups" not in path.parts
            }
        )

    def calls(self, command: str) -> list[str]:
        """What the provider was asked; of a destroy without diffs, which the CLI asks for and makes nothing of."""
        ignored = ("cancel", "configure", "diff") if command == "destroy" else ("cancel", "configure")
        return [" ".join(call) for call in self.served.things.calls if call[0] not in ignored]

    def hooks(self) -> list[Any]:
        """What the program's hooks were told, sorted."""
        path = self.root / "hooks.jsonl"
        told = [tidy(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []
        return sorted(told, key=lambda args: json.dumps(args, sort_keys=True))

    def state(self) -> dict[str, Any]:
        """The state's resources by URN and place; its version and features. Empty where there is no stack."""
        if not self.state_file.exists():
            return {}
        checkpoint = json.loads(self.state_file.read_text())
        latest = checkpoint["checkpoint"]["latest"]
        found: dict[str, Any] = {"format": {k: checkpoint.get(k) for k in ("version", "features")}}
        if pending := latest.get("pending_operations"):
            found["pending"] = [f"{p['type']} {p['resource']['urn'].removeprefix(URN)}" for p in pending]
        for resource in tidy(latest.get("resources", [])):
            resource["dependencies"] = sorted(resource.get("dependencies", []))
            properties = resource.get("propertyDependencies", {})
            resource["propertyDependencies"] = {k: sorted(v) for k, v in properties.items()}
            urn = resource.pop("urn").removeprefix(URN)
            found[f"{urn}{' (delete)' if resource.get('delete') else ''}"] = resource
        return found


class Cli(Player):
    """The real CLI."""

    def __init__(self, root: Path, home: Path) -> None:
        super().__init__(root)
        # Without plugins to find, the CLI still asks pip for the installed packages; this one has none.
        fake = home / "fake"
        (fake / "pip").mkdir(parents=True)
        (fake / "pip" / "__init__.py").write_text("")
        (fake / "pip" / "__main__.py").write_text("print('[]')\n")
        (root / "Pulumi.dev.yaml").write_text(f"encryptionsalt: {SALT}\n")
        self.env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(fake),
            "PULUMI_HOME": str(home),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # A program that is changed within a second, and not in its size, would be the one before.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PULUMI_DEBUG_COMMANDS": "true",  # without it there is no --event-log
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_PROVIDERS": f"things:{self.served.port}",
        }
        command = ["pulumi", "stack", "init", "dev"]
        subprocess.run(command, cwd=root, env=self.env, check=True, capture_output=True)

    def call(self, *args: str) -> tuple[bool, str]:
        """Whether one command did well, and its output."""
        self.process = subprocess.Popen(
            ["pulumi", *args, "--stack", "dev", "--non-interactive"],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with self.process:
            try:
                out, errors = self.process.communicate(timeout=120)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
        return self.process.returncode == 0, out if self.process.returncode == 0 else out + errors

    def printed(self, *args: str) -> str:
        """What one command prints that ends well."""
        well, output = self.call(*args)
        assert well, output
        return output

    def signal(self) -> None:
        """Press Ctrl-C, of which only the CLI hears."""
        self.process.send_signal(signal.SIGINT)

    def run(self, command: str, arguments: list[str]) -> Outcome:
        """By the CLI, previews as JSON."""
        if command in ("cancel", "export", "import", "ls", "rm"):
            stack = [] if command == "cancel" else ["stack"]
            options = {
                "cancel": ["--yes"],
                "ls": ["--json"],
                "rm": ["--yes", "--preserve-config", *arguments],
            }
            well, output = self.call(*stack, command, *options.get(command, ["--file", "exported.json"]))
            if command == "ls":
                return {"well": well, "said": [], "stacks": listed(json.loads(output))}
            return {"well": well, "said": said(ERRORS.findall(output)), "files": self.files()}
        log = self.root / "events.json"
        log.unlink(missing_ok=True)
        how = ["--json"] if command == "preview" else ["--yes", "--skip-preview"]
        well, output = self.call(command, *how, *arguments, "--event-log", str(log))
        if well:
            told = log.read_text()
            return {"well": True, "said": [], "steps": steps_of(told), "changes": changes_of(told)}
        if command == "preview":
            shown, end = json.JSONDecoder().raw_decode(output)
            errors = [d["message"] for d in shown.get("diagnostics", []) if d["severity"] == "error"]
            errors = [e.removeprefix("error: ").splitlines()[0] for e in errors] or ERRORS.findall(
                output[end:]
            )
            return {"well": False, "said": said(errors)}
        return {"well": False, "said": said(ERRORS.findall(output))}


class Embedded(Player):
    """The embedded engine, the program in this process."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.stack = Stack(root, self.served, passphrase=PASSPHRASE)
        self.told = ""  # why runs failed, in full
        self.listen: Listener = lambda _: None
        self.result: Result | None = None

    def run(self, command: str, arguments: list[str]) -> Outcome:
        """By the engine's functions."""
        if command == "ls":
            return {"well": True, "said": [], "stacks": listed(engine.list_stacks(self.stack.ws.backend))}
        if command in ("cancel", "export", "import", "rm"):
            try:
                self.manage(command, force="--force" in arguments)
            except engine.StackError as error:
                return {"well": False, "said": said([error.cause]), "files": self.files()}
            return {"well": True, "said": [], "files": self.files()}
        given = list(pairwise(arguments))
        options: dict[str, Any] = {
            "on_event": self.listen,
            "refresh": "--refresh" in arguments,
            "continue_on_error": "--continue-on-error" in arguments,
            "expect_no_changes": "--expect-no-changes" in arguments,
            "clear_pending_creates": "--clear-pending-creates" in arguments,
            "run_program": "--run-program" in arguments,
            "parallel": next((int(value) for name, value in given if name == "--parallel"), 16),
            "targets": tuple(value for name, value in given if name == "--target"),
        }
        with_program = command in ("preview", "up") or options["run_program"]
        program = [self.program] if with_program else []
        try:
            result = getattr(self.stack, command)(*program, **options)
        except engine.StackError as error:
            return {"well": False, "said": said([str(error).splitlines()[0]])}
        self.result = result
        self.told += "\n".join(result.failures)
        outcome: Outcome = {"well": result.ok, "said": said([f.splitlines()[0] for f in result.failures])}
        if result.ok:
            outcome |= {"steps": self.steps(), "changes": result.changes}
        return outcome

    def steps(self) -> list[list[Any]]:
        """The steps in what the run told; a refresh is one whatever it came to."""
        steps, read = [], Counter[str]()
        for event in self.stack.events:
            if isinstance(event, StepStarted) and event.step.op == "refresh":
                read[event.step.urn] += 1
            elif isinstance(event, StepFinished):
                op = "refresh" if read[event.step.urn] > 0 else event.step.op
                read[event.step.urn] -= 1
                steps.append((op, event.step.urn, event.step.new))
        return shown_steps(steps)

    def manage(self, command: str, *, force: bool) -> None:
        """What needs no run."""
        exported = self.root / "exported.json"
        if command == "cancel":
            engine.cancel(self.stack.ws)
        elif command == "export":
            exported.write_text(json.dumps(engine.export_stack(self.stack.ws)))
        elif command == "import":
            engine.import_stack(self.stack.ws, json.loads(exported.read_text()), warn=lambda _: None)
        else:
            engine.remove_stack(self.stack.ws, force=force)

    def program(self) -> None:
        """The project's."""
        run_program(self.root)


def run_program(root: Path) -> None:
    """Run a project's program here; its folder isn't on the path, its module `sdk` is made anew for each run."""
    module = types.ModuleType("sdk")
    exec(compile(SDK, "sdk.py", "exec"), module.__dict__)
    sys.modules["sdk"] = module
    runpy.run_path(str(root / "__main__.py"), run_name="__main__")
