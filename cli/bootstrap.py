"""Makes ``.venv`` from ``requirements.lock``; run by ``./dev`` with the system's Python, so standard library only.

Two set-ups at once wait for each other (a lock on a file, which the system frees when its holder dies), and one that
was interrupted is repaired by the next: packages that may be half there are installed again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
INSTALLING = (
    VENV / "installing"
)  # there while packages are being installed: found at a start, they may be half there


_LOOK_AGAIN = 0.2  # seconds
_FAR = 1 << 30


class SetupError(Exception):
    """Set-up can't go on: one line of cause, one of remedy."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


def say(message: str) -> None:
    """Print one line of progress."""
    print(f"set-up: {message}", file=sys.stderr, flush=True)


@contextmanager
def only_one(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of `path`, one at a time across processes; `waiting` is called when another holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        if not held(lock):
            waiting()
            while not held(lock):
                time.sleep(_LOOK_AGAIN)
        yield


def held(file: IO[str]) -> bool:
    """Whether the lock of an open file is this process's now. The system frees it when the file is closed, or its holder dies."""
    try:
        import fcntl
    except ImportError:  # Windows
        return _held_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _held_on_windows(file: IO[str]) -> bool:
    import msvcrt

    os.lseek(
        file.fileno(), _FAR, os.SEEK_SET
    )  # what is locked there can't be read, and the file says who holds it
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    finally:
        os.lseek(file.fileno(), 0, os.SEEK_SET)
    return True


def run(command: list[str], what: str, remedy: str, *, env: Mapping[str, str] | None = None) -> None:
    """Run a command; where it fails, raise `SetupError` with the last line that it wrote.

    On a terminal the command draws its own progress; elsewhere its output is kept for the error.
    """
    shown = sys.stderr.isatty()
    done = subprocess.run(
        command, env=env, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False,
        stdout=sys.stderr if shown else subprocess.PIPE, stderr=None if shown else subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        lines = [line.strip() for line in (done.stdout or "").splitlines() if line.strip()]
        detail = f": {lines[-1]}" if lines else f" (exit status {done.returncode}; its message is above)"
        raise SetupError(f"{what} failed{detail}", remedy)


def said_by(*command: str | Path) -> str:
    """What a command prints; nothing where it fails or can't be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def venv_works() -> bool:
    """Whether .venv has a Python of this version."""
    code = f"import sys; print(sys.version_info[:2] == {sys.version_info[:2]}, sys.prefix != sys.base_prefix)"
    return said_by(PYTHON, "-c", code).split() == ["True", "True"]


def make_venv() -> None:
    """Make .venv, with pip inside, unless it is there."""
    if not venv_works():
        say(f"making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}")
        run(
            [sys.executable, "-m", "venv", "--clear", str(VENV)],
            "making .venv",
            "where the system's Python comes in parts, install its venv part (Debian, Ubuntu: python3-venv)",
        )
        INSTALLING.touch()
    elif not said_by(PYTHON, "-m", "pip", "--version"):
        run([str(PYTHON), "-m", "ensurepip"], "putting pip into .venv", "delete .venv and run ./dev again")


def pip_settings() -> dict[str, str]:
    """What pip is told by its files and the environment: setting → value, the strongest source winning."""
    found: dict[str, str] = {}
    order = {"global": 0, "install": 1, ":env:": 2}
    lines = re.findall(
        r"^(global|install|:env:)\.([\w-]+)='(.*)'$",
        said_by(PYTHON, "-m", "pip", "config", "list"),
        re.MULTILINE,
    )
    for _, name, value in sorted(lines, key=lambda line: order[line[0]]):
        found[name] = value
    return found


def uv_environment(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv: it doesn't read pip's settings, so they are passed on where it has none of its own."""
    links = [
        at
        for at in re.split(r"[\s,]+", settings.get("find-links", ""))
        if "://" in at or (at and Path(at).exists())
    ]
    passed = {
        "UV_DEFAULT_INDEX": settings.get("index-url"),
        "UV_INDEX": settings.get("extra-index-url"),
        "UV_FIND_LINKS": ",".join(links),
        "UV_NO_INDEX": "1" if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"} else None,
        "UV_INSECURE_HOST": settings.get("trusted-host"),
        "UV_HTTP_TIMEOUT": settings.get("timeout") or settings.get("default-timeout"),
        "SSL_CERT_FILE": settings.get("cert"),
        "HTTPS_PROXY": settings.get("proxy"),
    }
    own = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
    added = {
        name: " ".join(value.split())
        for name, value in passed.items()
        if value and name not in environ and own.get(name, name) not in environ
    }
    return {**environ, **added}


def pinned(lock: Path) -> str:
    """The version of the one package of a lock file."""
    match = re.search(r"^[\w-]+==([^\s;]+)", lock.read_text(), re.MULTILINE)
    if match is None:
        raise SetupError(f"{lock.name} names no version", "git checkout requirements-uv.lock")
    return match[1]


def install_uv() -> None:
    """Put the pinned uv into .venv, unless it is there."""
    lock, uv = ROOT / "requirements-uv.lock", BIN / "uv"
    if said_by(uv, "--version").split()[1:2] == [pinned(lock)]:
        return
    say(f"installing uv {pinned(lock)}")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall"]
    remedy = "check the network and pip's index setting (pip config list), then run ./dev again"
    run([*pip, "--require-hashes", "-r", str(lock)], "installing uv", remedy)


def install_packages() -> None:
    """Install what requirements.lock says, hashes checked; once more where it fails, as downloads may."""
    lock = ROOT / "requirements.lock"
    count = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
    say(f"installing {count} packages of requirements.lock into .venv (about 1 GB on disk)")
    command = [
        str(BIN / "uv"),
        "pip",
        "install",
        "--python",
        str(PYTHON),
        "--require-hashes",
        "-r",
        str(lock),
    ]
    command += ["--reinstall"] if INSTALLING.exists() else []
    env = uv_environment(pip_settings(), os.environ)
    INSTALLING.touch()
    remedy = "check the network and the package index's address (pip config list), then run ./dev again: it goes on"
    try:
        run(command, "installing packages", remedy, env=env)
    except SetupError as error:
        say(f"{error.cause}; trying once more")
        run(command, "installing packages", remedy, env=env)
    INSTALLING.unlink()


def main() -> int:
    """Set up; 0 when all is in place."""
    started = time.monotonic()
    try:
        waiting = "another ./dev is at it; waiting for it"
        with only_one(ROOT / ".local" / "setup.lock", lambda: say(waiting)):
            make_venv()
            install_uv()
            install_packages()
    except SetupError as error:
        print(f"error: {error.cause}\nremedy: {error.remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: interrupted; the next ./dev goes on", file=sys.stderr)
        return 130
    say(f"done in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
