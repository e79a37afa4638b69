"""Experiments of own code: what is refused is read once it is as the remedy says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retrain_hooks.experiments import folder
from retrain_hooks.experiments.own_code import form_of
from retrain_hooks.experiments.published import load_for
from tests.healing import Told, case
from tests.unit.own_code import CONDA, DEPLOYMENT, JOB, deployment, job, load, write

CASES = ("act", "wrong", "right")
ENVIRONMENT = re.compile(r"environment:\n.*\n.*\n")


def environment(text: str) -> dict[str, str | bytes | None]:
    """The job with another environment."""
    return {"job.yml": ENVIRONMENT.sub(f"environment: {text}\n", JOB)}


def read(root: Path, changed: Any) -> object:
    """The experiment, with all that can be asked of it."""
    own = load(root, changed)
    return own.training_digest, own.serving_digest


def two(*, named: str) -> dict[str, str | bytes | None]:
    """Two inputs of a data type."""
    text = JOB.replace(
        "data: {type: uri_file}", f"{named}: {{type: uri_file}}\n  b: {{type: uri_file, path: x}}"
    )
    return {"job.yml": text.replace("inputs.data", f"inputs.{named}")}


def models(named: str) -> dict[str, str | bytes | None]:
    """Two outputs of a model type."""
    text = JOB.replace(
        "model: {type: custom_model}", f"{named}: {{type: custom_model}}\n  b: {{type: custom_model}}"
    )
    return {"job.yml": text.replace("outputs.model", f"outputs.{named}")}


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "correct the file",
            read,
            {"job.yml": "a: ["},
            {},
            at="retrain_hooks/experiments/yaml_fields.py",
            name="yaml",
        ),
        case("create it: docs/own-code.md shows one", read, {"job.yml": None}, {}),
        case("keep one of them", read, {"job.yml": JOB + "type: command\n"}, {}, name="twice"),
        case("leave it out, or write a field that there is", read, job("limits", "limit"), {}, name="field"),
        case(
            "write {}",
            read,
            job("3600", "1h"),
            {},
            at="retrain_hooks/experiments/yaml_fields.py",
            name="value",
        ),
        case("write `{}: {}`", read, deployment("instance_type: Standard_DS3_v2\n", ""), {}, name="missing"),
        case(
            "give it an image, with a conda_file for its packages, or a name and a version",
            read,
            environment("{name: wine}"),
            environment("{name: wine, version: 1}"),
        ),
        case(
            "give the environment an image, such as mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
            read,
            environment('{name: wine, version: "1", conda_file: conda.yml}'),
            {},
        ),
        case("create the conda file, or correct its path", read, {"conda.yml": None}, {}),
        case(
            "write the packages themselves into the conda file",
            read,
            {"conda.yml": CONDA.replace("scikit-learn==1.9.1", "-r requirements.txt")},
            {},
        ),
        case("create the folder, or correct its path", read, job("code: src", "code: source"), {}),
        case(
            "keep all that an experiment consists of in its folder, itself and not as a link",
            read,
            job("code: src", "code: .."),
            {},
        ),
        case("write a name of letters, digits and _", read, job("  rate: 0.1", "  rate: 0.1\n  a-b: 1"), {}),
        case(
            "name an input or output that the job has, or declare this one",
            read,
            job("inputs.rate", "inputs.rates"),
            {},
        ),
        case("write ${{{}}} into the command", read, job("${{inputs.data}}", "x"), {}, name="unused"),
        case("call the input that the data version enters by `{}`", read, two(named="a"), two(named="data")),
        case(
            "give it a path, such as azureml:<data>:<version>",
            read,
            job("rate: 0.1", "rate: 0.1\n  other: {type: uri_file}"),
            job("rate: 0.1", "rate: 0.1\n  other: {type: uri_file, path: azureml:other:1}"),
        ),
        case("call the output that the trained model leaves by `{}`", read, models("a"), models("model")),
        case(
            "give it the type uri_file, or another name",
            read,
            job("outputs:", "outputs:\n  evaluation: {type: uri_folder}"),
            job("outputs:", "outputs:\n  evaluation: {type: uri_file}"),
        ),
        case("create the scoring script, or correct its path", read, deployment("score.py", "s.py"), {}),
        case("define init() and run(data) in the scoring script", read, {"src/score.py": "x = 1\n"}, {}),
        case(
            "give it a code_configuration with code and scoring_script, or train an mlflow_model",
            read,
            {"deployment.yml": re.sub(r"code_conf.*\n", "", DEPLOYMENT)},
            {},
        ),
        case(
            "create experiments/{} with training.json and predictive.json, or with job.yml and deployment.yml",
            lambda root, changed: (write(root, changed), form_of("wine", root)),
            {"job.yml": None, "deployment.yml": None},
            {},
        ),
        case(
            "keep one of them there, and give the other a folder of its own",
            lambda root, changed: (write(root, changed), form_of("wine", root)),
            {"training.json": "{}"},
            {"training.json": None},
        ),
        case(
            "set `kind` to azureml in the stack's config, or name an experiment with a training.json",
            lambda root, kind: (write(root), load_for(kind, "wine", "training", root).reference()),
            "classic",
            "azureml",
        ),
        case(
            "leave it out of `parameters`, or declare it as an input of the job",
            lambda root, given: load(root).training.resolve(given),
            {"rat": 1},
            {},
        ),
        case(
            "write {}",
            lambda root, given: load(root).training.resolve(given),
            {"rate": "much"},
            {"rate": 0.5},
            at="retrain_hooks/experiments/ports.py",
            name="parameter",
        ),
        case(
            "write {} for it in `parameters`",
            lambda root, given: load(root, job("rate: 0.1", "rate: {type: number}")).training.resolve(given),
            {},
            {"rate": 0.5},
        ),
    ],
)
def test_own_code(
    remedy: Told, tmp_path: Path, act: Callable[[Path, Any], object], wrong: Any, right: Any
) -> None:
    """Each fault is refused with its remedy, and what is as that says is read."""
    remedy.fails(lambda: act(tmp_path, wrong))
    act(tmp_path, right)


@pytest.mark.heals("list what is no code in the .amlignore of the code folder")
def test_a_code_folder_with_data(remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignored files are not counted."""
    monkeypatch.setattr(folder, "_MOST_BYTES", 2000)
    remedy.fails(lambda: read(tmp_path, {"src/table.csv": b"1" * 3000}))
    read(tmp_path, {"src/.amlignore": "*.csv\n"})


@pytest.mark.heals("correct the folder")
def test_a_code_folder_that_cannot_be_read(
    remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is root reads everything: the failure is the system's own error."""

    def fails(_path: Path) -> bytes:
        raise PermissionError("Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(folder.Path, "read_bytes", fails)
        write(tmp_path)
        remedy.fails(lambda: folder_of(tmp_path))
    folder_of(tmp_path)


def folder_of(root: Path) -> object:
    """Only the code folder's files."""
    from retrain_hooks.experiments.yaml_fields import read_yaml

    path = root / "experiments" / "wine"
    return folder.read_code(read_yaml(path / "job.yml", "job.yml").fields().values["code"], path)
