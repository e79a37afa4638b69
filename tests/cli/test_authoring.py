"""`./dev experiment …` and `./dev data …`: what they write, refuse and leave alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.datasets import load_wine
from typer.testing import CliRunner, Result

from cli.app import build


@pytest.fixture
def project(tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from cli.authoring import files

    monkeypatch.setattr(files, "ROOT", project_root)
    monkeypatch.setattr(files, "EXPERIMENTS", project_root / "experiments")
    load_wine(as_frame=True).frame.to_csv(tmp_path / "wine.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return project_root


def dev(*arguments: str) -> Result:
    return CliRunner().invoke(build(), [*arguments])


def test_an_experiment_is_begun_from_a_table_and_checked(project):
    begun = dev(
        "experiment", "new", "wine", "--from", "wine.csv", "--label", "proline", "--task", "regression"
    )
    assert begun.exit_code == 0, begun.output
    assert "178 rows" in begun.output
    assert {path.name for path in (project / "experiments" / "wine").iterdir()} == {
        *("training.json", "predictive.json", "sample.json", "data.json")
    }
    assert "r2 >= 0" in (project / "Pulumi.wine.yaml").read_text()
    checked = dev("experiment", "check", "wine", "--data", "wine.csv")
    assert "no problem" in checked.output
    assert "flowchart" in dev("experiment", "show", "wine", "--mermaid").output


def test_what_is_there_is_not_written_over_unless_that_is_said(project):
    arguments = ("experiment", "new", "wine", "--from", "wine.csv", "--label", "proline")
    assert dev(*arguments).exit_code == 0
    mine = project / "experiments" / "wine" / "training.json"
    mine.write_text("mine")
    assert dev(*arguments).exit_code == 1
    assert mine.read_text() == "mine"
    assert dev(*arguments, "--force").exit_code == 0
    assert mine.read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("new", "Wine Cellar", "--from", "wine.csv", "--label", "target"), "cannot be an experiment's name"),
        (("new", "../wine", "--from", "wine.csv", "--label", "target"), "cannot be an experiment's name"),
        (("new", "wine", "--from", "beer.csv", "--label", "target"), "cannot be read"),
        (("new", "wine", "--from", "wine.csv", "--label", "targat"), "proanthocyanins, target"),
        (("run", "wine", "--data", "wine.csv"), "no experiment 'wine'"),
        (("show", "../experiments"), "no experiment"),
    ],
)
def test_a_mistake_is_a_line_of_cause_and_one_of_remedy(project, arguments, said):
    refused = dev("experiment", *arguments)
    assert refused.exit_code == 1
    lines = refused.stderr.splitlines()
    assert said in lines[0]
    assert lines[1].startswith("remedy: ")
    assert len(lines) == 2


def test_a_check_that_finds_problems_says_all_of_them_and_fails(project):
    dev("experiment", "new", "wine", "--from", "wine.csv", "--label", "proline")
    folder = project / "experiments" / "wine"
    for part in ("training", "predictive"):
        file = folder / f"{part}.json"
        file.write_text(file.read_text().replace("Select Columns in Dataset", "Choose Columns"))
    found = dev("experiment", "check", "wine")
    assert found.exit_code == 1
    assert found.output.count("Choose Columns") == 2
