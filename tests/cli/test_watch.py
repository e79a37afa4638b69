"""`./dev watch` as it is typed: what it says without triggers, pauses, the history, and the verbs that it runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.app import build
from cli.options import Engine
from cli.watching import deploying
from cli.watching.deploying import Failed, Verbs


def run(*arguments: str) -> int:
    """The exit status of a command line."""
    with pytest.raises(SystemExit) as left:
        build()(["watch", *arguments], prog_name="./dev")
    return int(left.value.code or 0)


def declare(root: Path, *lines: str) -> None:
    yaml = root / "Pulumi.yaml"
    if "triggers" not in yaml.read_text():
        yaml.write_text(
            yaml.read_text() + "  triggers: {type: array, items: {type: object}, default: []}\n"
            "  watchPolicy: {type: string, default: ask}\n"
        )
    from cli import project

    project.project.cache_clear()
    (root / "Pulumi.dev.yaml").write_text("config:\n" + "".join(f"  retraining:{line}\n" for line in lines))


@pytest.mark.parametrize("options", [("--once",), ("--once", "--dry-run"), ("--dry-run",), ()])
def test_a_stack_without_triggers_is_told_how_to_declare_some(
    project_root: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    """That is no failure: nothing is watched, nothing is written."""
    declare(project_root, "dataVersion: 2013-01")
    assert run("-s", "dev", *options) == 0
    err = capsys.readouterr().err
    assert "declares no triggers" in err
    assert "newData: {every: 15m}" in err
    assert not (project_root / ".local").exists()


@pytest.mark.parametrize("options", [("--once",), ("--once", "--dry-run")])
def test_a_stack_that_was_never_deployed_is_left_alone(
    project_root: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    """It says what comes first."""
    declare(project_root, "triggers: [{age: 30d}]")
    assert run(*options) == 0
    assert "./dev up -s dev comes first" in capsys.readouterr().err


def test_what_is_wrong_with_triggers_is_said_before_anything(
    project_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line of cause and one of remedy."""
    for wrong, said in (
        ("triggers: [{cron: 0 3 30 2 *}]", "triggers[0]: cron: '0 3 30 2 *' never comes"),
        ("triggers: [{age: 1d}, {age: 24h}]", "declared twice"),
        ("watchPolicy: yes", "watchPolicy: 'yes' is not one of auto, ask, never"),
    ):
        declare(project_root, wrong)
        assert run("--once", "--dry-run") == 1
        cause, remedy = capsys.readouterr().err.strip().splitlines()
        assert said in cause
        assert remedy.startswith("remedy: ")


def test_pause_resume_and_history(project_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pause is kept until it is over or ended; the history is a line of JSON each; two of them at once are refused."""
    declare(project_root, "triggers: [{age: 30d}]")
    folder = project_root / ".local/watch/dev"
    assert run("--pause", "2h") == 0
    assert (folder / "paused.json").exists()
    assert run("--once") == 0
    assert "paused until" in capsys.readouterr().err
    assert run("--resume") == 0
    assert not (folder / "paused.json").exists()
    assert run("--pause", "soon") == 1
    assert run("--pause", "2h", "--history") == 2
    (folder / "history.jsonl").write_text('{"outcome": "applied"}\n')
    capsys.readouterr()
    assert run("--history") == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [{"outcome": "applied"}]


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Puts a script in the place of `python -m cli`, in a process of its own; what it was asked."""
    started, popen = [], subprocess.Popen

    def put(script: str) -> list[list[str]]:
        def start(command: list[str], **options: Any) -> Any:
            assert options["start_new_session"]
            started.append(command[3:])
            return popen([sys.executable, "-c", script], **options | {"cwd": tmp_path})

        monkeypatch.setattr(deploying.subprocess, "Popen", start)
        return started

    return put


def test_previews_and_updates_are_the_verbs_themselves(verb: Any) -> None:
    """With this run's configuration, the expected key and nobody to ask."""
    asked = verb("""print('{"steps": []}')""")
    verbs = Verbs("dev", Engine.embedded)
    assert verbs.preview({"force": "watch-1"}).keys == {}
    verbs.up({}, ["--expect", "abcdef1"])
    common = ["--stack", "dev", "--engine", "embedded"]
    assert asked == [
        ["preview", *common, "--json", "--config", "force=watch-1"],
        ["up", *common, "--expect", "abcdef1"],
    ]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("import sys; print('error: a\\nremedy: b', file=sys.stderr); sys.exit(1)", "a remedy: b"),
        ("""print('{"failures": ["c"]}'); raise SystemExit(1)""", "c"),
        ("raise SystemExit(1)", "./dev preview failed"),
        ("print('no JSON')", "told nothing that can be read"),
    ],
)
def test_why_a_preview_failed(verb: Any, script: str, why: str) -> None:
    """Its own words, in a line."""
    verb(script)
    with pytest.raises(Failed, match=why):
        Verbs("dev", Engine.auto).preview({})


def test_an_interrupt_reaches_an_update_once(verb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends in order, and so does the watch."""
    verb(
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit('stopped in order'))\n"
        "print('training', file=sys.stderr, flush=True)\n"
        "signal.pause()"
    )

    def interrupt(line: str, **_options: Any) -> None:
        if "training" in line:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(deploying, "print", interrupt, raising=False)
    with pytest.raises(KeyboardInterrupt):
        Verbs("dev", Engine.auto).up({}, ())
