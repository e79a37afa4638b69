"""`up` previews first: what a preview refuses leaves no trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from backend.checkpoint import now
from tests.cli.test_questions import DEV, latest

PROGRAM = """
import os
import pathlib
import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, Resource, ResourceProvider

kind = "preview" if pulumi.runtime.is_dry_run() else "update"
pathlib.Path("runs").open("a").write(f"{kind} {os.environ.get('RETRAIN_TAKE_OVER')}\\n")

class Provider(ResourceProvider):
    serialize_as_secret_always = False

    def check(self, olds, news):
        bad = news["value"] == "bad"
        return CheckResult(news, [CheckFailure("value", "it is bad")] if bad else [])

    def create(self, props):
        pathlib.Path("made").open("a").write(f"{props['value']} {os.environ.get('RETRAIN_TAKE_OVER')}\\n")
        return CreateResult("made", props)

class Thing(Resource):
    pass

first = Thing(Provider(), "first", {"value": "good"})
Thing(Provider(), "second", {"value": pulumi.Config().require("dataVersion")}, pulumi.ResourceOptions(depends_on=[first]))
"""


@pytest.fixture
def project(project_root: Path) -> Path:
    """A project with two resources, the second of which is refused where its value is `bad`."""
    (project_root / "__main__.py").write_text(PROGRAM)
    return project_root


def dev(
    project: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`./dev …` of this project on the embedded engine, without a terminal."""
    return subprocess.run(
        [sys.executable, "-c", DEV, str(project), *arguments, "--engine", "embedded"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
    )


def kept(project: Path) -> list[str]:
    """All that is kept of a project's runs."""
    return sorted(
        str(path.relative_to(project)) for path in (project / ".pulumi").rglob("*") if path.is_file()
    )


def test_what_a_preview_refuses_is_not_begun(project: Path) -> None:
    """Neither state nor history is written and nothing is made; the error is shown once."""
    done = dev(project, "up", "--yes", "-c", "dataVersion=bad")
    assert done.returncode == 1
    assert done.stdout.count("property value value bad has a problem: it is bad") == 1
    assert "the preview failed, so nothing was changed" in done.stderr
    assert (project / "runs").read_text() == "preview None\n"
    assert not (project / "made").exists()
    assert kept(project) == []


def test_what_a_preview_lets_through_is_shown_once(project: Path) -> None:
    """The plan comes first, then the update's steps, and the plan again as it was carried out; each runs in its own process."""
    done = dev(project, "up", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "runs").read_text() == "preview None\nupdate None\n"
    assert (project / "made").read_text().splitlines() == ["good None", "2013-01 None"]
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    assert lines[0] == "Plan for dev: create 2"
    assert "create: 2 (first, second)" in lines
    assert lines[lines.index("Updating") :].count("created: 2 (first, second)") == 1
    assert sum(line.endswith("s)") and "second created" in line for line in lines) == 1
    (record,) = (project / ".pulumi/history/retraining/dev").glob("*.history.json")
    assert json.loads(record.read_text())["kind"] == "update"


def test_a_failed_update_ends_with_why(project: Path) -> None:
    """Cause and remedy are its last lines, said once; outputs of before are not shown as if they were of this run."""
    export = (
        "pulumi.export('verdict', 'passed')\npulumi.export('asked', pulumi.Config().require('dataVersion'))\n"
    )
    fails = PROGRAM.replace(
        'return CreateResult("made", props)',
        'if props["value"] == "fails": raise RuntimeError("it went wrong\\nremedy: do better")\n'
        '        return CreateResult("made", props)',
    )
    (project / "__main__.py").write_text(fails + export)
    assert "verdict: " in dev(project, "up", "--yes", "--steps").stdout
    more = "Thing(Provider(), 'third', {'value': 'fails'}, pulumi.ResourceOptions(depends_on=[first]))\n"
    (project / "__main__.py").write_text(fails + more + export)
    done = dev(project, "up", "--yes", "-c", "dataVersion=other")
    assert done.returncode == 1
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    assert lines[-2].endswith("third: error: it went wrong")
    assert lines[-1] == "remedy: do better"
    assert done.stdout.count("it went wrong") == 1
    assert any(line.endswith("third failed") for line in lines)
    assert "1 failed" in lines
    assert "passed" not in done.stdout
    again = dev(project, "up", "--yes", "--json")
    assert again.returncode == 1
    assert "verdict" not in json.loads(again.stdout)["outputs"]
    plain = dev(project, "up", "--yes", "--diff")
    assert "passed" not in plain.stdout
    assert plain.stdout.rstrip().endswith("remedy: do better")


def test_json_of_an_update_is_one_document(project: Path) -> None:
    """Of the preview where that fails, else of the update."""
    refused = json.loads(dev(project, "up", "--yes", "--json", "-c", "dataVersion=bad").stdout)
    assert refused["failures"]
    done = json.loads(dev(project, "up", "--yes", "--json").stdout)
    assert (done["failures"], done["changeSummary"]) == ([], {"create": 3})


def test_a_locked_stack_is_refused_before_the_preview(project: Path) -> None:
    """The lock is held from the preview on, so that nothing changes between the two."""
    folder = project / ".pulumi/locks/organization/retraining/dev"
    folder.mkdir(parents=True)
    held = {"pid": 1, "username": "ann", "hostname": "elsewhere", "timestamp": now()}
    (folder / "one.json").write_text(json.dumps(held))
    done = dev(project, "up", "--yes")
    assert done.returncode == 1
    assert "stack dev is locked by ann@elsewhere" in done.stderr
    assert not (project / "runs").exists()
    assert latest(project) == {}


def test_taking_over_is_asked_for(project: Path) -> None:
    """Without a terminal it needs --yes; program and providers, forked ones too, find it in their environment."""
    refused = dev(project, "up", "--take-over")
    assert refused.returncode == 2
    assert "needs --yes where there is no terminal" in refused.stderr
    assert not (project / "runs").exists()
    assert dev(project, "preview", "--take-over").returncode == 0
    done = dev(project, "up", "--take-over", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "runs").read_text() == "preview 1\npreview 1\nupdate 1\n"
    assert (project / "made").read_text().splitlines() == ["good 1", "2013-01 1"]
    assert dev(project, "destroy", "--take-over").returncode == 2
