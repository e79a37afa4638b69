"""A checkout of its own for end-to-end tests: the working tree's files, this environment, a local cloud."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import requests

from cli.cloud.azurite import HOME, install
from tests import guard
from tests.e2e import warm

SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that a person saw."""
        return self.out + self.err

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


class Checkout:
    """Runs ``./dev`` in *root* as a user does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PULUMI_", "RETRAIN_", "PYTEST_"))
        }

    @classmethod
    def copy(cls, root: Path) -> Checkout:
        """The working tree's files (no state, no cloud) in *root*, with this environment and Azurite's packages."""
        listed = subprocess.run(
            ["git", "ls-files", "-coz", "--exclude-standard"], cwd=SOURCE, capture_output=True, check=True
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (SOURCE / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(SOURCE / name, root / name)
                if name.endswith(".py") and not name.startswith("tests/"):
                    _copy_bytecode(SOURCE / name, root / name)
        if not (root / ".venv").is_symlink():
            (root / ".venv").symlink_to(SOURCE / ".venv")
        _share_bytecode(root)
        install(print)
        (root / ".local").mkdir(exist_ok=True)
        guard.at_end(["./dev", "cloud", "stop"], root)
        (root / ".local/azurite").symlink_to(HOME)
        return cls(root)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start ``./dev`` with these arguments."""
        return subprocess.Popen(
            ["./dev", *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def dev(self, *arguments: str, seconds: float = 240) -> Done:
        """Run ``./dev`` with these arguments; on Linux without the wait for its libraries."""
        if sys.platform == "linux":
            return Done(*warm.run(self.root, arguments, self.environment, seconds))
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=seconds)
        return Done(process.returncode, out, err)

    def succeed(self, *arguments: str) -> Done:
        """Run ``./dev``, which must succeed."""
        done = self.dev(*arguments)
        assert done.status == 0, done.text
        return done

    def up(self, *arguments: str) -> Done:
        """``./dev up`` with the embedded engine."""
        return self.succeed("up", "--yes", "--engine", "embedded", *arguments)

    def configure(self, name: str, value: str) -> None:
        """Edit one line of ``Pulumi.dev.yaml``, as a person does."""
        path = self.root / "Pulumi.dev.yaml"
        lines = [
            f"  retraining:{name}: {value}" if line.strip().startswith(f"retraining:{name}:") else line
            for line in path.read_text().splitlines()
        ]
        path.write_text("\n".join(lines) + "\n")

    @property
    def studio(self) -> str:
        """The studio's address."""
        return str(self.cloud["studio"])

    def journal(self) -> list[dict[str, Any]]:
        """What the cloud was asked since the last reset."""
        return list(requests.get(f"{self.studio}/_local/journal", timeout=20).json())

    def reset_journal(self) -> None:
        """Empty the journal."""
        requests.delete(f"{self.studio}/_local/journal", timeout=20)

    @property
    def cloud(self) -> dict[str, Any]:
        """The local cloud's file, secrets included."""
        return dict(json.loads((self.root / ".local/cloud/cloud.json").read_text()))


def _share_bytecode(root: Path) -> None:
    """Have the packages' bytecode once: where it is kept apart from them, it is found by the path they are imported from."""
    if sys.pycache_prefix:
        own, shared = (Path(sys.pycache_prefix, *(at / ".venv").parts[1:]) for at in (root, SOURCE))
        shared.mkdir(parents=True, exist_ok=True)
        if not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            own.symlink_to(shared)


def _copy_bytecode(source: Path, copy: Path) -> None:
    """Spare the checkout compiling what is compiled: bytecode is its source's by time and size, which a copy keeps."""
    if sys.dont_write_bytecode or not compileall.compile_file(source, quiet=2):
        return
    target = Path(cache_from_source(copy))
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(cache_from_source(source), target)


def writes(journal: Sequence[dict[str, Any]]) -> list[str]:
    """The writes of a journal, as ``METHOD path`` without queries."""
    return [
        f"{entry['method']} {entry['path'].partition('?')[0]}"
        for entry in journal
        if entry["effect"] == "write"
    ]


def jobs(journal: Sequence[dict[str, Any]]) -> int:
    """How many batch jobs were submitted."""
    return sum(line.startswith("POST ") and line.endswith("/jobs") for line in writes(journal))


def patches(journal: Sequence[dict[str, Any]]) -> list[str]:
    """The endpoints that were patched, each as often as it was; staging, where a model is put first, left out."""
    lines = [line for line in writes(journal) if line.startswith("PATCH ")]
    return [line for line in lines if "staging" not in line.rpartition("/")[2]]


@dataclass
class Told:
    """One command and what it asked of the cloud."""

    done: Done
    journal: list[dict[str, Any]]

    @property
    def patched(self) -> list[str]:
        """The endpoints that were bound, by name, in order; staging left out."""
        return [line.rpartition("/")[2] for line in patches(self.journal)]
