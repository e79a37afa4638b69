"""The unit of systemd and the container file, as far as this machine can run them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT, CONTAINER = ROOT / "deploy/retraining-watch@.service", ROOT / "deploy/Containerfile"


def help_of(words: list[str]) -> str:
    """What a command of ours says of its options."""
    done = subprocess.run([*words, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say of it, with a program that is there in place of /srv's."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    unit = tmp_path / "retraining-watch@dev.service"
    unit.write_text(UNIT.read_text().replace("/srv/retraining/dev", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_unit_starts_a_command_that_there_is() -> None:
    """The words of ExecStart, with this checkout in place of /srv's, are a verb with these options."""
    [command] = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    words = shlex.split(command.replace("/srv/retraining", str(ROOT)).replace("%i", "dev"))
    assert words[1:] == ["watch", "--stack", "dev"]
    assert "--stack" in help_of(words[:2])


def test_the_container_file_does_what_there_is() -> None:
    """Its instructions are known ones, what it runs of ours runs here, and its entry point is the verb."""
    lines = [line for line in CONTAINER.read_text().splitlines() if line and not line.startswith("#")]
    said = [line.split(" ", 1) for line in lines]
    assert {name for name, _rest in said} <= {
        *("FROM", "RUN", "USER", "WORKDIR", "COPY", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"),
    }
    instructions = dict(said)
    entry, options = json.loads(instructions["ENTRYPOINT"]), json.loads(instructions["CMD"])
    assert entry == ["./dev", "watch"]
    assert options[0] in help_of(entry)
    assert instructions["RUN"].startswith("./dev --help && ")
    assert "watch" in help_of(["./dev"])
    assert json.loads(instructions["VOLUME"]) == ["/srv/retraining/.pulumi", "/srv/retraining/.local"]


def test_what_the_container_is_built_from_has_all_that_it_runs() -> None:
    """Of the files that git knows: the script, executable, and what sets it up."""
    known = subprocess.run(
        ["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    modes = {line.split("\t")[1]: line[:6] for line in known.splitlines()}
    assert modes["dev"] == "100755"
    assert {"requirements.lock", "requirements-uv.lock", "cli/bootstrap.py", "Pulumi.yaml"} <= modes.keys()
