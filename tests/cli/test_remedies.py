"""What the command line advises, done."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

import cli.console
import cli.services.report
from cli import bootstrap, project
from cli.app import build
from cli.cloud import logs, settings
from cli.cloud.supervisor import Supervisor
from cli.console import want_a_yes
from cli.guard import guarded
from cli.runners import pulumi
from cli.services.registry import workspace_of
from cli.services.report import sample_of
from cli.stacks.files import changed, set_value
from cli.stacks.names import known
from tests.cli.test_questions import PROGRAM
from tests.cli.test_verbs import a_state
from tests.healing import Told

heals = pytest.mark.heals


def run(*arguments: str, status: int = 0) -> str:
    """What a verb prints; it ends with *status*."""
    result = CliRunner().invoke(build(), arguments)
    assert result.exit_code == status, result.output
    return result.output


# Stacks, their files and their configuration


@heals("./dev config set {} VALUE -s {}")
@heals("set it with: ./dev config set --secret {}")
@heals("write {}", at="cli/stacks/values.py")
def test_configuration_is_set(remedy: Told, project_root: Path) -> None:
    """A value that is missing, one that has to be encrypted, one of the wrong type."""
    from backend.workspace import Workspace

    file = project_root / "Pulumi.yaml"
    content = yaml.safe_load(file.read_text())
    content["config"]["token"] = {"type": "string", "secret": True}
    content["config"]["rows"] = {"type": "integer", "default": 7}
    file.write_text(yaml.safe_dump(content))
    project.project.cache_clear()
    remedy(run("config", "get", "token", status=1))
    run("config", "set", "token", "s3cret", "-s", "dev")
    assert run("config", "get", "token") == "s3cret\n"
    remedy.fails(lambda: Workspace.open(project_root, "dev", passphrase="").config())
    assert "s3cret" not in run("config", "set", "--secret", "token", "s3cret")
    assert "s3cret" not in (project_root / "Pulumi.dev.yaml").read_text()
    assert run("config", "get", "token") == "[secret]\n"
    assert Workspace.open(project_root, "dev", passphrase="").config()["retraining:token"].text == "s3cret"
    remedy(run("config", "set", "rows", "many", status=2))
    run("config", "set", "rows", "8")


@heals("{}make it with ./dev stack init {}")
@heals("./dev preview -s {}")
def test_a_stack_is_made_once(remedy: Told, project_root: Path, fake_pulumi: Any) -> None:
    """One that is not there yet, or was meant otherwise; one that is there is previewed."""
    error = remedy.fails(lambda: known("prod"))
    assert "use -s dev" in error.remedy
    assert known("dev") == "dev"
    run("stack", "init", "prod")
    assert known("prod") == "prod"
    remedy(run("stack", "init", "prod", status=1))
    run("preview", "-s", "prod")


@heals("edit {} in it by hand")
@heals("edit it in the stack's file by hand")
def test_a_file_that_is_written_in_another_way(remedy: Told, tmp_path: Path) -> None:
    """Changed by hand, it is as it should be."""
    remedy.fails(lambda: changed("config: {a: 1}\n", "a", 2))
    remedy.fails(lambda: changed("config:\n  a:\n    - 1\n", "a", 2))
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  a: 2\n")
    set_value(file, "a", "3")
    assert yaml.safe_load(file.read_text()) == {"config": {"a": "3"}}


@heals("git checkout Pulumi.yaml")
@heals("write configuration below `config:`, indented")
def test_a_projects_files(remedy: Told, project_root: Path) -> None:
    """As they were, and as they should be."""
    file, own = project_root / "Pulumi.yaml", project_root / "Pulumi.dev.yaml"
    before = file.read_text()
    file.unlink()
    project.project.cache_clear()
    remedy.fails(project.project)
    file.write_text(before)
    assert project.project()
    own.write_text("config: {}\nretraining:seed: 1\n")
    remedy.fails(lambda: project.stack_config("dev"))
    own.write_text("config:\n  retraining:seed: 1\n")
    assert project.stack_config("dev")["retraining:seed"] == "1"


@heals("./dev up -s {}", at="cli/verbs/deploying/output.py")
@heals("use one of: {}", at="cli/verbs/deploying/output.py")
@heals("correct what it says; a stack that was never deployed: ./dev up -s {}")
def test_outputs_of_a_stack(
    remedy: Told, project_root: Path, fake_pulumi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deployed, they are there; those that are, are shown."""
    monkeypatch.setattr(cli.services.report, "after_up", lambda *_: None)
    remedy(run("output", status=1))
    run("up", "--yes", "-s", "dev")
    a_state(project_root)  # which the stand-in of the CLI leaves to us
    remedy(run("output", "url", status=1))
    assert run("output", "endpointUrl")
    fake_pulumi.set("status", "1")
    remedy(run("output", status=1))
    fake_pulumi.set("status", "0")
    assert run("output")


@heals("give what ./dev stack export wrote")
def test_a_state_is_imported_from_an_export(remedy: Told, project_root: Path, tmp_path: Path) -> None:
    """Another file is none."""
    a_state(project_root, resources=[])
    file = tmp_path / "state.json"
    file.write_text("no JSON")
    remedy(run("stack", "import", "--file", str(file), status=1))
    run("stack", "export", "--file", str(file))
    run("stack", "import", "--file", str(file))


@heals("install the Pulumi CLI and put it on PATH, or use the embedded engine: --engine embedded")
@heals("upgrade it, or use the embedded engine: --engine embedded")
def test_a_cli_or_none(
    remedy: Told, project_root: Path, fake_pulumi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is there and new enough; the embedded engine needs none."""
    fake_pulumi.set("version", "v3.99.1")
    remedy(run("preview", "--engine", "pulumi", status=1))
    fake_pulumi.set("version", "v3.300.0")
    run("preview", "--engine", "pulumi")
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", "/nowhere")
    remedy(run("preview", "--engine", "pulumi", status=1))
    (project_root / "__main__.py").write_text("")
    run("preview", "--engine", "embedded")
    monkeypatch.setenv("PATH", path)
    run("preview", "--engine", "pulumi")


@heals("correct what it says, or name another with -s")
def test_a_stack_that_the_cli_cannot_make(
    remedy: Told, project_root: Path, fake_pulumi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once what it says is corrected, it is made."""
    monkeypatch.setattr(cli.services.report, "after_up", lambda *_: None)
    executable = pulumi.find(required=True)
    assert executable
    fake_pulumi.set("status", "255")
    remedy(run("up", "--yes", "--engine", "pulumi", status=1))
    fake_pulumi.set("status", "0")
    run("up", "--yes", "--engine", "pulumi")


@heals("use ./dev cancel without --jobs, and cancel the job at the service")
def test_jobs_of_a_state_elsewhere(
    remedy: Told, project_root: Path, fake_pulumi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock can be freed from here."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    remedy.fails(lambda: workspace_of("dev"))
    run("cancel")
    assert fake_pulumi.asked()[-1]["arguments"][0] == "cancel"


# Questions


@heals("give --yes")
@heals("answer y, or give --yes", at="cli/console.py")
def test_a_yes(remedy: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given, or answered."""
    remedy.fails(lambda: want_a_yes("delete it?", yes=False))
    want_a_yes("delete it?", yes=True)
    monkeypatch.setattr(cli.console, "is_interactive", lambda: True)
    answers = iter(("n\n", "y\n"))
    monkeypatch.setattr("sys.stdin.readline", lambda: next(answers), raising=False)
    remedy.fails(lambda: want_a_yes("delete it?", yes=False))
    want_a_yes("delete it?", yes=False)


@heals("look at ./dev preview{}, and give --yes if that is wanted")
def test_a_yes_to_a_deletion(remedy: Told, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preview shows what goes; with a yes it goes."""
    monkeypatch.setattr(cli.services.report, "after_up", lambda *_: None)
    (project_root / "__main__.py").write_text(PROGRAM)
    up = ("up", "--engine", "embedded")
    run(*up)
    (project_root / "__main__.py").write_text("")
    remedy(run(*up, status=1))
    assert "thing" in run("preview", "--engine", "embedded")
    run(*up, "--yes")
    assert "thing" not in (project_root / ".pulumi/stacks/retraining/dev.json").read_text()


@heals("leave out --resume")
@heals("give one of them", at="cli/verbs/tooling/checks.py")
def test_a_campaign_of_its_own(remedy: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that is not resumed begins without; of two one is played."""
    import cli.verbs.tooling.checks

    started: list[Any] = []

    class Campaign:
        def __init__(self, command: Any, **_options: Any) -> None:
            started.append(command)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            return

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(cli.verbs.tooling.checks.subprocess, "Popen", Campaign)
    remedy(run("chaos", "--bindings", "--resume", str(tmp_path), status=1))
    remedy(run("chaos", "--bindings", "--damage", status=1))
    remedy(run("chaos", "--damage", "--kills", status=1))
    assert started == []
    run("chaos", "--bindings")
    run("chaos", "--damage")
    run("chaos", "--kills")
    assert len(started) == 3


@heals("RETRAIN_DEBUG=1 shows where it comes from")
@heals("the traceback is in {}; please report it")
def test_an_error_without_a_remedy(
    remedy: Told, project_root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it comes from is there."""

    class Odd(Exception):
        cause = "it is odd"

    def told_of(error: Exception) -> str:
        def verb() -> None:
            raise error

        with pytest.raises(typer.Exit):
            guarded(verb)()
        return capfd.readouterr().err

    remedy(told_of(Odd()))
    remedy(text := told_of(ZeroDivisionError("by nought")))
    [log] = (project_root / ".local" / "logs").iterdir()
    assert log.name in text
    assert "ZeroDivisionError" in log.read_text()
    monkeypatch.setenv("RETRAIN_DEBUG", "1")
    assert "test_remedies.py" in told_of(Odd())


@heals('write one row to score into it: {"input1": {"column": value}}')
def test_a_row_to_score(remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written as it says."""
    monkeypatch.chdir(tmp_path)
    remedy.fails(lambda: sample_of("mine"))
    (tmp_path / "experiments" / "mine").mkdir(parents=True)
    (tmp_path / "experiments" / "mine" / "sample.json").write_text('{"input1": {"column": 1}}')
    assert sample_of("mine") == {"column": 1}


# The local cloud and the set-up


@heals("use one of: {}", at="cli/cloud/logs.py")
def test_a_log_by_its_name(remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of those that it names."""
    monkeypatch.setenv("RETRAIN_CLOUD_FILE", str(tmp_path / "cloud.json"))
    remedy.fails(lambda: logs.show("sutdio", lines=1, follow=False))
    logs.show("studio", lines=1, follow=False)


@heals("./dev cloud reset, which deletes all local data, then ./dev up", at="cli/cloud/settings.py")
def test_a_cloud_whose_file_is_damaged(remedy: Told, tmp_path: Path) -> None:
    """Reset, it is as it was before its first start."""
    file = tmp_path / "cloud.json"
    file.write_text("{")
    remedy.fails(lambda: settings.load(file))
    Supervisor(file).reset()
    assert settings.load(file) is None


@heals("git checkout requirements-uv.lock")
def test_a_lock_file_that_was_changed(remedy: Told, tmp_path: Path) -> None:
    """As it is in the repository, it is read."""
    lock = tmp_path / "requirements-uv.lock"
    lock.write_text("uv\n")
    remedy.fails(lambda: bootstrap.pinned(lock))
    lock.write_text((bootstrap.ROOT / "requirements-uv.lock").read_text())
    assert bootstrap.pinned(lock)


@heals("name a file that ./dev definition export wrote", at="cli/verbs/settings/definition.py")
@heals("correct the file", at="cli/verbs/settings/definition.py")
def test_a_definitions_file(remedy: Told, tmp_path: Path) -> None:
    """One that is there, is JSON and an object."""
    from cli.verbs.settings.definition import _read

    file = tmp_path / "definition.json"
    remedy.fails(lambda: _read(file))
    file.write_text("[]")
    remedy.fails(lambda: _read(file))
    file.write_text("{")
    remedy.fails(lambda: _read(file))
    file.write_text('{"properties": {}}')
    assert _read(file)


# What only the CLI does


@pytest.mark.parametrize(
    "change",
    [
        {"runtime": "nodejs"},
        {"backend": {"url": "s3://states"}},
    ],
)
@heals("run it with the Pulumi CLI: --engine pulumi", at="backend/workspace.py")
def test_a_project_for_the_cli(
    remedy: Told, project_root: Path, fake_pulumi: Any, change: dict[str, Any]
) -> None:
    """The option hands the run to the CLI."""
    file = project_root / "Pulumi.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | change))
    project.project.cache_clear()
    remedy(run("preview", "--engine", "embedded", status=1))
    run("preview", "--engine", "pulumi")
    assert fake_pulumi.asked()[-1]["arguments"][0] == "preview"


@pytest.mark.parametrize(
    "state",
    [
        pytest.param({"version": 9}, marks=heals("run it with the Pulumi CLI: --engine pulumi", at="backend/checkpoint.py")),
        pytest.param({"secrets": "azurekeyvault"}, marks=heals("run it with the Pulumi CLI: --engine pulumi", at="backend/checkpoint.py")),
        pytest.param({"taint": True}, marks=heals("run it with the Pulumi CLI: --engine pulumi", at="engine/planning/requests.py")),
    ],
)  # fmt: skip
def test_a_state_for_the_cli(
    remedy: Told, project_root: Path, fake_pulumi: Any, state: dict[str, Any]
) -> None:
    """The option hands the run to the CLI."""
    one = {
        "urn": "urn:pulumi:dev::retraining::things:index:Thing::a",
        "type": "things:index:Thing",
        "custom": False,
    }
    taint = {"taint": True} if "taint" in state else {}
    providers = {"secrets_providers": {"type": state["secrets"], "state": {}}} if "secrets" in state else {}
    a_state(project_root, resources=[one | taint], **providers)
    file = project_root / ".pulumi/stacks/retraining/dev.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": state.get("version", 3)}))
    (project_root / "__main__.py").write_text("")
    remedy(run("preview", "--engine", "embedded", status=1))
    run("preview", "--engine", "pulumi")
    assert fake_pulumi.asked()[-1]["arguments"][0] == "preview"
