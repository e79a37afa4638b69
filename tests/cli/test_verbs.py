"""The verbs, in process: options, what the Pulumi CLI is asked, exit codes, and how errors look."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

import cli.console
import cli.services.report
import cli.verbs.tooling.checks
from backend.checkpoint import now
from cli.app import build
from cli.verbs.tooling.checks import Check

ROOT = Path(__file__).resolve().parents[2]
VERBS = {
    "up",
    "preview",
    "refresh",
    "destroy",
    "output",
    "config",
    "cancel",
    "cloud",
    "pulumi",
    "test",
    "lint",
    "docs",
    "help",
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), arguments)


def a_state(root: Path, stack: str = "dev", **latest: Any) -> None:
    path = root / ".pulumi" / "stacks" / "retraining" / f"{stack}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The outputs that the report after an update was made of."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(cli.services.report, "after_up", lambda outputs, console: seen.append(dict(outputs)))
    return seen


def test_help_shows_every_verb() -> None:
    """`help` and `--help` are the same and name all verbs; `help VERB` shows its options."""
    for arguments in (["help"], ["--help"]):
        result = run(*arguments)
        assert result.exit_code == 0
        assert all(f" {verb} " in result.output for verb in VERBS)
    assert "--expect-no-changes" in run("help", "preview").output


def test_help_imports_nothing_heavy() -> None:
    """Help stays quick because neither Pulumi nor a client, a data or a model library is imported for it."""
    code = "import sys; from cli.app import main\ntry: main(['help'])\nfinally: print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {
        "pulumi",
        "pydantic",
        "azure",
        "requests",
        "pandas",
        "numpy",
        "grpc",
        "yaml",
        "engine",
        "clients",
        "psutil",
    }
    assert not {name for name in heavy if f"'{name}'" in done.stderr}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["preview", "-c", "dataVersion"], "is not key=value"),
        (["preview", "-c", "=2013-01"], "is not key=value"),
        (["preview", "--engine", "terraform"], "terraform"),
        (["preview", "-c", "dataversion=2013-01"], "write retraining:dataVersion"),
        (["config", "set", "seeds", "1"], "write retraining:seed,"),
        (["nothing"], "No such command"),
    ],
)
def test_wrong_options_are_usage_errors(project_root: Path, arguments: list[str], says: str) -> None:
    """A mistyped option, key or verb ends with status 2 and says what is known."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_config_get_and_set(project_root: Path) -> None:
    """`set` writes the stack's file in place, `get` reads it with the defaults of Pulumi.yaml."""
    assert run("config", "get", "dataVersion").output == "2013-01\n"
    assert run("config", "set", "dataVersion", "2013-02").exit_code == 0
    assert (project_root / "Pulumi.dev.yaml").read_text() == (
        "# ours\nconfig:\n  retraining:dataVersion: 2013-02  # a month\n"
    )
    listed = [line.split() for line in run("config", "get").output.splitlines()]
    for line in (["target", "somewhere"], ["dataVersion", "2013-02", "2013-01"], ["seed", "0"]):
        assert line in listed
    assert json.loads(run("config", "get", "--json").output)["retraining:dataVersion"] == "2013-02"
    assert run("stack", "init", "new").exit_code == 0
    run("config", "set", "seed", "5", "-s", "new")
    assert yaml.safe_load((project_root / "Pulumi.new.yaml").read_text()) == {
        "config": {"retraining:seed": "5"}
    }


def test_auto_takes_the_cli_on_path(
    project_root: Path, fake_pulumi: Any, reported: list[dict[str, Any]]
) -> None:
    """With a CLI that is new enough on PATH, `up` runs it without questions, its preview first, and then reports the outputs."""
    assert run("up", "--yes").exit_code == 0
    init, preview, _, up, output = fake_pulumi.asked()
    assert init["arguments"][:4] == ["stack", "init", "dev", "--no-select"]
    assert preview["arguments"][:3] == ["preview", "--stack", "dev"]
    assert up["arguments"][:3] == ["up", "--stack", "dev"]
    assert {"--yes", "--skip-preview", "--non-interactive"} <= set(up["arguments"])
    assert output["arguments"] == ["stack", "output", "--json", "--stack", "dev"]
    assert reported == [{"endpointUrl": "http://127.0.0.1/e", "token": "[secret]"}]


def test_the_clis_environment(project_root: Path, fake_pulumi: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CLI downloads nothing, finds .venv's Python first, and has an empty passphrase unless one is set."""
    run("preview")
    env = fake_pulumi.asked()[-1]["env"]
    assert env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == env["PULUMI_SKIP_UPDATE_CHECK"] == "true"
    assert env["PULUMI_CONFIG_PASSPHRASE"] == ""
    assert env["PATH"].split(":")[0] == str(Path(sys.executable).parent)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/a/file")
    run("preview")
    assert "PULUMI_CONFIG_PASSPHRASE" not in fake_pulumi.asked()[-1]["env"]


def test_configuration_of_one_run_reaches_the_cli_and_not_the_file(
    project_root: Path, fake_pulumi: Any
) -> None:
    """-c goes into a copy that the CLI is given, with the state's salt; the stack's own file stays as it is."""
    before = (project_root / "Pulumi.dev.yaml").read_bytes()
    a_state(project_root, secrets_providers={"type": "passphrase", "state": {"salt": "v1:s"}})
    assert run("preview", "-c", "dataVersion=2013-03", "-c", "seed=4").exit_code == 0
    (preview,) = fake_pulumi.asked()
    assert yaml.safe_load(preview["config"]) == {
        "config": {"retraining:dataVersion": "2013-03", "retraining:seed": "4"},
        "encryptionsalt": "v1:s",
    }
    assert not Path(preview["arguments"][preview["arguments"].index("--config-file") + 1]).exists()
    assert (project_root / "Pulumi.dev.yaml").read_bytes() == before


def test_options_of_preview_reach_the_cli(project_root: Path, fake_pulumi: Any) -> None:
    """--refresh, --expect-no-changes, --diff and --json are the CLI's own; its failure is ours."""
    a_state(project_root)
    fake_pulumi.set("status", "255")
    result = run("preview", "-s", "dev", "--refresh", "--expect-no-changes", "--diff", "--json")
    assert {"--refresh", "--expect-no-changes", "--diff", "--json"} <= set(
        fake_pulumi.asked()[0]["arguments"]
    )
    assert result.exit_code == 1


def test_taking_over_reaches_the_cli_by_its_environment(project_root: Path, fake_pulumi: Any) -> None:
    """Program and providers get it from there."""
    a_state(project_root)
    run("preview", "--take-over")
    run("preview")
    first, second = (call["env"].get("RETRAIN_TAKE_OVER") for call in fake_pulumi.asked())
    assert (first, second) == ("1", None)


def test_a_cli_that_is_too_old_is_refused_by_name(project_root: Path, fake_pulumi: Any) -> None:
    """--engine pulumi with an old CLI names its version and the oldest that works."""
    fake_pulumi.set("version", "v3.99.1")
    result = run("preview", "--engine", "pulumi")
    assert result.exit_code == 1
    assert "error: the Pulumi CLI on PATH is v3.99.1, and 3.200.0 is the oldest that works" in result.output
    assert fake_pulumi.asked() == []


def test_without_a_cli_the_error_says_how_to_go_on(
    project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`./dev pulumi` without a CLI on PATH is one line of cause and one of remedy."""
    monkeypatch.setenv("PATH", "/nowhere")
    result = run("pulumi", "up")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "error: the Pulumi CLI isn't on PATH",
        "remedy: install the Pulumi CLI and put it on PATH, or use the embedded engine: --engine embedded",
    ]


def test_pulumi_passes_everything_on(project_root: Path, fake_pulumi: Any) -> None:
    """`./dev pulumi ARGS` hands over arguments, options included, and the exit status."""
    fake_pulumi.set("status", "3")
    assert run("pulumi", "stack", "ls", "--json", "--help").exit_code == 1
    assert [call["arguments"] for call in fake_pulumi.asked()] == [["stack", "ls", "--json", "--help"]]


def test_the_lock_of_a_dead_process_is_freed_with_a_warning(project_root: Path, fake_pulumi: Any) -> None:
    """Before the CLI runs, a lock whose process on this host has ended goes; locks of others stay."""
    a_state(project_root)
    locks = project_root / ".pulumi" / "locks" / "organization" / "retraining" / "dev"
    locks.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    here = socket.gethostname()
    for name, pid, host in (
        ("dead", ended.pid, here),
        ("alive", os.getpid(), here),
        ("elsewhere", ended.pid, "far"),
    ):
        content = {"pid": pid, "username": "me", "hostname": host, "timestamp": now()}
        (locks / f"{name}.json").write_text(json.dumps(content))
    result = run("preview")
    assert f"warning: freed the lock of a run that is dead: me@{here} (process {ended.pid})" in result.output
    assert sorted(path.stem for path in locks.iterdir()) == ["alive", "elsewhere"]


def test_ctrl_c_reaches_the_cli_once(project_root: Path, fake_pulumi: Any) -> None:
    """An interrupted run tells the CLI once, waits for its end, and exits with 130."""
    a_state(project_root)
    fake_pulumi.set("waits", "")
    code = f"""
import sys, pathlib
sys.path.insert(0, {str(ROOT)!r})
from cli import project
from cli.runners import pulumi
for module in (project, pulumi):
    module.ROOT = pathlib.Path({str(project_root)!r})
from cli.app import main
main(["up", "--engine", "pulumi"])
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as up:
        assert up.stdout is not None
        assert "training\n" in iter(up.stdout.readline, "")
        up.send_signal(signal.SIGINT)
        assert up.stdout.read() == "cancelled once\n"
    assert up.returncode == 130


def test_output_of_a_stack_that_was_never_deployed(project_root: Path, fake_pulumi: Any) -> None:
    """It says what to run, and asks no engine."""
    result = run("output")
    assert (result.exit_code, fake_pulumi.asked()) == (1, [])
    assert result.output == "error: the stack dev was never deployed\nremedy: ./dev up -s dev\n"


def test_output_shows_all_one_or_says_what_there_is(project_root: Path, fake_pulumi: Any) -> None:
    """All outputs as a list or JSON, one by name; an unknown name gets the known ones."""
    a_state(project_root)
    assert run("output", "endpointUrl").output == "http://127.0.0.1/e\n"
    assert run("output").output == "endpointUrl  http://127.0.0.1/e\ntoken        [secret]\n"
    assert json.loads(run("output", "--json").output)["token"] == "[secret]"
    result = run("output", "url")
    assert result.exit_code == 1
    assert "remedy: use one of: endpointUrl, token" in result.output


def test_keys_are_fetched_only_on_demand(
    project_root: Path, fake_pulumi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--show-secrets adds what the services answer now."""
    a_state(project_root)
    monkeypatch.setattr(cli.services.report, "secret_outputs", lambda outputs: {"endpointKey": "k3y"})
    assert "k3y" not in run("output").output
    assert run("output", "endpointKey", "--show-secrets").output == "k3y\n"


def test_on_a_terminal_the_cli_asks(
    project_root: Path, fake_pulumi: Any, reported: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody can answer, the plan is shown and asked about; --yes spares that, and --json needs it."""
    monkeypatch.setattr(cli.console, "is_interactive", lambda: True)
    a_state(project_root)
    refused = run("up")
    assert refused.exit_code == 1
    assert "not confirmed, so nothing was done" in refused.output
    assert [call["arguments"][0] for call in fake_pulumi.asked()] == ["preview"]
    assert run("up", "--json").exit_code == 2
    assert run("up", "--json", "--yes").exit_code == 0
    preview, update = fake_pulumi.asked()[-2:]
    assert preview["arguments"][0] == "preview"
    assert {"--yes", "--json", "--skip-preview"} <= set(update["arguments"])


def test_a_failing_check_does_not_hide_the_next(capfd: pytest.CaptureFixture[str]) -> None:
    """All checks run, the failed ones are named, and the status is 1."""
    checks = [
        (name, [sys.executable, "-c", f"raise SystemExit({code})"]) for name, code in (("a", 3), ("b", 0))
    ]
    assert cli.verbs.tooling.checks.run_all(checks) == 1
    assert capfd.readouterr().err.splitlines() == ["== a", "== b", "failed: a"]
    assert cli.verbs.tooling.checks.run_all(checks[1:]) == 0


def test_a_check_beside_others_is_told_whole_and_fails_all(capfd: pytest.CaptureFixture[str]) -> None:
    """Both its outputs are shown under its name, and it is named at the end."""
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(2)"
    beside, well = ("aside", [sys.executable, "-c", code]), ("b", [sys.executable, "-c", ""])
    assert cli.verbs.tooling.checks.run_all([well], beside=[beside]) == 1
    told = capfd.readouterr().err
    assert "\n== aside\nout\nerr\n" in told
    assert told.splitlines()[-1] == "failed: aside"
    assert cli.verbs.tooling.checks.run_all([well], beside=[well]) == 0


def test_a_check_beside_others_does_not_wait_for_them(tmp_path: Path) -> None:
    """Each of the two ends when the other has begun."""
    here, there = tmp_path / "here", tmp_path / "there"
    meeting = "import pathlib, sys, time; a, b = map(pathlib.Path, sys.argv[1:]); a.touch()\nwhile not b.exists(): time.sleep(0.01)"
    checks = [
        (name, [sys.executable, "-c", meeting, str(mine), str(other)])
        for name, mine, other in (("a", here, there), ("b", there, here))
    ]
    assert cli.verbs.tooling.checks.run_all(checks[:1], beside=checks[1:]) == 0


def test_test_runs_linters_and_all_tests_or_just_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments `test` is lint and everything; with some it is pytest with these, four at a time."""
    ran: list[list[str]] = []
    scripts = f"{Path(sys.executable).parent}/"

    def note(checks: Sequence[Check], beside: Sequence[Check]) -> int:
        commands = [" ".join(each[1]).removeprefix(f"{sys.executable} -m ") for each in (*beside, *checks)]
        ran.append([command.removeprefix(scripts) for command in commands])
        return 0

    monkeypatch.setattr(cli.verbs.tooling.checks, "run_all", note)
    assert (
        run("test").exit_code
        == run("test", "tests/unit", "-x").exit_code
        == run("test", "-n0").exit_code
        == 0
    )
    assert ran == [
        [
            "ruff check",
            "ruff format --check",
            "mypy",
            "lint-imports --no-logo",
            "pytest -n 4 --dist loadgroup",
        ],
        ["pytest -n 4 --dist loadgroup tests/unit -x"],
        ["pytest -n0"],
    ]


def test_a_stacks_state_is_exported_imported_listed_and_removed(project_root: Path, tmp_path: Path) -> None:
    """By file or by pipe, without the Pulumi CLI; what is no state is one line of cause and one of remedy."""
    a_state(project_root, manifest={"time": "2026-11-21T13:30:47Z"}, resources=[])
    exported = run("stack", "export").output
    assert json.loads(exported)["deployment"]["manifest"]["time"] == "2026-11-21T13:30:47Z"
    file = tmp_path / "exported.json"
    assert run("stack", "export", "--file", str(file)).exit_code == 0
    assert run("stack", "import", "-s", "other", "--file", str(file)).exit_code == 0
    assert CliRunner().invoke(build(), ["stack", "import", "-s", "third"], input=exported).exit_code == 0
    listed = json.loads(run("stack", "ls", "--json").output)
    assert [each["name"] for each in listed] == ["dev", "other", "third"]
    assert run("stack", "rm", "-s", "other", "--yes").output == "removed other\n"
    assert "third" in run("stack", "ls").output
    file.write_text("no JSON")
    result = run("stack", "import", "--file", str(file))
    assert result.exit_code == 1
    assert "holds no exported state" in result.output
