"""Experiments of a team's own code: what is read, what is refused and where, what the digest covers."""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.errors import ConfigurationError, ExperimentInvalid
from retrain_hooks.experiments.own_code import form_of, load_own_code
from tests.unit.own_code import CONDA, DEPLOYMENT, JOB, deployment, job, load, write


def test_a_job_is_read_in_the_experiments_own_terms(tmp_path):
    """Which input is the data, which are parameters, which output is the model."""
    training = load(tmp_path).training
    assert training.command == (
        "python train.py --data ${{inputs.data}} --rate ${{inputs.rate}} --model ${{outputs.model}}"
    )
    assert (training.data.name, training.data.type, training.model.name) == ("data", "uri_file", "model")
    assert training.evaluation is None
    assert training.resolve({}) == {"rate": "0.1"}
    assert training.literals({"rate": "0.2"}) == {"rate": "0.2"}
    assert (training.timeout, training.compute) == (3600, "cpu-cluster")
    assert training.resources.instance_type == "Standard_DS3_v2"
    assert training.environment_variables == {"THREADS": "1"}
    assert training.code_files() == {
        "score.py": (tmp_path / "experiments/wine/src/score.py").read_bytes(),
        "train.py": b"print('training')\n",
    }
    assert yaml.safe_load(training.environment.conda) == {
        key: value for key, value in yaml.safe_load(CONDA).items() if key != "name"
    }


def test_a_deployment_is_read_in_the_experiments_own_terms(tmp_path):
    """Script, machines, probes and request settings; None is the service's default."""
    serving = load(tmp_path).deployment
    assert (serving.scoring_script, serving.instance_type, serving.instance_count) == (
        "score.py",
        "Standard_DS3_v2",
        2,
    )
    assert serving.liveness_probe is not None
    assert serving.liveness_probe.failure_threshold == 30
    assert serving.readiness_probe is None
    assert serving.request_settings is not None
    assert serving.request_settings.request_timeout_ms == 3000
    assert serving.request_settings.max_queue_wait_ms is None


@pytest.mark.parametrize(
    ("inputs", "outputs", "found"),
    [
        ("x: {type: uri_folder}", "m: {type: mlflow_model}", ("x", "m")),
        ("data: {type: uri_file}\n  x: {type: uri_file, path: azureml:x:1}", "model:", ("data", "model")),
        (
            "x: {type: mltable}",
            "a: {type: custom_model}\n  model: {type: custom_model}\n  evaluation: {type: uri_file}",
            ("x", "model"),
        ),
    ],
)
def test_data_and_model_are_found_by_their_type_or_else_their_name(tmp_path, inputs, outputs, found):
    """One of a type needs no name."""
    text = JOB.replace("data: {type: uri_file}", inputs).replace("model: {type: custom_model}", outputs)
    text = text.replace("inputs.data", f"inputs.{found[0]}").replace("outputs.model", f"outputs.{found[1]}")
    training = load(tmp_path, {"job.yml": text}).training
    assert (training.data.name, training.model.name) == found
    assert (training.evaluation is not None) == ("evaluation" in outputs)


PARAMETERS = """\
  trees: {type: integer, default: 10, min: 1, max: 500}
  share: {type: number, default: 0.50, min: 0, max: 1}
  loss: {type: string, default: log, enum: [log, square]}
  fast: {type: boolean, default: false}
  seed: {type: integer}
  note: {value: "a b"}
"""


def test_parameters_have_defaults_and_ranges(tmp_path):
    """As text in one way, as the service gets them: Pulumi's numbers are all floating."""
    training = load(tmp_path, job("  rate: 0.1\n", PARAMETERS + "  rate: 1\n")).training
    values = training.resolve({"seed": 7.0, "fast": True, "share": 1.0, "rate": 0.5})
    assert values == {
        "trees": "10",
        "share": "1",
        "loss": "log",
        "fast": "True",
        "seed": "7",
        "note": "a b",
        "rate": "0.5",
    }


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"trees": 0}, "'0' is no value of the parameter `trees`"),
        ({"trees": 1.5}, "`trees`"),
        ({"share": "much"}, "`share`"),
        ({"share": "nan"}, "`share`"),
        ({"share": float("inf")}, "`share`"),
        ({"loss": "hinge"}, "`loss`"),
        ({"fast": "perhaps"}, "`fast`"),
        ({"trees": True}, "`trees`"),
        ({"tress": 5}, "no parameter 'tress'; the nearest of 7.*trees"),
    ],
)
def test_a_parameter_that_the_job_does_not_take_is_refused(tmp_path, given, cause):
    """By its name, and by what it takes."""
    training = load(tmp_path, job("  rate: 0.1\n", PARAMETERS + "  rate: 1\n")).training
    with pytest.raises(ConfigurationError, match=cause):
        training.resolve({"seed": 1, **given})


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "at", "cause"),
    [
        ("limits:", "limit:", "limit:", "the field `limit` is not supported; the nearest.*limits"),
        ("limits:", "distribution: {type: pytorch}\nlimits:", "distribution:", "`distribution`"),
        ("timeout: 3600", "timout: 3600", "limits:", "`timout` is not supported; there is: timeout"),
        ("timeout: 3600", "timeout: 1h", "limits:", "`timeout` is not a whole number of at least 1"),
        ("type: command", "type: sweep", "type: sweep", "`type` is not one of command"),
        ("commandJob", "pipelineJob", "$schema", "schema` is not https://.*commandJob"),
        ("inputs.rate}}", "inputs.rat}}", "command:", r"the command names \$\{\{inputs.rat\}\}; there is"),
        ("${{inputs.rate}}", "${{parent.rate}}", "command:", "parent.rate"),
        ("${{inputs.data}}", "x", "command:", "does not name inputs.data"),
        ("${{outputs.model}}", "x", "command:", "does not name outputs.model"),
        ("code: src", "code: source", "code:", "there is no code folder source"),
        ("code: src", "code: ../../..", "code:", "is not in the experiment's folder"),
        ("conda_file: conda.yml", "conda_file: c.yml", "  conda_file:", "there is no conda file c.yml"),
        ("conda_file: conda.yml", "conda_file: ../c.yml", "  conda_file:", "is not in the experiment's"),
        ("  conda_file: conda.yml\n", "  build: {path: .}\n", "  build:", "`build` is not supported"),
        ("  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04\n", "", "  conda_file", "nor the name"),
        ("model: {type: custom_model}", "model: {path: x}", "  model:", "the field `path` of an output"),
        ("data: {type: uri_file}", "data: {type: file}", "  data:", "`type` is not one of uri_file"),
        ("rate: 0.1", "rate:", "  rate:", "`rate` is not a text, a number or a truth value"),
        ("rate: 0.1", "rate: {type: integer, default: 0, min: 1}", "  rate:", "is no value of the parameter"),
        ("rate: 0.1", "rate: 0.1\n  other: {type: uri_file}", "  other:", "the input `other` has no path"),
        ("rate: 0.1", "rate: 0.1\n  a b: 1", "  a b", "'a b' is no name of an input"),
        ("instance_count: 1", "instance_count: 0", "resources", "at least 1"),
        ("instance_count: 1", "shm_size: 2 GB", "resources", "`shm_size` is not a size such as 2g"),
        ("compute: azureml:cpu-cluster", "compute: local", "compute", "not the name of a compute"),
        ("tags:", "type: command\ntags:", "type: command\ntags", "`type` is there twice"),
        ("tags: {team: red}", "tags: [red]", "tags", "`tags` is not a mapping"),
        ("limits: {", "limits: {{", "", "this is not YAML"),
    ],
)
def test_what_a_job_cannot_be_is_refused_with_file_and_line(tmp_path, old, new, at, cause):
    """Each in one line, and nothing is ignored."""
    text = JOB.replace(old, new, 1)
    assert text != JOB
    with pytest.raises(ExperimentInvalid, match=cause) as caught:
        load(tmp_path, {"job.yml": text})
    where = f"experiments/wine/job.yml:{line_of(text, at)}: " if at else "experiments/wine/job.yml:"
    assert caught.value.cause.startswith(where)


@pytest.mark.parametrize(
    ("old", "new", "at", "cause"),
    [
        ("instance_count: 2", "scale_settings: {}", "scale_settings", "`scale_settings` is not supported"),
        ("period: 10", "periods: 10", "liveness", "`periods` is not supported"),
        ("timeout: 2", "timeout: 0", "liveness", "`timeout` is not a whole number of at least 1"),
        ("request_timeout_ms: 3000", "request_timeout_ms: PT3S", "request", "not a whole number"),
        ("scoring_script: score.py", "scoring_script: scores.py", "code_conf", "there is no scores.py"),
        ("scoring_script: score.py", "scoring_script: train.py", "code_conf", "no function init and run"),
        ("instance_type: Standard_DS3_v2\n", "", "$schema", "`instance_type` is missing"),
    ],
)
def test_what_a_deployment_cannot_be_is_refused_with_file_and_line(tmp_path, old, new, at, cause):
    """As a job is."""
    text = DEPLOYMENT.replace(old, new, 1)
    assert text != DEPLOYMENT
    with pytest.raises(ExperimentInvalid, match=cause) as caught:
        load(tmp_path, {"deployment.yml": text})
    assert caught.value.cause.startswith(f"experiments/wine/deployment.yml:{line_of(text, at)}: ")


@pytest.mark.parametrize(
    "script",
    [
        "import x\n\nasync def run(data): pass\n\nif x:\n    def init(): pass\n",
        "from model import init, answer as run\n",
        "from model import *\n",
        "init = run = lambda *_: None\n",
        "try:\n    from a import init\nexcept ImportError:\n    init = None\nclass run: pass\n",
        "def init(): pass\ndef run(data): pass\ntype of the future = 1\n",
    ],
)
def test_a_scoring_script_may_have_its_functions_from_anywhere(tmp_path, script):
    """Defined, imported or assigned, and in the syntax of a newer Python."""
    assert load(tmp_path, {"src/score.py": script}).deployment.scoring_script == "score.py"


def test_an_mlflow_model_needs_no_script_and_another_does(tmp_path):
    """The service serves MLflow's by itself."""
    without = {"deployment.yml": re.sub(r"code_conf.*\n", "", DEPLOYMENT)}
    with pytest.raises(ExperimentInvalid, match="no `code_configuration`, and the model is a custom_model"):
        load(tmp_path, without)
    assert not load(tmp_path, without | job("custom_model", "mlflow_model")).deployment.code_files()


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("azureml:wine:3", "wine", ("3", "", "")),
        ("azureml:wine@latest", "wine", ("", "latest", "")),
        (
            "azureml://registries/azureml/environments/sklearn-1.5/versions/9",
            "sklearn-1.5",
            ("9", "", "azureml"),
        ),
        ("azureml://registries/azureml/environments/e/labels/latest", "e", ("", "latest", "azureml")),
        ("{name: wine, version: 3}", "wine", ("3", "", "")),
    ],
)
def test_a_registered_environment_is_named(tmp_path, text, name, rest):
    """In the workspace or a registry."""
    changed = re.sub(r"environment:\n.*\n.*\n", f"environment: {text}\n", JOB)
    found = load(tmp_path, {"job.yml": changed}).training.environment
    assert found.registered
    assert (found.name, (found.version, found.label, found.registry)) == (name, rest)


@pytest.mark.parametrize("text", ["wine", "azureml:wine", "./env.yml", "{name: wine}", "{}", "[a]"])
def test_an_environment_that_is_none_is_refused(tmp_path, text):
    """Without an image, or a name and version."""
    changed = re.sub(r"environment:\n.*\n.*\n", f"environment: {text}\n", JOB)
    with pytest.raises(ExperimentInvalid, match=r"job.yml:7: "):
        load(tmp_path, {"job.yml": changed})


def test_what_is_wrong_in_a_conda_file_is_said_there(tmp_path):
    """With its own line; files that it names don't go with it."""
    with pytest.raises(ExperimentInvalid, match=r"experiments/wine/conda.yml:6: pip is to read -r req.txt"):
        load(tmp_path, {"conda.yml": CONDA.replace("scikit-learn==1.9.1", "-r req.txt")})
    with pytest.raises(ExperimentInvalid, match=r"conda.yml:2: the field `channel` is not supported"):
        load(tmp_path, {"conda.yml": CONDA.replace("channels", "channel")})


# What the digest covers.


def shuffled(text: str, seed: int) -> str:
    """The same YAML with its fields in another order, without comments and in another style."""
    chance = random.Random(seed)

    def mixed(value):
        if isinstance(value, dict):
            items = list(value.items())
            chance.shuffle(items)
            return {key: mixed(item) for key, item in items}
        return value

    return "# again\n" + yaml.safe_dump(
        mixed(yaml.safe_load(text)), sort_keys=False, default_flow_style=chance.choice([True, False])
    )


@settings(max_examples=30)
@given(seed=st.integers(), words=st.text("abc äö:#", max_size=20))
def test_order_comments_style_and_descriptions_change_no_digest(seed, words):
    """Nothing is trained again because a file was tidied up."""
    with tempfile.TemporaryDirectory() as folder:
        before = load(Path(folder))
        described = yaml.safe_load(JOB) | {
            "description": "d" + words,
            "display_name": "n" + words,
            "tags": {"t": words},
        }
        described |= {"limits": {"timeout": 5}, "compute": "other", "experiment_name": "else"}
        described["resources"] = {"instance_type": "Standard_NC6"}
        served = yaml.safe_load(DEPLOYMENT) | {
            "instance_count": 9,
            "description": "d" + words,
            "name": "green",
        }
        after = load(
            Path(folder),
            {
                "job.yml": shuffled(yaml.safe_dump(described), seed),
                "deployment.yml": shuffled(yaml.safe_dump(served), seed),
                "conda.yml": shuffled(CONDA.replace("name: wine", "name: other"), seed),
                "src/__pycache__/train.cpython-311.pyc": b"\0",
            },
        )
        assert after.training_digest == before.training_digest
        assert after.serving_digest == before.serving_digest
        assert after.deployment.settings_digest == before.deployment.settings_digest


@settings(max_examples=30)
@given(content=st.binary(min_size=1, max_size=30), at=st.integers(0), flipped=st.integers(1, 255))
def test_a_byte_of_code_changes_the_digest(content, at, flipped):
    """Whatever it is, and wherever."""
    other = bytearray(content)
    other[at % len(content)] ^= flipped
    with tempfile.TemporaryDirectory() as folder:
        before = load(Path(folder), {"src/train.py": content})
        after = load(Path(folder), {"src/train.py": bytes(other)})
    assert after.training_digest != before.training_digest
    assert after.serving_digest != before.serving_digest


@pytest.mark.parametrize(
    "changed",
    [
        {"src/more.py": ""},
        {"src/train.py": "print('training')\r\n"},
        {"src/data.json": "{}"},
        {"conda.yml": CONDA.replace("1.9.1", "1.9.2")},
        {"conda.yml": CONDA.replace("conda-forge", "defaults")},
        job("custom_model", "mlflow_model"),
        job("--rate", "--learning-rate"),
        job("THREADS: ", "WORKERS: "),
        job("rate: 0.1", "rate: 0.1\n  depth: 3"),
        job("instance_count: 1", "instance_count: 2"),
        job("ubuntu22.04", "ubuntu24.04"),
        job("data: {type: uri_file}", "data: {type: uri_folder}"),
        job("data: {type: uri_file}", "data: {type: uri_file, mode: direct}"),
        job("  rate: 0.1", "  rate: 0.1\n  other: {type: uri_file, path: azureml:a:1}"),
    ],
)
def test_what_decides_the_model_changes_the_digest(tmp_path, changed):
    """Code, command, environment, ports and instances."""
    assert load(tmp_path / "a", changed).training_digest != load(tmp_path / "b").training_digest


def test_where_the_data_lies_and_a_default_are_in_the_run_key_not_in_the_digest(tmp_path):
    """The stack's data version takes the place of the path that `az ml` alone would use."""
    other = JOB.replace("{type: uri_file}", "{type: uri_file, path: ./local.csv}").replace("0.1", "0.2")
    assert load(tmp_path / "a", {"job.yml": other}).training_digest == load(tmp_path / "b").training_digest


def test_the_digests_of_training_and_serving_are_apart(tmp_path):
    """Another probe replaces nothing that answers, another machine is a setting."""
    one = load(tmp_path / "a")
    other = load(
        tmp_path / "b", deployment("instance_type: Standard_DS3_v2", "instance_type: Standard_F4s_v2")
    )
    assert one.serving_digest == other.serving_digest
    assert one.deployment.settings_digest != other.deployment.settings_digest


@pytest.mark.parametrize(
    ("ignores", "left"),
    [
        ({}, {"train.py", "score.py", "notes/a.txt", "notes/b.md", "x.log"}),
        ({".gitignore": "*.log\nnotes/\n"}, {"train.py", "score.py"}),
        (
            {".gitignore": "*.log\n", ".amlignore": "notes/*\n!notes/b.md\n"},
            {"train.py", "score.py", "notes/b.md", "x.log"},
        ),
    ],
)
def test_files_that_are_ignored_are_no_code(tmp_path, ignores, left):
    """`.amlignore`, else `.gitignore`, of the code folder, as `az ml` has it; caches and Git's own never are."""
    files = {"notes/a.txt": "a", "notes/b.md": "b", "x.log": "c", "__pycache__/x.pyc": "d", ".git/HEAD": "e"}
    loaded = load(tmp_path, {f"src/{name}": text for name, text in (files | ignores).items()})
    assert set(loaded.training.code_files()) == left


def test_the_experiments_own_files_are_no_code(tmp_path):
    """A description in job.yml changes nothing where the code lies beside it, either."""
    changed = job("code: src", "code: .") | {"train.py": "", "data.json": "{}"}
    files = load(tmp_path, changed).training.code_files()
    assert set(files) == {"train.py", "conda.yml", "src/train.py", "src/score.py"}


@pytest.mark.parametrize("target", ["../../../secret.txt", "../../..", "../other", "notes"])
def test_a_link_that_leads_elsewhere_is_refused(tmp_path, target):
    """Out of the experiment's folder, or to a folder, which might lead back."""
    folder = write(tmp_path)
    (tmp_path / "secret.txt").write_text("x")
    (folder / "src" / "notes").mkdir()
    (folder / "src" / "linked").symlink_to(target, target_is_directory="txt" not in target)
    if target == "../other":
        (folder / "other").mkdir()
    with pytest.raises(ExperimentInvalid, match="linked is a link that leads elsewhere"):
        load_own_code("wine", tmp_path)


def test_a_link_to_a_file_of_the_experiment_is_its_content(tmp_path):
    """What is uploaded are files."""
    folder = write(tmp_path, {"shared.py": "x = 1\n"})
    (folder / "src" / "shared.py").symlink_to("../shared.py")
    assert load_own_code("wine", tmp_path).training.code_files()["shared.py"] == b"x = 1\n"


def test_the_form_of_an_experiment_is_told_by_its_files(tmp_path):
    """Both at once would leave open which of them is trained."""
    folder = write(tmp_path)
    assert form_of("wine", tmp_path) == "own code"
    (folder / "training.json").write_text("{}")
    with pytest.raises(ExperimentInvalid, match="has both a graph"):
        form_of("wine", tmp_path)
    for name in ("job.yml", "deployment.yml"):
        (folder / name).unlink()
    assert form_of("wine", tmp_path) == "graph"
    with pytest.raises(ExperimentInvalid, match="there is: wine"):
        form_of("win", tmp_path)


def test_environments_of_one_digest_are_written_alike(tmp_path):
    """A service that keeps an environment as it was first given is never given another under its name."""
    one = load(tmp_path / "a").training.environment
    other = load(tmp_path / "b", {"conda.yml": "# mine\n" + shuffled(CONDA, 3)}).training.environment
    assert (one.digest, one.conda) == (other.digest, other.conda)


def test_anchors_and_merges_are_yaml(tmp_path):
    """The mapping's own field counts."""
    text = JOB.replace("tags: {team: red}", "tags: &t {team: red, a: b}")
    text = text.replace('environment_variables: {THREADS: "1"}\n', "")
    text += "environment_variables: {<<: *t, team: blue}\n"
    assert load(tmp_path, {"job.yml": text}).training.environment_variables == {"team": "blue", "a": "b"}
