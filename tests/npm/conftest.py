"""Published npm clients, installed by their lock file, and the run's cloud for them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.bootstrap import only_one
from cli.cloud.azurite import node, node_home
from tests.studio.running import ARM_TOKEN, ROOT, SUBSCRIPTION
from tests.studio.shared import Shared, Trained

HERE = Path(__file__).parent
HOME = ROOT / ".local" / "npm-clients"
FILES = ("package.json", "package-lock.json", "call.cjs")
SECONDS = 60


class Refused(Exception):
    """What a client threw: `code`, `status`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("message"))
        self.code, self.status = error.get("code"), error.get("statusCode")


@pytest.fixture(scope="session")
def studio(cloud: Shared) -> Shared:
    """The run's cloud."""
    return cloud


@pytest.fixture(scope="session")
def trained(models: Trained) -> Trained:
    """The run's models."""
    return models


@dataclass
class Npm:
    """The clients, pointed at a studio: at its port with HTTPS."""

    studio: Shared

    def __call__(self, client: str, operations: str, method: str, *arguments: Any) -> Any:
        """One call of a client; what it answers, as JSON. Raises `Refused`."""
        order = {
            "client": client,
            "url": f"https://127.0.0.1:{self.studio.https_port}",
            "subscription": SUBSCRIPTION,
            "token": ARM_TOKEN,
            "operations": operations,
            "method": method,
            "arguments": arguments,
        }
        done = subprocess.run(
            [node(), "--no-deprecation", "call.cjs", json.dumps(order)],
            cwd=HOME, env=os.environ | {"NODE_EXTRA_CA_CERTS": str(self.studio.ca)},
            capture_output=True, text=True, check=True, timeout=SECONDS,
        )  # fmt: skip
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["value"]


def install() -> None:
    """Install what the lock file says, unless it is there. Skips the tests where npm's registry cannot be reached."""
    wanted = hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    stamp = HOME / "installed"
    with only_one(HOME.with_name(f"{HOME.name}.lock"), lambda: None):
        if stamp.exists() and stamp.read_text() == wanted:
            return
        HOME.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        for name in FILES:
            shutil.copyfile(HERE / name, HOME / name)
        npm = node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [node(), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        env = os.environ | {"PATH": f"{node_home() / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
        done = subprocess.run(
            command, cwd=HOME, env=env, check=False, capture_output=True, text=True, errors="replace"
        )
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            pytest.skip(f"npm can't install the published clients here: {reason[0]}")
        stamp.write_text(wanted)


@pytest.fixture(scope="session")
def npm(studio: Shared) -> Npm:
    install()
    return Npm(studio)
