"""An endpoint called as docs/call-the-endpoint.md says: its listings, run as they are written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

from tests.e2e.checkout import SOURCE, Checkout

PAGE = SOURCE / "docs" / "call-the-endpoint.md"
_SECTIONS = {
    "classic": "Classic and New web services",
    "new": "Classic and New web services",
    "azureml": "Azure ML v2",
}


def called(checkout: Checkout, kind: str, stack: str) -> tuple[Any, Any]:
    """What curl and Python are answered by the endpoint of a *stack* of this *kind*."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## {_SECTIONS[kind]}\n")[2].partition("\n## ")[0]
    [shell] = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    [python] = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    shell = re.sub(r"STACK=\w+", f"STACK={stack}", shell).replace("curl ", "curl -sS --fail-with-body ")
    sets, _, _ = shell.partition("curl ")
    scripts = (shell, f"{sets}export URL KEY\n{sys.executable} - <<'END'\n{python}\nEND\n")
    curl, printed = (json.loads(_output(checkout, script)) for script in scripts)
    return (curl if kind == "azureml" else curl["Results"]["output1"]), printed


def _output(checkout: Checkout, script: str) -> str:
    done = subprocess.run(
        ["bash", "-c", f"set -eu\n{script}"],
        cwd=checkout.root,
        env=checkout.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
