"""What adopting advises, done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import build
from cli.services.adoption import choose
from cli.services.data_factory.documents import read
from cli.services.data_factory.pipeline import retraining
from tests.cli.test_adopt_choice import ASKED, NEW, NEW_TRAINING, PREDICTIVE, TRAINING
from tests.cli.test_adopt_choice import there as workspaces
from tests.cli.test_data_factory import v2
from tests.healing import Told, case

CASES = ("act", "wrong", "right")
heals = pytest.mark.heals


def run(*arguments: str, status: int = 0) -> str:
    """What a verb prints; it ends with *status*."""
    result = CliRunner().invoke(build(), arguments)
    assert result.exit_code == status, result.output
    return result.output


def edit(**changed: Any) -> Any:
    return replace(ASKED, **changed)


def choice(*services: Any) -> Callable[[Any], object]:
    return lambda asked: choose(workspaces(*(services or (TRAINING, PREDICTIVE))), asked)


OTHER = replace(PREDICTIVE, id="3" * 32, contract=replace(PREDICTIVE.contract, name="others"))
READ_ONLY = replace(NEW, read_only=True)
TWO_INPUTS = replace(NEW_TRAINING, contract=replace(NEW_TRAINING.contract, inputs=("a", "b")))


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "say it: --data-version VERSION, such as 2013-01",
            choice(),
            edit(data_version=""),
            edit(data_version="2013-01"),
        ),
        case(
            "choose another: --predictive NAME",
            choice(TRAINING, READ_ONLY, PREDICTIVE),
            edit(predictive="new"),
            edit(predictive="prices"),
        ),
        case("name one of these: {} NAME", choice(), edit(endpoint="pord"), edit(endpoint="prod")),
        case(
            "name one of these: {} NAME",
            choice(),
            edit(model_output="output3"),
            edit(model_output="output1"),
            name="output",
        ),
        case("name the one: {} NAME", choice(TRAINING, PREDICTIVE, OTHER), ASKED, edit(predictive="others")),
        case("say it: {} NAME", choice(), edit(model_output=""), edit(model_output="output1")),
        case(
            "give --model-output and --evaluation-output one each",
            choice(),
            edit(model_output="output1", evaluation_output="output1"),
            edit(model_output="output1", evaluation_output="output2"),
        ),
        case(
            "choose a training service with one web service input: --training NAME",
            choice(TRAINING, TWO_INPUTS, PREDICTIVE),
            edit(training="train"),
            edit(training="retrain prices"),
        ),
        case(
            "see ./dev adopt for what there is",
            lambda services: choose(workspaces(*services), ASKED),
            (TRAINING,),
            (TRAINING, PREDICTIVE),
        ),
    ],
)
def test_what_is_adopted(remedy: Told, act: Callable[[Any], object], wrong: object, right: object) -> None:
    """Named as it says, it is taken."""
    remedy.fails(lambda: act(wrong))
    act(right)


def edited(change: Callable[[list[Any]], object]) -> dict[str, Any]:
    body = json.loads(json.dumps(v2()))
    change(body["properties"]["activities"])
    return body


def twins(activities: list[Any], *, after: str) -> None:
    """A second trainer; neither writes the file that is bound."""
    activities.append(activities[0] | {"name": "another"})
    activities[1]["typeProperties"]["trainedModelFilePath"] = "models/else.ilearner"
    activities[1]["dependsOn"] = [{"activity": after}]


SECOND = edited(lambda all_: all_.append(all_[1] | {"name": "bindAnother"}))
TRAINS_ONLY = edited(lambda all_: all_.pop(1))
BINDS_ONLY = edited(lambda all_: all_.pop(0))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param([{"properties": {"type": "AzureML"}, "name": "a"}], [v2()], marks=heals("give the pipeline's own file: --data-factory pipeline.json")),
        pytest.param([TRAINS_ONLY], [v2()], marks=heals("give the pipeline that does; one that scores only needs no program")),
        pytest.param([BINDS_ONLY], [v2()], marks=heals("give the pipeline that trains it too")),
        pytest.param([SECOND], [v2()], marks=heals("a program has one endpoint: give a copy of the pipeline with one of them for each")),
        pytest.param(
            [edited(lambda all_: twins(all_, after="nothing"))],
            [edited(lambda all_: twins(all_, after="getModel"))],
            marks=heals("let its dependsOn name the one"),
        ),
        pytest.param(["7"], [v2()], marks=heals("give a pipeline, linked service or dataset")),
        pytest.param([{"a": 1}], [v2()], marks=heals("give a pipeline, linked service or dataset, with its `name` and `properties`")),
        pytest.param(['{\n"name": 7 7}'], [v2()], marks=heals("mend the file at this line")),
        pytest.param(["[" * 99_999], [v2()], marks=heals("give a file of the factory")),
        pytest.param(["größe".encode("latin-1")], [v2()], marks=heals("save it as JSON in UTF-8")),
        pytest.param([b" " * 11_000_000], [v2()], marks=heals("give the pipeline and what it needs, not the whole export")),
        pytest.param([], [v2()], marks=heals("give the factory's files, or the folder they are in")),
    ],
)  # fmt: skip
def test_what_is_carried_over(remedy: Told, tmp_path: Path, wrong: list[Any], right: list[Any]) -> None:
    """Given as it says, it is read."""

    def act(documents: list[Any]) -> object:
        for number, one in enumerate(documents):
            content = (
                one if isinstance(one, bytes) else (one if isinstance(one, str) else json.dumps(one)).encode()
            )
            (tmp_path / f"{number}.json").write_bytes(content)
        return retraining(read([tmp_path]))

    remedy.fails(lambda: act(wrong))
    act(right)


@heals("name one of these: --pipeline NAME")
@heals("name the one: --pipeline NAME, and -o DIR for each")
@heals("give a file of the factory")
def test_one_pipeline_of_several(remedy: Told, tmp_path: Path) -> None:
    """By its name."""
    remedy.fails(lambda: read([tmp_path / "nowhere.json"]))
    for name in ("retrain", "another"):
        (tmp_path / f"{name}.json").write_text(json.dumps(v2() | {"name": name}))
    factory = read([tmp_path])
    remedy.fails(lambda: retraining(factory))
    remedy.fails(lambda: retraining(factory, "retrian"))
    assert retraining(factory, "retrain")


@heals("leave out --write; -o names the folder")
@heals("name its file: --data-factory pipeline.json")
@heals("give another folder with -o DIR, or --force to write over it")
def test_options_of_adopt(
    remedy: Told, project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given as it says, the program is written."""
    import cli.verbs.deploying.adopt

    monkeypatch.setattr(cli.verbs.deploying.adopt, "_there", lambda *_: ([], "local"))
    file, folder = tmp_path / "pipeline.json", tmp_path / "out"
    file.write_text(json.dumps(v2()))
    carry = ("adopt", "--data-factory", str(file), "--data-version", "1", "-o", str(folder))
    remedy(run(*carry, "--write", "a.py", status=1))
    remedy(run("adopt", "--pipeline", "retrain", status=1))
    run(*carry)
    assert (folder / "__main__.py").exists()
    remedy(run(*carry, status=1))
    run(*carry, "--force")
    run(*carry[:-1], f"{folder}2")
    assert Path(f"{folder}2", "__main__.py").exists()


@heals("give another file, or --force to write over it")
def test_a_program_that_is_there(
    remedy: Told, project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one, or over it."""
    import cli.verbs.deploying.adopt

    monkeypatch.setattr(
        cli.verbs.deploying.adopt, "_there", lambda *_: (workspaces(TRAINING, PREDICTIVE), "local")
    )
    file = tmp_path / "main.py"
    file.write_text("mine")
    write = (
        "adopt",
        "--model-output",
        "output1",
        "--evaluation-output",
        "output2",
        "--data-version",
        "1",
        "--revision",
        "1",
    )
    remedy(run(*write, "--write", str(file), status=1))
    run(*write, "--write", str(tmp_path / "another.py"))
    assert file.read_text() == "mine"
    run(*write, "--write", str(file), "--force")
    assert file.read_text() != "mine"
