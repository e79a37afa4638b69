"""The real Pulumi CLI in a project's folder, attached to a stand-in."""

from __future__ import annotations

import ensurepip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., str]


def _python_path() -> str:
    """The CLI asks this Python's pip for its packages; where there is none, Python's bundled one will do."""
    if subprocess.run([sys.executable, "-c", "import pip"], capture_output=True, check=False).returncode == 0:
        return ""
    return ":".join(str(wheel) for wheel in Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))


def attached(project: Path, directory: Path, port: int) -> Run:
    """Runs the CLI on a stack `dev` of its own, whose state is in a new folder of `directory`."""
    home, state = directory / "home", directory / "cli-state"
    home.mkdir()
    state.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": _python_path(),
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DEBUG_PROVIDERS": f"azure-native:{port}",
    }

    def run(*arguments: str, ok: bool = True) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout

    run("stack", "init", "dev")
    return run
