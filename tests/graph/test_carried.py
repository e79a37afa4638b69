"""A graph that is carried to where no service runs it trains and answers as the service does, to the byte."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from clients.azureml.members import pack_address, write_pack
from clients.errors import ExperimentInvalid
from graph import Scorer, parse_experiment
from localcloud.studio.request_response.wire import read_inputs
from localcloud.works.batch.computing import TableBlob, Task, compute
from retrain_hooks.experiments.carried import carry
from retrain_hooks.experiments.own_code import OwnCode
from retrain_hooks.experiments.pins import imported
from tests.graph.conftest import FOLDER, RESOURCE
from tests.unit.fakes import MemoryContainer

ROOT = FOLDER.parents[1]
PARAMETERS = {"Number of trees constructed": "20", "Random seed": "7"}
ROWS = 2000


@pytest.fixture(scope="module")
def own() -> OwnCode:
    return carry("flights", ROOT)


@pytest.fixture(scope="module")
def table(blobs: dict[str, bytes]) -> bytes:
    """Enough of a month for a model."""
    return b"\r\n".join(blobs["flights/2013-01.csv"].split(b"\r\n")[: ROWS + 1]) + b"\r\n"


@pytest.fixture(scope="module")
def studios(package: Callable[[str], Any], table: bytes) -> dict[str, bytes]:
    """What a batch job of Studio's kinds makes of it."""
    inputs = {"input1": TableBlob(table, ".csv", "data/january.csv")}
    outputs = {"output1": ".ilearner", "output2": ".csv"}
    return compute(Task(package("training"), PARAMETERS, {}, inputs, outputs), lambda _progress: None)


def lay_out(files: Mapping[str, bytes], folder: Path) -> Path:
    """The files of a job's or a deployment's code where they run."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def python(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run this Python among carried files, without this checkout on its path."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def train(own: OwnCode, folder: Path, table: bytes, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the job's command as the service would: with its placeholders filled in."""
    code = lay_out(own.training.code_files(), folder / "code")
    (folder / "january.csv").write_bytes(table)
    given = {f"inputs.{name}": text for name, text in own.training.literals(PARAMETERS).items()}
    given["inputs.data"] = str(folder / "january.csv")
    given |= {f"outputs.{name}": str(folder / "out" / name) for name in own.training.outputs}
    command = own.training.command
    for name, text in given.items():
        command = command.replace(f"${{{{{name}}}}}", text)
    assert "{{" not in command
    program, *arguments = shlex.split(command)
    assert program == "python"
    return python(*arguments, cwd=code, **variables)


def test_the_job_makes_the_bytes_that_the_service_makes(
    own: OwnCode, table: bytes, studios: dict[str, bytes], tmp_path: Path
) -> None:
    """Model and evaluation, from the command that is submitted, among the files that go with it."""
    done = train(own, tmp_path, table)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/model").read_bytes() == studios["output1"]
    assert (tmp_path / "out/evaluation").read_bytes() == studios["output2"]
    assert f"Train Model, {int(ROWS * 0.6)}"[:12] in done.stdout


def test_the_metrics_are_logged_where_there_is_a_tracking_server(
    own: OwnCode,
    table: bytes,
    studios: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By Evaluate Model's own names, in the run that the service has begun."""
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    store = (tmp_path / "runs").as_uri()
    with warnings.catch_warnings(action="ignore"):
        client = mlflow.MlflowClient(store)
        run = client.create_run("0").info.run_id
        tracking = {"MLFLOW_TRACKING_URI": store, "MLFLOW_RUN_ID": run, "MLFLOW_ALLOW_FILE_STORE": "true"}
        done = train(own, tmp_path, table, **tracking)
        assert done.returncode == 0, done.stderr
        evaluation = next(csv.DictReader(io.StringIO(studios["output2"].decode())))
        assert client.get_run(run).data.metrics["AUC"] == float(evaluation["AUC"])


def test_a_table_that_the_graph_refuses_fails_the_job_with_its_error(own: OwnCode, tmp_path: Path) -> None:
    """One line, and no model."""
    done = train(own, tmp_path, b"month,day\r\n1,2\r\n")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Select Columns in Dataset" in done.stderr
    assert not (tmp_path / "out/model").exists()


ASK = """
import json, sys, score
score.init()
for body in json.load(sys.stdin):
    try:
        print(json.dumps(score.run(json.dumps(body))))
    except Exception as error:
        print(json.dumps(f"{type(error).__name__}: {error}"))
"""
Serving = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def serving(own: OwnCode, studios: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Serving:
    """Ask the deployment's script."""
    folder = tmp_path_factory.mktemp("deployment")
    code = lay_out(own.deployment.code_files(), folder / "code")
    lay_out({"model/january-0/model": studios["output1"]}, folder)

    return lambda *bodies: ask(code, folder / "model", *bodies)


def ask(code: Path, model: Path, *bodies: Any) -> list[Any]:
    """What a deployment of that *code* and *model* answers to one request after the other: rows, or an error's text."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=code,
        env={"PATH": os.environ["PATH"], "AZUREML_MODEL_DIR": str(model)},
        input=json.dumps(bodies),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_deployment_answers_as_the_service_does(
    serving: Serving,
    studios: dict[str, bytes],
    package: Callable[[str], Any],
) -> None:
    """All columns of the output, values as Studio writes them; missing and text values too."""
    sample = package("sample")["input1"]
    rows = [sample, {**sample, "distance": "1028", "carrier": None}, {"month": 1, **sample, "dest": "XXX"}]
    scorer = Scorer(parse_experiment(package("predictive")), {RESOURCE: studios["output1"]})
    frame = scorer.score(read_inputs({"Inputs": {"input1": rows}}, ["input1"]))["output1"]
    answered, plain = serving({"rows": rows}, rows)
    assert [list(row) for row in answered] == [list(frame.columns)] * 3
    assert [float(row["Scored Probabilities"]) for row in answered] == frame["Scored Probabilities"].tolist()
    assert answered == plain


def test_of_several_models_the_one_is_asked_that_a_request_names(
    own: OwnCode,
    tmp_path: Path,
    studios: dict[str, bytes],
    package: Callable[[str], Any],
    serving: Serving,
) -> None:
    """A member whose model can't be read takes nobody else's answers away; who names none that there is gets no answer."""
    registry, models = (
        MemoryContainer(),
        {"LAX": "models/flights/a/1.ilearner", "San José": "models/flights/b/1.ilearner"},
    )
    pack = pack_address("members-1", models)
    content = {"LAX": studios["output1"], "San José": b"broken"}
    write_pack(registry, pack, models, content.__getitem__)  # type: ignore[arg-type]
    folder = pack.removesuffix(".ilearner")
    lay_out(
        {
            f"model{name.removeprefix(folder)}": blob
            for name, (blob, _) in registry.blobs.items()
            if name != pack
        },
        tmp_path,
    )
    code = lay_out(own.deployment.code_files(), tmp_path / "code")
    rows = {"rows": [package("sample")["input1"]]}
    asked = ["LAX", "San José", "JFK", None, ["LAX"]]
    answers = ask(code, tmp_path / "model", *({"member": member, **rows} for member in asked), rows["rows"])
    assert [answers[0]] == serving(rows)
    assert all(isinstance(refused, str) for refused in answers[1:]), answers
    assert len(answers) == len(asked) + 1


def test_a_request_that_is_none_is_refused(serving: Serving) -> None:
    """With the form that it is to have, or the column that is wrong."""
    bodies: list[Any] = [{}, [], {"rows": []}, {"rows": [1]}, {"rows": [{}]}, [{"month": [1]}], 5]
    answers = serving(*bodies)
    assert len(answers) == len(bodies)
    assert all(str(answer).startswith("ValueError: ") for answer in answers), answers


def project(tmp_path: Path) -> Path:
    """A project with the example and its lock file."""
    shutil.copytree(FOLDER, tmp_path / "experiments" / "flights")
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_only_pins_of_what_graphs_import_change_the_digests(own: OwnCode, tmp_path: Path) -> None:
    """Another version of what the command line is made with trains and rolls out nothing."""
    lock = project(tmp_path) / "requirements.lock"
    pinned = {line.split(" ")[0].strip(): line for line in lock.read_text().splitlines() if "==" in line}
    typer = next(line for line in pinned if line.startswith("typer=="))
    sklearn = next(line for line in pinned if line.startswith("scikit-learn=="))
    change(lock, typer, "typer==99.0")
    assert carry("flights", tmp_path).training_digest == own.training_digest
    assert carry("flights", tmp_path).serving_digest == own.serving_digest
    change(lock, sklearn, "scikit-learn==99.0")
    assert carry("flights", tmp_path).training_digest != own.training_digest
    assert carry("flights", tmp_path).serving_digest != own.serving_digest


def test_what_graphs_import_is_found_by_lines_as_by_pythons_parser(own: OwnCode) -> None:
    """No import of another package is written in a way that its line doesn't tell, and no text is taken for one."""
    sources = {name: text for name, text in own.training.code.files.items() if name.endswith(".py")}
    assert len(sources) > 50
    for name, text in sources.items():
        named = {
            each.name.partition(".")[0]
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import)
            for each in node.names
        }
        named |= {
            str(node.module).partition(".")[0]
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ImportFrom) and not node.level
        }
        others = named - sys.stdlib_module_names - {"graph", "sandbox", "tables", "tasks"}
        assert imported([text]) == others, name


def test_what_only_describes_a_graph_changes_no_digest(own: OwnCode, tmp_path: Path) -> None:
    """Neither its name nor its layout."""
    for part in ("training", "predictive"):
        path = project(tmp_path / part) / "experiments/flights" / f"{part}.json"
        definition = json.loads(path.read_text())
        path.write_text(json.dumps({**definition, "name": "other", "description": "x"}, indent=7))
        again = carry("flights", tmp_path / part)
        assert again.training_digest == own.training_digest
        assert again.serving_digest == own.serving_digest


def test_a_change_of_the_predictive_graph_trains_nothing(own: OwnCode, tmp_path: Path) -> None:
    """It is served otherwise only."""
    change(project(tmp_path) / "experiments/flights/predictive.json", '"output1"', '"scores"')
    again = carry("flights", tmp_path)
    assert again.training_digest == own.training_digest
    assert again.serving_digest != own.serving_digest


def test_parameters_of_any_name_and_value_reach_the_graph(tmp_path: Path) -> None:
    """No shell reads what is in them, and no two of them are one input."""
    path = project(tmp_path) / "experiments/flights/training.json"
    definition = json.loads(path.read_text())
    names = ["data", "Data", "1 $(rm) 'x'", "é"]
    definition["parameters"] = dict(zip(names, definition["parameters"].values(), strict=True))
    path.write_text(json.dumps(definition))
    training = carry("flights", tmp_path).training
    ports = [each.input for each in training.parameters.values()]
    assert len(set(ports) | {"data"}) == 5
    assert all(port.isascii() and port.isidentifier() for port in ports)
    hostile = "0.1; $(rm -r /) `x` \"'"
    assert set(training.literals(dict.fromkeys(training.parameters, hostile)).values()) == {
        quote(hostile, safe="")
    }
    assert not set(training.command.replace("${{", "").replace("}}", "")) & set("$`;'\"|&<>()*")


@pytest.mark.heals("keep {} beside pyproject.toml, as CONTRIBUTING.md says how it is compiled")
def test_without_a_lock_file_nobody_knows_what_to_train_with(remedy: Any, tmp_path: Path) -> None:
    """It is read where the project is."""
    lock = project(tmp_path) / "requirements.lock"
    lock.rename(tmp_path / "kept")
    remedy.fails(lambda: carry("flights", tmp_path))
    (tmp_path / "kept").rename(lock)
    carry("flights", tmp_path)


@pytest.mark.heals("compile {} with the extra `local`, as CONTRIBUTING.md says")
def test_a_lock_file_without_what_trains_is_refused(remedy: Any, tmp_path: Path) -> None:
    """By the package's name."""
    lock = project(tmp_path) / "requirements.lock"
    text = lock.read_text()
    lock.write_text(text.replace("\nonnxruntime==", "\nother=="))
    error = remedy.fails(lambda: carry("flights", tmp_path))
    assert isinstance(error, ExperimentInvalid)
    assert "has no pin of onnxruntime" in error.cause
    lock.write_text(text)
    carry("flights", tmp_path)


@pytest.mark.heals("./dev experiment check {}", at="retrain_hooks/experiments/package.py")
def test_a_graph_that_cannot_be_parsed_is_refused(remedy: Any, tmp_path: Path) -> None:
    """With the file that is to be corrected."""
    path = project(tmp_path) / "experiments/flights/training.json"
    text = path.read_text()
    path.write_text(text.replace("Clean Missing Data", "Clean Mising Data"))
    remedy.fails(lambda: carry("flights", tmp_path))
    path.write_text(text)
    carry("flights", tmp_path)
