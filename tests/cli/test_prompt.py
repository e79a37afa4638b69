"""What helps at the prompt: an example in each help, completion in a real shell, and what is meant by a mistyped word."""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.app import build, main
from cli.guidance import completing
from cli.guidance.completing import Shell, remember, run_keys, script
from cli.guidance.examples import EXAMPLES
from tests.healing import Told

ROOT = Path(__file__).resolve().parents[2]
TREE: Any = typer.main.get_command(build())
KEY = "60f0729650ae" + "0" * 52
_SHOWN = re.compile(r"Example: (?P<line>.*?\./dev .+)$", re.MULTILINE)


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """All verbs, groups included, with their commands."""
    for name, each in getattr(command, "commands", {}).items():
        yield " ".join((*path, name)), each
        yield from walk(each, (*path, name))


VERBS = dict(walk(TREE))


def examples(verb: str) -> list[str]:
    """What the help of a verb gives as examples, each on one line."""
    help_ = " ".join((VERBS[verb].help or "").split()), *(VERBS[verb].epilog or "").split("\n\n")
    return [found["line"].replace(r"\[", "[") for text in help_ if (found := _SHOWN.search(text))]


def parse(command: Any, words: list[str], name: str = "./dev") -> None:
    """Read a command line as far as it goes before the verb is called. Raises what the verb's user would be told."""
    with command.make_context(name, words) as context:
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        if getattr(command, "commands", None) and rest:
            called, found, more = command.resolve_command(context, rest)
            parse(found, more, called)


@pytest.mark.parametrize("verb", VERBS)
def test_each_help_has_an_example_that_is_read(verb: str) -> None:
    """It is of that verb, and a command line that the verb takes."""
    found = examples(verb)
    assert found, (
        f"./dev {verb} -h shows no example: write one in its words (Example: ./dev …), or into cli/guidance/examples.py"
    )
    for line in found:
        words = shlex.split(line)
        given = words[words.index("./dev") + 1 :]
        assert given[: len(verb.split())] == verb.split()
        parse(TREE, given)


@pytest.mark.parametrize(
    "line", ["up --stak dev", "cloud strat", "config set kind", "runs show", "data put a --version 1"]
)
def test_an_example_that_is_wrong_would_be_found(line: str) -> None:
    """They are read as far as a verb's last option."""
    with pytest.raises(Exception, match=r"No such|Missing"):
        parse(TREE, line.split())


def test_no_example_is_of_a_verb_that_there_is_not() -> None:
    """A verb that is renamed takes its examples along."""
    assert EXAMPLES.keys() <= VERBS.keys()


@pytest.mark.heals("did you mean {}? Else {}", at="cli/guidance/usage.py")
@pytest.mark.heals("see {} -h for what there is", at="cli/guidance/usage.py")
def test_what_is_advised_about_a_command_line_is_right(
    capsys: pytest.CaptureFixture[str], remedy: Told
) -> None:
    """What is meant is taken, and the help that is named shows what is missing."""
    for words in (["cloud", "strat"], ["config", "set", "kind"]):
        with pytest.raises(SystemExit):
            main(words)
        remedy(capsys.readouterr().err)
    parse(TREE, ["cloud", "start"])
    with pytest.raises(SystemExit):
        main(["config", "set", "-h"])
    assert "{value}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "cause", "meant"),
    [
        (["upp"], "No such command 'upp'", "did you mean up?"),
        (["cloud", "strat"], "No such command 'strat'", "did you mean start or status?"),
        (["up", "--stak", "dev"], "No such option: --stak", "did you mean --stack or --steps?"),
        (["runs", "shwo", "60f0"], "No such command 'shwo'", "did you mean show?"),
        (["config", "set", "kind"], "Missing argument 'value'", "see ./dev config set -h"),
        (["preview", "--engine", "bash"], "'bash' is not one of", "see ./dev preview -h"),
        (["entirely-else"], "No such command 'entirely-else'", "see ./dev -h"),
    ],
)
def test_a_mistyped_word_is_told_with_what_is_meant(
    capsys: pytest.CaptureFixture[str], words: list[str], cause: str, meant: str
) -> None:
    """One line of cause, one of remedy, and status 2."""
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("error: ")
    assert cause in first
    assert second.startswith("remedy: ")
    assert meant in second


def in_bash(*words: str) -> list[str]:
    """What bash offers after these words, by the script that is printed for it."""
    code = f"""
eval "$(./dev completion bash)"
words=({" ".join(map(shlex.quote, words))})
COMP_WORDS=("${{words[@]}}") COMP_CWORD=$((${{#words[@]}} - 1)) COMPREPLY=()
complete -p dev >/dev/null || exit 1
_dev_completion "${{words[0]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [word.strip() for word in done.stdout.splitlines() if word.strip()]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on PATH")
def test_bash_completes_verbs_options_and_what_there_is() -> None:
    """With the script that is printed, in a real shell."""
    assert in_bash("./dev", "appr") == ["approve"]
    assert in_bash("./dev", "cloud", "sta") == ["start", "status"]
    assert "--stack" in in_bash("./dev", "up", "--st")
    assert in_bash("./dev", "preview", "-s", "tum") == ["tumours"]
    assert in_bash("./dev", "config", "set", "gateR") == ["gateRules"]
    assert in_bash("./dev", "experiment", "check", "fl") == ["flights"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_their_script(shell: str) -> None:
    """Where there is one: its syntax is right."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on PATH")
    subprocess.run([shell, "-n"], input=script(Shell(shell)), text=True, check=True)


@pytest.mark.parametrize(
    ("shell", "environ", "offered"),
    [
        ("zsh", {}, "start"),
        ("fish", {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}, "start"),
    ],
)
def test_other_shells_are_answered(shell: str, environ: dict[str, str], offered: str) -> None:
    """As their scripts ask: the checkout that is typed answers, whichever it is."""
    told = script(Shell(shell))
    assert f"_DEV_COMPLETE=complete_{shell} " in told
    assert not re.search(rf"complete_{shell} [^\n]*\bdev\)", told)
    done = subprocess.run(
        ["./dev"], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, **environ, "_DEV_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "./dev cloud sta"},
    )  # fmt: skip
    assert offered in done.stdout
    assert "reset" not in done.stdout


def test_a_key_press_takes_less_than_a_third_of_a_second_of_the_processor() -> None:
    """And brings none of the libraries that verbs work with."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        ["./dev"], cwd=ROOT, capture_output=True, check=True,
        env={**os.environ, "_DEV_COMPLETE": "complete_bash", "COMP_WORDS": "./dev up -s de", "COMP_CWORD": "3"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime < 0.33


def test_a_checkout_that_is_not_set_up_offers_nothing(tmp_path: Path) -> None:
    """A key press does not install a gigabyte."""
    for name in ("dev", "requirements.lock", "requirements-uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(
        ["./dev"], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "_DEV_COMPLETE": "complete_bash"},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("", "")
    assert not (tmp_path / ".venv").exists()


def test_run_keys_are_those_of_states_and_of_the_last_list(
    project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked of a service; what can't be read offers nothing."""
    assert run_keys("") == []
    state = project_root / ".pulumi/stacks/retraining/dev.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"resources": [{"outputs": {"candidate": {"runKey": KEY}}}]}, indent=4))
    remember(["a" * 64, "6" * 64, KEY])
    assert run_keys("") == [KEY[:12], "a" * 12, "6" * 12]
    assert run_keys("6") == [KEY[:12], "6" * 12]
    (project_root / ".local/run-keys").unlink()
    assert run_keys("6") == [KEY[:12]]
    monkeypatch.setattr(completing, "_listed", lambda: project_root / "Pulumi.yaml" / "no folder")
    remember(["b" * 64])
