"""Scripts in graphs run only where somebody allows them: who refuses them says how."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graph.definition import parse_experiment
from localcloud.facilities.errors import PackageError
from localcloud.works.graphs import Graphs
from retrain_hooks.experiments.carried import carry
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.services.web_service import WebServiceInputs, WebServiceLifecycle
from sandbox import confinement
from tests.healing import Told
from tests.remedies.test_authoring import NEW, bench, project_root, run  # noqa: F401  # fixtures
from tests.unit.fakes import Listener, OpenGuard
from tests.unit.test_experiment import PREDICTIVE, TRAINING, write

ROOT = Path(__file__).resolve().parents[2]


def scripted(package: dict[str, Any]) -> dict[str, Any]:
    """The graph with a script after its first edge's source."""
    found: dict[str, Any] = json.loads(json.dumps(package))
    text = "def azureml_main(rows):\n    return rows,\n"
    found["nodes"]["own"] = {"module": "Execute Python Script", "parameters": {"Python script": text}}
    first = found["edges"][0]
    found["edges"] = [
        {"from": first["from"], "to": "own.Dataset1"},
        {"from": "own", "to": first["to"]},
        *found["edges"][1:],
    ]
    return found


@pytest.mark.skipif(bool(confinement()), reason=confinement() or "this machine confines")
@pytest.mark.heals("say --allow-scripts, if you trust it", at="cli/authoring/experiment.py")
def test_a_trial_runs_scripts_only_when_that_is_said(remedy: Told, bench: Path) -> None:  # noqa: F811
    """And a check says that somebody has to."""
    assert run(NEW).exit_code == 0
    path = bench / "experiments" / "petals" / "training.json"
    path.write_text(json.dumps(scripted(json.loads(path.read_text()))))
    trial = "experiment run petals --data petals.csv"
    refused = run(trial)
    assert refused.exit_code == 1
    remedy(refused.stderr)
    assert 'node "own"' in refused.stderr
    checked = run("experiment check petals")
    assert checked.exit_code == 0
    assert "--allow-scripts" in checked.output
    assert run(f"{trial} --allow-scripts").exit_code == 0


@pytest.mark.heals("./dev cloud start --allow-scripts, if you trust the script")
def test_a_preview_refuses_a_script_that_the_local_cloud_would(
    remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is published; a cloud that was started so runs it."""
    write(tmp_path, scripted(TRAINING))
    monkeypatch.chdir(tmp_path)
    wanted = WebServiceInputs.parse(
        {"target": "local", "workspace": {"resource": "w", "id": "w"}, "source": "flights"}, recorded=True
    )

    def checks(allowed: bool) -> None:
        target: Any = SimpleNamespace(runs_scripts=allowed)
        context = Context(Listener(), OpenGuard(), resolve_target=lambda _name: target)
        WebServiceLifecycle(context)._refuse_scripts(wanted)

    remedy.fails(lambda: checks(False))
    checks(True)


@pytest.mark.heals("write the script as own code, with a job.yml, or leave the module out")
@pytest.mark.parametrize("part", ["training", "predictive"])
def test_a_script_is_not_carried_to_azure_ml(remedy: Told, tmp_path: Path, part: str) -> None:
    """Nothing there keeps it from the job's identity."""
    for each, package in (("training", TRAINING), ("predictive", PREDICTIVE)):
        write(tmp_path, scripted(package) if each == part else package, each)
        shutil.copy(ROOT / "requirements.lock", tmp_path)
    remedy.fails(lambda: carry("flights", tmp_path))
    write(tmp_path, TRAINING)
    write(tmp_path, PREDICTIVE, "predictive")
    assert carry("flights", tmp_path)


def test_the_local_cloud_publishes_scripts_only_when_it_was_started_so() -> None:
    """It is asked of every graph that it publishes, trains or scores with."""
    nothing: Any = None
    package = scripted(TRAINING)
    with pytest.raises(PackageError, match=r'node "own".*--allow-scripts'):
        Graphs(nothing, nothing).parse(package)
    assert Graphs(nothing, nothing, scripts=True).parse(package) == parse_experiment(package)
    assert Graphs(nothing, nothing).parse(TRAINING).scripts == ()
