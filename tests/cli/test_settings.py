"""Keys of configuration are known wherever they come from, and values are judged before they are written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.app import build
from cli.stacks.values import judge
from clients.errors import ConfigurationError
from retrain_hooks.host.settings import refuse_alike, refuse_unknown
from tests.healing import Told

ROOT = Path(__file__).resolve().parents[2]
KEYS = set(yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"])
# A misspelt key, and the key that is meant.
MISSPELT = {
    "gaterules": "gateRules",
    "gateRule": "gateRules",
    "gateRules[0]": "gateRules",
    "GATERULES": "gateRules",
    "gate-rules": "gateRules",
    "gateApprovals": "gateApproval",
    "dataversion": "dataVersion",
    "holdoutDataversion": "holdoutDataVersion",
    "ring": "rings",
    "probeRow": "probeRows",
    "expectRunkey": "expectRunKey",
    "targets": "target",
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), arguments)


@pytest.fixture
def stack(project_root: Path) -> Path:
    """The stack's file of a project with this one's keys."""
    shutil.copy(ROOT / "Pulumi.yaml", project_root)
    (project_root / "experiments").symlink_to(ROOT / "experiments")
    file = project_root / "Pulumi.dev.yaml"
    file.write_text("config:\n  retraining:target: elsewhere\n")
    return file


@pytest.mark.parametrize(("written", "meant"), MISSPELT.items())
@pytest.mark.parametrize("how", ["stack file", "long form", "-c", "config set", "config get"])
def test_a_misspelt_key_is_refused_with_the_nearest(stack: Path, how: str, written: str, meant: str) -> None:
    """Wherever it is written; it would be ignored otherwise, and the gate not be in force."""
    before = stack.read_text()
    if how in ("stack file", "long form"):
        infix = "config:" if how == "long form" else ""
        before += f'  "retraining:{infix}{written}": ["auc >= 0.9"]\n'
        stack.write_text(before)
        done = run("preview", "--engine", "embedded")
    elif how == "-c":
        done = run("preview", "--engine", "embedded", "-c", f"{written}=x")
    else:
        done = run(*how.split(), written, *(["x"] if how == "config set" else []))
    assert done.exit_code == 2
    assert f"write retraining:{meant}" in done.output
    assert written in done.output
    assert stack.read_text() == before


@pytest.mark.parametrize(
    "key", ["azure-native:location", "aws:region", "pulumi:tags", "retraining:gateRules"]
)
def test_keys_of_other_namespaces_belong_to_others(key: str) -> None:
    """A provider's configuration is the provider's."""
    refuse_unknown([key], KEYS, "retraining")


@pytest.mark.parametrize("key", ["retrainng:gateRules", "Retraining:gateRules", "gateRules"])
def test_a_misspelt_project_is_refused(key: str) -> None:
    """A key of nearly this project, or of none, would be ignored as well."""
    with pytest.raises(ConfigurationError, match="write retraining:gateRules"):
        refuse_unknown([key], KEYS, "retraining")


def test_a_key_that_is_declared_twice_in_two_spellings_is_refused() -> None:
    """Pulumi.yaml may be where it is misspelt; keys that there are do not look alike."""
    refuse_alike(KEYS)
    for written, meant in MISSPELT.items():
        if meant == "gateRules":
            with pytest.raises(ConfigurationError, match="misspelling"):
                refuse_alike({*KEYS, written})


@pytest.mark.parametrize("text", ["confg:\n  retraining:seed: 1\n", "retraining:seed: 1\n"])
def test_configuration_outside_of_config_is_refused(stack: Path, text: str) -> None:
    """What stands beside `config:` in a stack's file is read by nobody."""
    stack.write_text(text)
    done = run("preview", "--engine", "embedded")
    assert done.exit_code == 2
    assert "nothing that a stack's file has" in done.output


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("seed", value) for value in ("abc", "1.5", "-1", "", "99999999999")),
        *(("gateRules", value) for value in ("auc >= 0.65", "[0.65]", '{"auc": 1}', '["auc"]', "[")),
        *(("bakeRules", value) for value in ('["errors"]', '[["errors <= 1"]]')),
        *(("bake", value) for value in ("10 minutes", "abc", '{"for": "10m"}')),
        *(("probeDeadline", value) for value in ("soon", "")),
        *(("probeRows", value) for value in ("-1", "many")),
        *(("kind", value) for value in ("newer", "Classic")),
        ("gateOnRejected", "ignore"),
        ("gateApproval", "yes"),
        ("approve", "x"),
        ("pin", "zzz"),
        ("dataPath", "flights.csv"),
        ("parameters", "[]"),
        ("rings", '[{"name": "pilot", "endpoints": ["a"]}]'),
        ("notifications", '[{"fil": "x"}]'),
        ("ratePerHour", "cheap"),
        ("deadlineMinutes", "0"),
        *(("target", value) for value in ("", "nowhere", "Local")),
        *(("location", value) for value in ("", "west europe", "West Europe")),
        *(("ownerEmail", value) for value in ("", "nobody")),
        *(("experiment", value) for value in ("", "flihgts", "../flights", "new/flights")),
        *(("dataVersion", ""), ("baselineDataVersion", " ")),
        *(("endpointName", value) for value in ("", "A_b", "with-dash", "a" * 25)),
        *(
            ("members", value)
            for value in ('{"x": 1}', '{"column": "a", "path": "b"}', '{"path": "sales.csv"}')
        ),
        *(("fleetConcurrency", value) for value in ("0", "1000")),
        *(("fleetWaves", '["x"]'), ("fleetBake", "soon"), ("fleetMaxFailures", "many"), ("expectPlan", "zz")),
        *(("maxJobs", "-1"), ("ratePerHour", "-1"), ("mirror", "51"), ("keepPrevious", "-1")),
        *(("steps", value) for value in ("[]", "[0, 100]", "[10]", "[50, 10, 100]", '["x"]')),
        *(("rings", value) for value in ('["A B"]', '["a", "a"]', '["pilot, "]')),
    ],
)
def test_a_value_that_an_update_would_refuse_is_not_written(stack: Path, key: str, value: str) -> None:
    """One line of cause that names the key; the file stays as it was."""
    before = stack.read_text()
    done = run("config", "set", key, "--", value)
    assert done.exit_code == 2, done.output
    assert key in done.output
    assert stack.read_text() == before


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("seed", "7", "7"),
        ("dataVersion", "20220113.10", "20220113.10"),
        ("gateRules", '["auc >= 0.7", "f1 >= champion"]', ["auc >= 0.7", "f1 >= champion"]),
        ("parameters", '{"Learning rate": "0.1"}', {"Learning rate": "0.1"}),
        ("rings", '["pilot", "europe, asia"]', ["pilot", "europe, asia"]),
        ("gateApproval", "true", "true"),
        ("bake", "1.5h", "1.5h"),
        ("pin", "", ""),
        ("azure-native:location", "anywhere", "anywhere"),
        ("experiment", "tumours", "tumours"),
        ("target", "environment", "environment"),
        ("members", '{"list": ["ann", {"name": "bob"}]}', {"list": ["ann", {"name": "bob"}]}),
        ("members", '{"column": "dest", "minimumRows": 50}', {"column": "dest", "minimumRows": 50}),
        ("steps", "[10, 50, 100]", [10, 50, 100]),
        ("ratePerHour", "0.19", "0.19"),
        ("holdoutDataVersion", "", ""),
    ],
)
def test_a_value_is_written_as_what_it_is(stack: Path, key: str, value: str, written: object) -> None:
    """Lists and objects are no texts; what is set is read back, and can be set again."""
    from backend.yaml_files import read

    for _ in range(2):
        done = run("config", "set", key, "--", value)
        assert done.exit_code == 0, done.output
        full = key if ":" in key else f"retraining:{key}"
        assert read(stack)["config"][full] == written


def test_a_default_is_always_a_value_of_its_key(stack: Path) -> None:
    """What Pulumi.yaml declares is what the check takes."""
    for key, declared in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"].items():
        default = declared["default"]
        text = default if isinstance(default, str) else json.dumps(default)
        if default not in ("", {}, []):
            judge(key, default if isinstance(default, list | bool) else text, "classic")
        assert run("config", "set", key, "--", text).exit_code == 0


def test_an_endpoint_of_azure_ml_may_have_dashes(stack: Path) -> None:
    """What a name may be is a matter of the stack's kind."""
    assert run("config", "set", "endpointName", "flight-delays").exit_code == 2
    assert run("config", "set", "kind", "azureml").exit_code == 0
    assert run("config", "set", "endpointName", "flight-delays").exit_code == 0


def test_a_secret_stays_one(stack: Path) -> None:
    """It is encrypted when it is set again, too, and is shown nowhere."""
    for more in (["--secret"], []):
        done = run("config", "set", "azure-native:clientSecret", f"s3cr3t{len(more)}", *more)
        assert done.exit_code == 0, done.output
        assert "[secret]" in done.output
        written = yaml.safe_load(stack.read_text())["config"]["azure-native:clientSecret"]
        assert written.keys() == {"secure"}
        for shown in (
            done,
            *(run("config", "get", *way) for way in ([], ["--json"], ["azure-native:clientSecret"])),
        ):
            assert "s3cr3t" not in shown.output
            assert written["secure"] not in shown.output
            assert "[secret]" in shown.output


def test_every_key_is_listed_with_what_it_is_for(stack: Path) -> None:
    """Its value, its default where that is another, and its description."""
    assert run("config", "set", "seed", "7").exit_code == 0
    lines = run("config", "get").output.splitlines()
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    found = {words[0]: line for line in lines if (words := line.split())}
    for key, said in declared.items():
        assert said["description"] in found[key]
    assert found["seed"].split()[:3] == ["seed", "7", "0"]


def test_a_value_is_taken_out_and_the_default_holds_again(stack: Path) -> None:
    """What was not set stays so, and is no error; a misspelt key is one."""
    before = stack.read_text()
    assert run("config", "set", "seed", "7").exit_code == 0
    assert "seed is taken out; it is 0, by default" in run("config", "unset", "seed").output
    assert stack.read_text() == before
    again = run("config", "unset", "seed")
    assert (again.exit_code, "was not set" in again.output) == (0, True)
    misspelt = run("config", "unset", "sead")
    assert misspelt.exit_code == 2
    assert "write retraining:seed" in misspelt.output


@pytest.mark.heals("write {}, or begin one: ./dev experiment new {}", at="cli/stacks/values.py")
@pytest.mark.heals("write some of {}", at="cli/stacks/values.py")
def test_what_is_advised_is_taken(stack: Path, remedy: Told) -> None:
    """The nearest experiment, and the keys that say who the members are."""
    for key, wrong, right in (
        ("experiment", "flihgts", "flights"),
        ("members", {"columns": "dest"}, {"column": "dest"}),
    ):
        told = remedy.fails(lambda key=key, wrong=wrong: judge(key, wrong, "classic")).remedy
        assert (right if isinstance(right, str) else "column") in told
        judge(key, right, "classic")
