"""The commands that the documents show are run, as they are written."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.checkout import SOURCE, Checkout

# Blocks that are not run, by their first line, and why.
EXCEPTED = {
    "./dev up      # set up, start the local cloud": "its second line is this test run",
    "uv pip compile --universal": "asks the package registry for every package",
    "./dev chaos --damage": "as long as one likes; tests/chaos runs some",
    "./dev chaos --kills": "as long as one likes; tests/chaos runs some",
    "./dev chaos  ": "as long as one likes; tests/chaos runs some",
    "./dev preview -c dataVersion=2013-02 --save-plan": "tests/e2e/test_plans.py carries one out",
    "uv pip install mlflow-skinny": "needs a tracking server; tests/mirroring runs the mirror on one",
    "cd experiments/tumours/src": "needs an environment of the example's; tests/unit/test_tumours_example.py trains it",
    "./dev preview --refresh --expect-no-changes": "red on purpose; tests/e2e/test_gate.py and test_back_and_forth.py have drift",
    "./dev up --yes -c dataVersion=2013-03 -c 'gateRules": "tests/e2e/test_gate.py has models refused",
    "./dev report -o report.html\n./dev cloud status": "tests/e2e/test_plans.py writes one",
    "STACK=dev\nURL=": "tests/e2e/test_azureml.py calls endpoints of all kinds so",
    "STACK=azureml\nURL=": "tests/e2e/test_azureml.py calls endpoints of all kinds so",
}
EMPTY_REGISTRY = """
from azure.storage.blob import ContainerClient
from clients.credentials import resolve_target
target = resolve_target("local")
registry = ContainerClient.from_connection_string(target.connection_string, target.registry_container)
for blob in list(registry.list_blobs()):
    registry.delete_blob(blob.name)
"""
# Blocks that run, by their first line, in this order: each in a shell of its own, after what it says it needs.
RUN = [
    ("docs/local-cloud.md", "./dev cloud start --allow-faults", ""),
    ("docs/local-cloud.md", "./dev cloud status --json --show-secrets  ", ""),
    ("README.md", "./dev preview # data digest", ""),
    ("docs/tutorial.md", "./dev config set dataVersion 2013-02", ""),
    ("docs/tutorial.md", "./dev up --yes\n./dev up --yes\n./dev runs", ""),
    ("docs/command-line.md", "./dev runs --json", ""),
    ("docs/tutorial.md", "./dev config set dataVersion 2013-01", ""),
    ("docs/recovery.md", "./dev stack export --file", ""),
    ("docs/recovery.md", "./dev preview --take-over", "rm .pulumi/stacks/retraining/dev.json*\n"),
    (
        "docs/recovery.md",
        "./dev up --yes --take-over    # the registry",
        f".venv/bin/python -c '{EMPTY_REGISTRY}'\n",
    ),
    ("docs/local-cloud.md", "STUDIO=$(./dev cloud status --json", ""),
    (
        "docs/local-cloud.md",
        "# The next two submissions of a job are refused",
        "./dev cloud start --allow-faults\n{studio}\n",
    ),
    (
        "docs/local-cloud.md",
        "eval \"$(./dev cloud status --json --show-secrets | python3 -c '\nimport json, shlex",
        "./dev destroy --yes\n",
    ),
    (
        "docs/local-cloud.md",
        "eval \"$(./dev cloud status --json --show-secrets | python3 -c '\nimport json, sys",
        "",
    ),
    ("docs/local-cloud.md", "./dev cloud start   ", ""),
    ("docs/local-cloud.md", "curl $STUDIO/_local/scorers", "./dev cloud start\n{studio}\n"),
    (
        "docs/data-formats.md",
        "./dev data put 'sugar/{version}/'",
        "mkdir sugar-2024-01\nprintf 'a,b\\n1,2\\n' >sugar-2024-01/part-1.csv\n",
    ),
    ("docs/your-own-data.md", ".venv/bin/python - <<", ""),
    ("docs/your-own-data.md", "./dev experiment new patients", ""),
    ("docs/your-own-data.md", "./dev experiment check patients\n./dev experiment predictive", ""),
    ("docs/your-own-data.md", "./dev data put 'patients/", ""),
    ("docs/your-own-data.md", "./dev config set dataVersion 2026-09", ""),
    ("docs/your-own-data.md", "./dev config set dataVersion 2026-10", ""),
]


def blocks() -> list[tuple[str, str]]:
    """Every block of shell commands in the documents: file and text."""
    files = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "docs").glob("*.md"))]
    return [
        (str(file.relative_to(SOURCE)), block)
        for file in files
        for block in re.findall(
            r"^```sh\n(.*?)^```", file.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
    ]


def test_every_block_is_run_or_has_its_reason() -> None:
    """A new block of commands is run by the test below, or excepted above."""
    for file, block in blocks():
        ran = [1 for document, begins, _ in RUN if file == document and block.startswith(begins)]
        excepted = [1 for begins in EXCEPTED if block.startswith(begins)]
        assert len(ran) + len(excepted) == 1, f"{file} has a block that is neither run nor excepted:\n{block}"


@pytest.mark.cloud
@pytest.mark.own_cloud
def test_the_documents_commands_work_as_written(tmp_path: Path) -> None:
    """Each block ends well in a fresh checkout, the whole update through HTTPS among them."""
    checkout = Checkout.copy(tmp_path / "checkout")
    studio = next(block for _, block in blocks() if block.startswith("STUDIO=")).partition("\n")[0]
    for file, begins, before in RUN:
        [block] = [text for document, text in blocks() if document == file and text.startswith(begins)]
        script = f"set -eu\n{before.format(studio=studio)}{block}"
        script = script.replace("curl ", "curl -sS --fail-with-body ")
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=checkout.root,
            env=checkout.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{file}: {begins}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        if "target=environment" in block:
            assert re.search(r"Endpoint +https://", done.stdout), done.stdout[-2000:]
