"""A plan that is saved, approved and carried out exactly; and the report on what came of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, Done, writes

pytestmark = pytest.mark.cloud

ENGINE = ("--engine", "embedded")
FEBRUARY, MARCH = ("-c", "dataVersion=2013-02"), ("-c", "dataVersion=2013-03")


@pytest.fixture(scope="module")
def deployed(checkout: Checkout) -> Checkout:
    """A stack with its first model."""
    checkout.up()
    return checkout


@pytest.fixture(scope="module")
def plan(deployed: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of a retraining on February's flights."""
    file = tmp_path_factory.mktemp("plan") / "plan.json"
    deployed.reset_journal()
    markdown = file.with_suffix(".md")
    done = deployed.succeed(
        "preview", *ENGINE, *FEBRUARY, "--save-plan", str(file), "--markdown", str(markdown)
    )
    assert writes(deployed.journal()) == []
    assert max(map(len, done.out.splitlines())) <= 100
    assert re.search(r"data 2013-01 \([0-9a-f]{7}\) → 2013-02 \([0-9a-f]{7}\)", done.out)
    assert markdown.read_text().startswith("<!-- retraining plan: dev -->")
    key = deployed.cloud["accountKey"]
    assert key not in file.read_text()
    return file


@pytest.fixture(scope="module")
def carried_out(deployed: Checkout, plan: Path) -> Done:
    """The update that carries the plan out."""
    return deployed.up(*FEBRUARY, "--plan", str(plan))


def test_another_world_is_refused_and_nothing_is_written(
    deployed: Checkout, plan: Path, tmp_path: Path
) -> None:
    """Other data, another gate, an edited file: each by name, before anything is written."""
    edited = tmp_path / "edited.json"
    edited.write_text(plan.read_text().replace("2013-02", "2013-03"))
    deployed.reset_journal()
    for arguments, causes in (
        ((*MARCH, "--plan", str(plan)), ("configuration: retraining:dataVersion", "data: candidate")),
        ((*FEBRUARY, "-c", 'gateRules=["auc >= 0.6"]', "--plan", str(plan)), ("rules: endpoint-promotion",)),
        ((*FEBRUARY, "--plan", str(edited)), ("somebody has edited it",)),
        ((*FEBRUARY, "--plan", "no/such/file"), ("cannot be read",)),
    ):
        done = deployed.dev("up", "--yes", *ENGINE, *arguments)
        assert done.status == 1
        assert all(cause in done.err for cause in causes), done.text
        assert "remedy: " in done.err
        assert "Traceback" not in done.text
    assert writes(deployed.journal()) == []


def test_the_plan_is_carried_out_once(deployed: Checkout, plan: Path, carried_out: Done) -> None:
    """What was planned is told again, filled in; the second time it is refused."""
    done = carried_out
    assert "Plan for dev: retrain candidate" in done.out
    told = done.out[done.out.index("Done for dev: retrained candidate") :]
    assert re.search(r"took +[\d.]+ s \(job ", told)
    assert re.search(r"verdict +passed: ", told)
    again = deployed.dev("up", "--yes", *ENGINE, *FEBRUARY, "--plan", str(plan))
    assert again.status == 1
    assert "was carried out already" in again.err


@pytest.mark.usefixtures("carried_out")
def test_the_exit_status_tells_whether_something_changes(deployed: Checkout) -> None:
    """0 for nothing, 2 for changes, 1 for an error."""
    asked = ("preview", *ENGINE, "--detailed-exitcode", "--summary")
    same = deployed.dev(*asked, *FEBRUARY)
    assert (same.status, same.out) == (0, "dev: nothing changes\n")
    assert deployed.dev(*asked, *MARCH).status == 2
    assert deployed.dev(*asked, "-c", "dataVersion=1999-01").status == 1


def test_json_has_the_plan(deployed: Checkout) -> None:
    """Beside what the CLI's preview has."""
    found = deployed.succeed("preview", *ENGINE, *MARCH, "--json").json
    stages = {stage["kind"]: stage for stage in found["plan"]["stages"]}
    assert stages["TrainedModel"]["facts"]["dataVersion"] == "2013-03"
    assert stages["Promotion"]["unknown"]
    assert found["steps"]


@pytest.mark.usefixtures("carried_out")
def test_the_report_loads_nothing(deployed: Checkout, tmp_path: Path) -> None:
    """What serves, both runs compared on the same rows, each picture with a description."""
    page = tmp_path / "report.html"
    runs = [run["key"] for run in deployed.succeed("runs", "--json").json]
    deployed.succeed("report", "-o", str(page), "--compare", runs[0][:8], runs[1][:8])
    text = page.read_text()
    assert not re.search(r"""(?:src|href)=["']?https?:""", text)
    assert "<script" not in text
    assert all(key[:7] in text for key in runs)
    assert text.count("<svg") == text.count('<svg role="img" aria-label="') > 5
    assert "ROC curve. " in text
    assert "Confusion matrix of" in text
    unknown = deployed.dev("report", "--run", "ffffffff")
    assert unknown.status == 1
    assert "there is no run ffffffff" in unknown.err


@pytest.mark.usefixtures("carried_out")
def test_forecasts_are_held_against_what_came(deployed: Checkout) -> None:
    """With too few runs nothing was said."""
    found = deployed.succeed("runs", "--forecasts", "--json").json
    assert [one["seconds"] for one in found] == [None, None]
    assert all(one["took"] > 0 for one in found)
