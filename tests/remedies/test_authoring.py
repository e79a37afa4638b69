"""What `./dev experiment` and `./dev data` refuse, and the command that their remedies ask for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from typer.testing import CliRunner

from cli.app import build
from tests.cli.conftest import project_root  # noqa: F401  # a project in place of this one
from tests.unit.fakes import MemoryContainer

EXPERIMENT, FILES, DATA = "cli/authoring/experiment.py", "cli/authoring/files.py", "cli/authoring/data.py"
CHOOSING = "authoring/choosing.py"
NEW = "experiment new petals --from petals.csv --label width"
PUT = "data put petals/{version}.csv --version v1 petals.csv"


@pytest.fixture
def bench(tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """Tables in the working directory, a project of its own, and a container in memory."""
    from cli.authoring import data, files

    monkeypatch.setattr(files, "ROOT", project_root)
    monkeypatch.setattr(files, "EXPERIMENTS", project_root / "experiments")
    container = MemoryContainer()
    monkeypatch.setattr(data, "_container", lambda _stack: container)
    frame = load_iris(as_frame=True).frame.iloc[:, 2:4].set_axis(["length", "width"], axis=1)
    frame.to_csv(tmp_path / "petals.csv", index=False)
    frame.iloc[:140].to_csv(tmp_path / "fewer.csv", index=False)
    frame[["width"]].to_csv(tmp_path / "alone.csv", index=False)
    frame.assign(length="long").to_csv(tmp_path / "texts.csv", index=False)
    frame.assign(width=[math.inf, *frame["width"][1:]]).to_csv(tmp_path / "infinite.csv", index=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "parts").mkdir()
    for number in (1, 2):
        frame.iloc[number::2].to_csv(tmp_path / "parts" / f"{number}.csv", index=False)
    (tmp_path / "none.txt").write_bytes(b"a,b\n1,2\n")
    frame.assign(width=1).to_csv(tmp_path / "alike.csv", index=False)
    frame.to_csv(tmp_path / "semicolons.csv", index=False, sep=";")
    frame.astype(str).map(lambda cell: cell.replace(".", ",")).to_csv(tmp_path / "commas.csv", index=False)
    own = project_root / "experiments" / "own"
    own.mkdir(parents=True)
    (own / "job.yml").write_text("command: python train.py\n")
    monkeypatch.chdir(tmp_path)
    return project_root


def run(command: str) -> Any:
    return CliRunner().invoke(build(), command.split())


def case(remedy: str, before: list[str], wrong: str, right: str, *, at: str) -> Any:
    mark = pytest.mark
    return pytest.param(before, wrong, right, marks=mark.heals.with_args(remedy, at=at), id=remedy[:50])


@pytest.mark.parametrize(
    ("before", "wrong", "right"),
    [
        case(
            "give a table with columns that tell the label",
            [],
            NEW.replace("petals.csv", "alone.csv"),
            NEW,
            at=EXPERIMENT,
        ),
        case(
            "correct the module's parameters, or the table",
            [NEW],
            "experiment run petals --data infinite.csv",
            "experiment run petals --data petals.csv",
            at=EXPERIMENT,
        ),
        case(
            "correct the table, or the types in the input of training.json",
            [NEW],
            "experiment run petals --data texts.csv",
            "experiment run petals --data petals.csv",
            at=FILES,
        ),
        case(
            "name a file that holds a table, or a folder of its parts",
            [],
            NEW.replace("petals.csv", "empty"),
            NEW.replace("petals.csv", "parts"),
            at=FILES,
        ),
        case(
            "./dev experiment new NAME --from TABLE",
            [NEW],
            "experiment check petal",
            "experiment check petals",
            at=FILES,
        ),
        case(
            "./dev up -s STACK with kind azureml trains it; ./dev experiment check {} checks it",
            [NEW],
            "experiment show own",
            "experiment show petals",
            at=FILES,
        ),
        case(
            "begin it with a letter, and use up to 31 small letters, digits and dashes",
            [],
            NEW.replace("petals", "Petals!", 1),
            NEW,
            at=FILES,
        ),
        case("give a table: one of {}", [], NEW.replace("petals.csv", "none.txt"), NEW, at=FILES),
        case(
            "leave out --label {}, or say another --task",
            [],
            f"{NEW} --task clustering",
            f"{NEW} --task clustering".replace("--label width ", ""),
            at=CHOOSING,
        ),
        case(
            "say --label COLUMN, or --task clustering, which needs none",
            [],
            NEW.replace(" --label width", ""),
            NEW,
            at=CHOOSING,
        ),
        case(
            "say --label with the column that the model is to tell",
            [],
            NEW.replace("width", "widht"),
            NEW,
            at=CHOOSING,
        ),
        case(
            "say another --label, or give a table in which it differs",
            [],
            NEW.replace("petals.csv", "alike.csv"),
            NEW,
            at=CHOOSING,
        ),
        case(
            "say another --task, or another --label",
            [],
            f"{NEW} --task two-class",
            f"{NEW} --task regression",
            at=CHOOSING,
        ),
        case("say one of: {}", [], f"{NEW} --task regresion", f"{NEW} --task regression", at=CHOOSING),
        case(
            "divide its values by commas, or by tabs and name it .tsv",
            [],
            NEW.replace("petals.csv", "semicolons.csv"),
            NEW,
            at=CHOOSING,
        ),
        case(
            "write them with a point: 12.5",
            [],
            NEW.replace("petals.csv", "commas.csv"),
            NEW,
            at=CHOOSING,
        ),
        case("name a file that holds a table", [], NEW.replace("petals.csv", "nowhere.csv"), NEW, at=FILES),
        case(
            "say --force to write over it, or --print to look first",
            [NEW],
            "experiment predictive petals",
            "experiment predictive petals --print",
            at=FILES,
        ),
        case("say --force to write over it, or take another name", [NEW], NEW, f"{NEW} --force", at=FILES),
        case(
            "say --part training or --part predictive",
            [NEW],
            "experiment show petals --part test",
            "experiment show petals --part predictive",
            at=FILES,
        ),
        case(
            "end the path as the file ends: a job tells by it how to read the table",
            [],
            PUT.replace("}.csv", "}.tsv"),
            PUT,
            at=DATA,
        ),
        case(
            "give it another --version: models were perhaps trained from this one; or say --replace",
            [PUT],
            "data put petals/{version}.csv --version v1 fewer.csv",
            "data put petals/{version}.csv --version v2 fewer.csv",
            at=DATA,
        ),
        case(
            "write the path of a folder, with its slash: …/{}/",
            [],
            PUT.replace("petals.csv", "parts"),
            PUT.replace("}.csv", "}/").replace("petals.csv", "parts"),
            at=DATA,
        ),
        case(
            "name the parts so, or write another path",
            [],
            PUT.replace("}.csv", "}/part-*.csv").replace("petals.csv", "parts"),
            PUT.replace("}.csv", "}/*.csv").replace("petals.csv", "parts"),
            at=DATA,
        ),
        case(
            "give it another --version: models were perhaps trained from this one",
            [PUT.replace("}.csv", "}/").replace("petals.csv", "parts")],
            "data put petals/{version}/ --version v1 fewer.csv",
            "data put petals/{version}/ --version v2 fewer.csv",
            at=DATA,
        ),
        case(
            "write it like 'sugar/{}.csv', in quotes",
            [PUT],
            "data ls petals.csv",
            "data ls petals/{version}.csv",
            at=DATA,
        ),
        case(
            "write one without blanks and slashes, such as 2013-02 or v2; latest and 2013-01..2013-03 ask for others",
            [],
            PUT.replace("v1", "latest"),
            PUT,
            at=DATA,
        ),
    ],
)
def test_a_command_is_refused_and_the_one_that_its_remedy_asks_for_is_not(
    bench, remedy, before, wrong, right
):
    for command in before:
        assert run(command).exit_code == 0, command
    refused = run(wrong)
    assert refused.exit_code == 1
    remedy(refused.stderr)
    done = run(right)
    assert done.exit_code == 0, done.output


@pytest.mark.heals("mend what is said above", at=EXPERIMENT)
@pytest.mark.heals("./dev experiment check {}", at=EXPERIMENT)
def test_an_experiment_with_a_problem_is_mended_as_the_check_says(bench, remedy):
    run(NEW)
    file = bench / "experiments" / "petals" / "training.json"
    right = file.read_text()
    file.write_text(right.replace("Split Data", "Spilt Data"))
    remedy(run("experiment run petals --data petals.csv").stderr)
    found = run("experiment check petals")
    remedy(found.stderr)
    assert "Spilt Data" in found.stdout
    file.write_text(right)
    assert run("experiment check petals").exit_code == 0
    assert run("experiment run petals --data petals.csv").exit_code == 0
