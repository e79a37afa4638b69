"""What is offered at the prompt besides verbs and options: stacks, run keys, settings, experiments.

A key press waits for it, so that nothing is asked of a service: run keys are those of the stacks' states on this machine and
those that `./dev runs` listed last.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

VARIABLE = "_DEV_COMPLETE"
_DIGITS = 12
_KEY = re.compile(r'"runKey": ?"([0-9a-f]{64})"')


class Shell(StrEnum):
    """The shells that there is completion for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def script(shell: Shell) -> str:
    """What a shell is told, for `./dev` of whichever checkout it is asked in."""
    from typer._completion_shared import get_completion_script

    told = get_completion_script(prog_name="dev", complete_var=VARIABLE, shell=shell.value)
    match shell:
        case Shell.zsh:
            return told.replace("=complete_zsh dev", "=complete_zsh ${words[1]}")
        case Shell.fish:
            return told.replace("(commandline -cp) dev", "(commandline -cp) (commandline -opc)[1]")
        case _:
            return told


def get_ready() -> None:
    """Where a shell asks, let it be answered in its own way."""
    if VARIABLE in os.environ:
        from typer._completion_classes import completion_init

        completion_init()


def stacks(incomplete: str) -> list[str]:
    """Stacks that have a file."""
    from cli.stacks.names import with_files

    return _starting(with_files(), incomplete)


def settings(incomplete: str) -> list[str]:
    """The keys of the configuration."""
    from cli.project import declared_keys

    return _starting(sorted(declared_keys()), incomplete)


def experiments(incomplete: str) -> list[str]:
    """The folders below experiments/."""
    from cli.project import ROOT

    return _starting(sorted(path.name for path in (ROOT / "experiments").glob("*/")), incomplete)


def run_keys(incomplete: str) -> list[str]:
    """The first digits of run keys that are known on this machine."""
    found: dict[str, None] = {}
    for file in _places():
        with suppress(OSError):
            text = file.read_text(encoding="utf-8", errors="replace")
            found |= dict.fromkeys(_KEY.findall(text) if file.suffix == ".json" else text.split())
    return _starting((key[:_DIGITS] for key in found), incomplete)


def remember(keys: Iterable[str]) -> None:
    """Keep run keys for `run_keys`; where that can't be, nothing is lost but them."""
    with suppress(OSError):
        file = _listed()
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(f"{key}\n" for key in keys), encoding="utf-8")


def _places() -> list[Path]:
    from cli.project import ROOT

    named = os.environ.get("PULUMI_BACKEND_URL", "")
    folder = Path(named.removeprefix("file://")) if named.startswith("file://") else ROOT
    return [*sorted(folder.glob(".pulumi/stacks/**/*.json")), _listed()]


def _listed() -> Path:
    from cli.project import ROOT

    return ROOT / ".local" / "run-keys"


def _starting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
