"""What ends a verb is told in two lines; the traceback of what nobody expected is kept from the terminal."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import typer

from cli.errors import CliError
from cli.guard import guarded


def test_errors_are_two_lines_and_unexpected_ones_keep_their_traceback(
    project_root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A known error is cause and remedy; an unexpected one names a file with the traceback, kept from the terminal."""

    def ends(error: BaseException) -> tuple[int, list[str]]:
        def verb() -> None:
            raise error

        with pytest.raises(Exception) as left:
            guarded(verb)()
        return left.value.exit_code, capsys.readouterr().err.splitlines()  # type: ignore[attr-defined]

    assert ends(CliError("it is\nso", "do that")) == (1, ["error: it is so", "remedy: do that"])
    assert ends(KeyboardInterrupt()) == (130, ["cancelled"])
    status, lines = ends(ZeroDivisionError("by nought"))
    assert (status, lines[0]) == (1, "error: unexpected: ZeroDivisionError: by nought")
    (log,) = (project_root / ".local" / "logs").iterdir()
    assert log.name in lines[1]
    assert "ZeroDivisionError" in log.read_text()
    for number in range(30):
        (log.parent / f"error-19700101-{number:06}-x.log").touch()
    ends(ZeroDivisionError("again"))
    assert log.is_file()
    assert len(list(log.parent.iterdir())) == 20
    monkeypatch.setenv("RETRAIN_DEBUG", "1")
    assert "Traceback (most recent call last):" in ends(CliError("a", "b"))[1]


def test_where_the_project_cannot_be_written_a_traceback_is_kept_elsewhere(
    project_root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No traceback reaches the terminal for want of a place."""
    (project_root / ".local").write_text("no folder")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def verb() -> None:
        raise ZeroDivisionError("by nought")

    with pytest.raises(typer.Exit):
        guarded(verb)()
    (log,) = tmp_path.glob("error-*.log")
    assert log.name in capsys.readouterr().err
