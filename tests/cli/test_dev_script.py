"""`./dev` itself, run as a person runs it, with a package index of its own: a folder that holds a stand-in for uv."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}"
TOOLS = ("sh", "dirname", "cksum", "cat", "mv")

# Writes down what it is asked; waits or fails where a file tells it to.
FAKE_UV = """#!/bin/sh
if [ "$1" = --version ]; then echo "uv 0.0.1"; exit; fi
echo "$*" >>uv.log
while [ -e uv.waits ]; do :; done
if [ -e uv.fails ]; then echo "no route to the index" >&2; exit 2; fi
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    wheel = folder / "uv-0.0.1-py3-none-any.whl"
    info = "uv-0.0.1.dist-info"
    files = {
        "uv-0.0.1.data/scripts/uv": FAKE_UV,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: uv\nVersion: 0.0.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100755 if "scripts" in name else 0o100644) << 16
            archive.writestr(entry, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record += f"{name},sha256={digest},{len(text)}\n"
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return folder


class Checkout:
    """A checkout with the real `dev` and set-up, and a command line that prints its arguments."""

    def __init__(self, root: Path, index: Path) -> None:
        self.root = root
        (root / "cli").mkdir(parents=True)
        shutil.copy(ROOT / "dev", root / "dev")
        shutil.copy(ROOT / "cli" / "bootstrap.py", root / "cli" / "bootstrap.py")
        (root / "cli" / "__init__.py").touch()
        (root / "cli" / "__main__.py").write_text("import sys; print('arguments', *sys.argv[1:])\n")
        (root / "requirements.lock").write_text("one==1.0\n")
        digest = hashlib.sha256(next(index.glob("*.whl")).read_bytes()).hexdigest()
        (root / "requirements-uv.lock").write_text(f"uv==0.0.1 \\\n    --hash=sha256:{digest}\n")
        self.bin = root / "path"
        self.bin.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found
            (self.bin / tool).symlink_to(found)
        self.env = {
            "PATH": str(self.bin),
            "HOME": str(root),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(index),
        }

    def command(self, name: str, script: str) -> None:
        """Put a command on PATH."""
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def with_python(self) -> Checkout:
        """Put a good Python on PATH."""
        self.command("python3", f'exec {BASE_PYTHON} "$@"')
        return self

    def start(self, *arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.root / "dev", *arguments], cwd=cwd or self.root, env=self.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str, cwd: Path | None = None) -> tuple[int, str, str]:
        with self.start(*arguments, cwd=cwd) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def asked_of_uv(self) -> list[str]:
        log = self.root / "uv.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, index: Path) -> tuple[Checkout, tuple[int, str, str]]:
    checkout = Checkout(tmp_path_factory.mktemp("first") / "main", index).with_python()
    return checkout, checkout.run("up", "-c", "a=b c")


@pytest.fixture
def checkout(tmp_path: Path, index: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout", index)


@pytest.fixture
def ready(checkout: Checkout, prepared: tuple[Checkout, tuple[int, str, str]]) -> Checkout:
    """A checkout that was set up and then moved, so that .venv is there and has to be looked through again."""
    shutil.copytree(prepared[0].root / ".venv", checkout.root / ".venv", symlinks=True)
    return checkout.with_python()


def test_the_first_run_sets_up_says_so_and_hands_over(
    prepared: tuple[Checkout, tuple[int, str, str]],
) -> None:
    """On a bare machine the first run makes .venv, tells about it on stderr, and runs the verb."""
    status, out, err = prepared[1]
    assert (status, out) == (0, "arguments up -c a=b c\n")
    said = [line for line in err.splitlines() if line.startswith("set-up: ")]
    assert len(said) == len(err.splitlines()) >= 3
    assert "--require-hashes -r" in prepared[0].asked_of_uv()[0]


def test_a_second_run_is_silent_and_sets_up_nothing(prepared: tuple[Checkout, tuple[int, str, str]]) -> None:
    """When all is in place nothing is installed, and Python isn't even looked for on PATH."""
    checkout = prepared[0]
    (checkout.bin / "python3").unlink()
    before = checkout.asked_of_uv()
    try:
        assert checkout.run("help") == (0, "arguments help\n", "")
    finally:
        checkout.with_python()
    assert checkout.asked_of_uv() == before


def test_it_runs_from_any_directory(prepared: tuple[Checkout, tuple[int, str, str]], tmp_path: Path) -> None:
    """The caller's directory doesn't matter."""
    assert prepared[0].run("status", cwd=tmp_path) == (0, "arguments status\n", "")


def test_python_too_old_is_one_line_of_cause_and_one_of_remedy(checkout: Checkout) -> None:
    """With only an old Python on PATH it names what it found and what it needs."""
    checkout.command("python3", "echo 3.9.18; exit 1")
    status, out, err = checkout.run("up")
    assert (status, out) == (1, "")
    cause, remedy = err.splitlines()
    assert cause == "error: ./dev needs Python 3.11 or newer, and none is on PATH: python3 is 3.9.18"
    assert remedy.startswith("remedy: install Python 3.11")
    assert not (checkout.root / ".venv").exists()


def test_no_python_is_the_same_error(checkout: Checkout) -> None:
    """Without any Python the message is the same, without a found version."""
    status, _, err = checkout.run("up")
    assert status == 1
    assert err.splitlines()[0] == "error: ./dev needs Python 3.11 or newer, and none is on PATH"


def test_a_newer_python_beside_an_old_one_is_found(ready: Checkout) -> None:
    """Where python3 is too old, python3.11 and later names are tried."""
    ready.command("python3", "echo 3.9.18; exit 1")
    ready.command("python3.11", f'exec {BASE_PYTHON} "$@"')
    status, out, _ = ready.run("up")
    assert (status, out) == (0, "arguments up\n")


def test_a_changed_lock_is_installed(ready: Checkout) -> None:
    """The set-up depends on the lock's content: a change is installed, once."""
    ready.run("up")
    installed = len(ready.asked_of_uv())
    (ready.root / "requirements.lock").write_text("one==2.0\n")
    assert ready.run("up")[0] == 0
    assert len(ready.asked_of_uv()) == installed + 1
    ready.run("up")
    assert len(ready.asked_of_uv()) == installed + 1


def test_a_failed_installation_is_tried_twice_then_explained(ready: Checkout) -> None:
    """A failing index gives the installer's own last line and a remedy, and leaves the set-up unfinished."""
    (ready.root / "uv.fails").touch()
    status, out, err = ready.run("up")
    assert (status, out) == (1, "")
    assert len(ready.asked_of_uv()) == 2
    cause, remedy = err.splitlines()[-2:]
    assert cause == "error: installing packages failed: no route to the index"
    assert remedy.startswith("remedy: ")
    (ready.root / "uv.fails").unlink()
    assert ready.run("up")[:2] == (0, "arguments up\n")


def test_an_interrupted_installation_is_repaired(ready: Checkout) -> None:
    """After a kill in the middle of installing, packages that may be half there are installed again."""
    (ready.root / "uv.waits").touch()
    process = ready.start("up")
    eventually(ready.asked_of_uv, "uv")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (ready.root / "uv.waits").unlink()
    assert ready.run("up")[:2] == (0, "arguments up\n")
    assert ["--reinstall" in line for line in ready.asked_of_uv()] == [False, True]
    assert not (ready.root / ".venv" / "installing").exists()


def test_two_at_once_take_turns(ready: Checkout) -> None:
    """A second ./dev during the set-up waits for the first, says so, and both run their verb."""
    (ready.root / "uv.waits").touch()
    with ready.start("one") as first:
        eventually(ready.asked_of_uv, "uv")
        with ready.start("two") as second:
            assert second.stderr is not None
            line = second.stderr.readline()
            (ready.root / "uv.waits").unlink()
            out = second.communicate(timeout=60)[0]
        assert first.communicate(timeout=60)[0] == "arguments one\n"
    assert line == "set-up: another ./dev is at it; waiting for it\n"
    assert (first.returncode, second.returncode, out) == (0, 0, "arguments two\n")


def test_a_broken_venv_is_made_anew(ready: Checkout) -> None:
    """A .venv whose Python is gone (uninstalled, say) is replaced."""
    (ready.root / ".venv" / "bin" / "python").unlink()
    (ready.root / ".venv" / "bin" / "python").symlink_to("gone")
    status, out, err = ready.run("up")
    assert (status, out) == (0, "arguments up\n")
    assert "making .venv" in err
