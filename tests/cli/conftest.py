"""A project of its own for tests of verbs, and a stand-in for the Pulumi CLI that writes down what it is asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PULUMI_YAML = """name: retraining
runtime: {name: python}
backend: {url: "file://."}
config:
  target: {type: string, default: somewhere}
  dataVersion: {type: string, default: 2013-01}
  seed: {type: integer, default: 0}
"""

FAKE_PULUMI = """#!{python}
import json, os, pathlib, signal, sys
arguments = sys.argv[1:]
folder = pathlib.Path({folder!r})
config = arguments[arguments.index("--config-file") + 1] if "--config-file" in arguments else None
text = pathlib.Path(config).read_text() if config else None
with (folder / "asked").open("a") as log:
    log.write(json.dumps({{"arguments": arguments, "config": text, "env": dict(os.environ)}}) + "\\n")
if arguments == ["version"]:
    print((folder / "version").read_text())
elif arguments[:2] == ["stack", "output"]:
    print(json.dumps({{"endpointUrl": "http://127.0.0.1/e", "token": "[secret]"}}))
elif "--event-log" in arguments and (folder / "events").exists():
    log = pathlib.Path(arguments[arguments.index("--event-log") + 1])
    log.write_text((folder / "events").read_text())
elif arguments[:1] == ["up"] and (folder / "waits").exists():
    signal.signal(signal.SIGINT, lambda *_: (print("cancelled once", flush=True), sys.exit(255)))
    print("training", flush=True)
    signal.pause()
status = folder / f"status of {{arguments[0]}}"
sys.exit(int((status if status.exists() else folder / "status").read_text()))
"""


@dataclass
class FakePulumi:
    """The stand-in: set `version`, `status` (of exit; `status of up` of that alone), `events` (its log) or `waits`; read what it was asked."""

    folder: Path

    def set(self, name: str, value: str) -> None:
        (self.folder / name).write_text(value)

    def asked(self) -> list[dict[str, Any]]:
        """Every call but those for the version: arguments, the file of configuration, the environment."""
        log = self.folder / "asked"
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [call for call in calls if call["arguments"] != ["version"]]


@pytest.fixture
def project_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose target isn't the local cloud, in place of this one."""
    from cli import project
    from cli.cloud import azurite, processes, seed  # noqa: F401  # which keep the root that they find
    from cli.runners import embedded, pulumi

    root = tmp_path / "project"
    root.mkdir()
    (root / "Pulumi.yaml").write_text(PULUMI_YAML)
    (root / "Pulumi.dev.yaml").write_text("# ours\nconfig:\n  retraining:dataVersion: 2013-01  # a month\n")
    for module in (project, embedded, pulumi):
        monkeypatch.setattr(module, "ROOT", root)
    for name in (
        "PULUMI_BACKEND_URL",
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "RETRAIN_DEBUG",
    ):
        monkeypatch.delenv(name, raising=False)
    project.project.cache_clear()
    yield root
    project.project.cache_clear()


@pytest.fixture
def fake_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    """A stand-in for the Pulumi CLI, the only one on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "pulumi"
    script.write_text(FAKE_PULUMI.format(python=sys.executable, folder=str(folder)))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    fake = FakePulumi(folder)
    fake.set("version", "v3.200.0")
    fake.set("status", "0")
    return fake
