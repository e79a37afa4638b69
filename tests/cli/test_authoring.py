"""`./dev experiment …` and `./dev data …`: what they write, refuse and leave alone."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from sklearn.datasets import load_wine
from typer.testing import CliRunner, Result

from cli.app import build
from cli.reference import schemas
from tests.unit.fakes import MemoryContainer


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
    stack = (project / "Pulumi.wine.yaml").read_text()
    assert "r2 >= 0" in stack
    assert stack.startswith("# yaml-language-server: $schema=schemas/stack.json\n")
    Draft7Validator(schemas.stack()).validate(yaml.safe_load(stack))
    for part in ("training", "predictive"):
        text = (project / "experiments" / "wine" / f"{part}.json").read_text()
        assert '"$schema": "../../schemas/experiment.json"' in text
        Draft7Validator(schemas.experiment()).validate(json.loads(text))
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


SHOP = pd.DataFrame(
    {
        "sold": [f"2024-01-{day % 28 + 1:02d}" for day in range(40)],
        "size": ["?" if row % 9 == 0 else f"{row % 7}.5" for row in range(40)],
        "code": [f"{row % 3}" for row in range(40)],
        "gone": [row % 2 for row in range(40)],
    }
)


def test_what_is_inferred_of_a_table_is_shown_and_written_once(project):
    """Dates and marks of missing values are told; with the marks the numbers are numbers, here and in training.json."""
    SHOP.to_csv("shop.csv.gz", index=False)
    arguments = ("experiment", "new", "shop", "--from", "shop.csv.gz", "--label", "gone")
    begun = dev(*arguments)
    assert "2024-01-01 to 2024-01-28" in begun.output
    assert "5 times '?'" in begun.output
    assert dev(*arguments, "--missing", "?", "--force").exit_code == 0
    folder = project / "experiments" / "shop"
    node = json.loads((folder / "training.json").read_text())["nodes"]["data"]
    assert node == {"input": "input1", "types": {"size": "Double"}, "missing": ["?"]}
    assert json.loads((folder / "predictive.json").read_text())["nodes"]["data"] == node
    assert "dataPath: shop/{version}.csv.gz" in (project / "Pulumi.shop.yaml").read_text()
    ran = dev("experiment", "run", "shop", "--data", "shop.csv.gz")
    assert ran.exit_code == 0, ran.output


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> MemoryContainer:
    from cli.authoring import data

    found = MemoryContainer("data")
    monkeypatch.setattr(data, "_container", lambda _stack: found)
    return found


def test_a_folder_of_parts_is_stored_shown_and_compared_as_one_version(project, container):
    """Parts in the order of their names, without markers; each with its rows; types as the file says them."""
    folder = Path("parts")
    folder.mkdir()
    for part in (0, 1):
        SHOP.iloc[part::2].to_parquet(folder / f"part-{part}.parquet", index=False)
    (folder / "_SUCCESS").write_bytes(b"")
    put = ("data", "put", "shop/{version}/", "parts", "--version")
    stored = dev(*put, "v1")
    assert stored.exit_code == 0, stored.output
    assert "2 parts, 40 rows, 4 columns" in stored.output
    assert "types: sold String (dates), size String, code String, gone Int32" in stored.output
    assert sorted(container.blobs) == ["shop/v1/part-0.parquet", "shop/v1/part-1.parquet"]
    assert container.metadata["shop/v1/part-0.parquet"] == {"rows": "20"}
    assert "with the same bytes" in dev(*put, "v1").output
    SHOP.iloc[:4].to_parquet(folder / "part-2.parquet", index=False)
    assert "other bytes" in dev(*put, "v1").output
    assert dev(*put, "v2").exit_code == 0
    assert "44" in dev("data", "diff", "shop/{version}/", "v1", "v2").output
    assert "44 rows" in dev("data", "show", "shop/{version}/").output
    SHOP.assign(gone="x").to_parquet(folder / "part-2.parquet", index=False)
    refused = dev(*put, "v3")
    assert "part-2.parquet has String in the column 'gone', and part-0.parquet has Int64" in refused.stderr
    assert not [name for name in container.blobs if "/v3/" in name]
    container.put("shop/v2/part-9.parquet", b"no table")
    SHOP.to_parquet(folder / "part-2.parquet", index=False)
    stored = dev(*put, "v3")
    assert stored.exit_code == 0, stored.output
    assert "it is not compared with v2: shop/v2/part-9.parquet is not Parquet" in stored.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wrong.parquet", "is not Parquet, as its name says"),
        ("broken.parquet", "is cut off: Parquet's end is not there"),
        ("wrong.csv", "is a Parquet file"),
        ("wrong.csv.gz", "is not compressed (gzip), as its name says"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_not_stored(project, container, name, said):
    """Nor begun an experiment from, nor run."""
    SHOP.to_parquet("whole.parquet")
    content = {
        "wrong.csv": Path("whole.parquet").read_bytes(),
        "broken.parquet": Path("whole.parquet").read_bytes()[:-9],
    }
    Path(name).write_bytes(content.get(name, b"a,b\n1,2\n"))
    path = "shop/{version}" + name.removeprefix("wrong").removeprefix("broken")
    for arguments in (
        ("data", "put", path, name, "--version", "v1"),
        ("experiment", "new", "shop", "--from", name, "--label", "b"),
    ):
        refused = dev(*arguments)
        assert said in refused.stderr
        assert len(refused.stderr.splitlines()) == 2
    assert container.blobs == {}
