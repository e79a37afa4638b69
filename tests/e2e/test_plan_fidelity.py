"""What a preview shows is what the update does: the same steps, the same values, or values marked unknown."""

from __future__ import annotations

import json
from itertools import islice

import jsonschema
import pytest

from cli.reference import schemas
from plans.contract import departures, differences, left
from plans.plan import Plan
from tests.e2e import fidelity
from tests.e2e.checkout import Checkout, jobs, patches
from tests.e2e.fidelity import SCENARIOS, UNKNOWN, Outcome, changed, leaves, reasons
from tests.plans import snapshots
from tests.plans.mutants import mutants
from tests.plans.test_contract import contract

pytestmark = pytest.mark.cloud
PLAN = jsonschema.Draft7Validator(json.loads((schemas.FOLDER / schemas.PLAN).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def story(checkout: Checkout) -> dict[str, Outcome]:
    """All scenarios in their order."""
    return fidelity.tell(checkout)


def plans(outcome: Outcome) -> tuple[Plan, Plan]:
    """What was explained, and what was carried out."""
    return Plan.read(outcome.preview["plan"]), Plan.read(outcome.update["plan"])


@pytest.fixture(scope="module")
def words(story: dict[str, Outcome]) -> dict[str, str]:
    """What was said in each scenario."""
    return fidelity.words(story)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_preview_writes_nothing(story, name):
    """Not one request that changes anything."""
    assert [line for line in story[name].preview_writes if not seeding(line)] == []


def seeding(line: str) -> bool:
    """What `cloud start` uploads before the first preview is not the preview's."""
    return "/data" in line or line.endswith("/registry")


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_steps_of_the_update_are_those_of_the_preview(story, name):
    """No more, no fewer; an update that the gate stops does the steps before it."""
    outcome = story[name]
    planned, done = set(changed(outcome.preview)), set(changed(outcome.update))
    if name == "refused":
        assert done < planned
        assert {step.rpartition("::")[2] for step in planned - done} == {
            "endpoint-promotion",
            "endpoint-binding",
        }
    else:
        assert done == planned


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_values_of_the_update_are_those_of_the_preview_or_were_marked_unknown(story, name):
    """Every input of every step."""
    outcome = story[name]
    done = changed(outcome.update)
    for step, planned in changed(outcome.preview).items():
        if step not in done or planned["new"] is None:
            continue
        actual = dict(leaves(done[step]["new"]))
        for path, value in leaves(planned["new"]):
            if value not in UNKNOWN:
                assert actual.get(path) == value, f"{name}: {step}{path}"


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_stages_that_were_explained_are_those_that_were_carried_out(story, name):
    """Their facts were known and are the same, or were named as unknown; providers were given what was promised."""
    planned, done = plans(story[name])
    assert departures(planned, done) == []
    assert left(planned, done) == (["endpoint-promotion", "endpoint-binding"] if name == "refused" else [])
    after = {(stage.urn, stage.operation): stage.facts for stage in done.stages}
    for stage in planned.stages:
        found = after.get((stage.urn, stage.operation), stage.facts)
        known = {fact: value for fact, value in stage.facts.items() if fact not in stage.unknown}
        if known.get("verdict") == "pending":
            del known["verdict"]
        assert known == {fact: found.get(fact) for fact in known}, stage.name


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_update_that_would_do_other_things_is_refused(story, name):
    """Every ninth mutant of what the scenario does: a step dropped, another, or given something else."""
    document = story[name].preview
    approved = contract(document)
    for mutant, other in islice(mutants(document), len(name) % 9, None, 9):
        assert differences(approved, contract(other)), mutant


@pytest.mark.parametrize("name", [name for name in SCENARIOS if not name.startswith("refused")])
def test_what_the_cloud_was_asked_for_is_what_the_plan_says(story, name):
    """A job for each model that is trained, a PATCH for each endpoint whose model is another, and what is served then."""
    outcome = story[name]
    planned, done = plans(outcome)
    trained = {each.facts["runKey"] for each in planned.told if each.facts.get("action") == "train"}
    assert jobs(outcome.journal) == len(trained)
    bindings = [each.facts for each in planned.told if each.kind == "ModelBinding"]
    patched = patches(outcome.journal)
    for facts in bindings:
        endpoints = [each for ring in facts["rings"] for each in ring["endpoints"]]
        if facts.get("oldModel", facts["model"]) != facts["model"]:
            assert [line.rpartition("/")[2] for line in patched] == endpoints
        assert all(line.endswith(tuple(endpoints)) for line in patched)
        assert outcome.update["outputs"]["modelAddress"] == facts["model"]
    if not bindings:
        assert patched == []
    candidates = [
        each.facts for each in done.told if each.name == "candidate" and each.kind == "TrainedModel"
    ]
    for facts in candidates:
        assert outcome.update["outputs"]["runKey"] == facts["runKey"]
        assert outcome.update["outputs"]["metrics"] == facts["metrics"]


@pytest.mark.parametrize("name", [name for name in SCENARIOS if not name.startswith("refused")])
def test_after_an_update_a_refreshed_preview_is_quiet(story, name):
    """Nothing is found that the update should have done."""
    assert story[name].quiet


@pytest.mark.parametrize("name", SCENARIOS)
def test_plans_are_of_the_published_schema(story, name):
    """Before the update and after it."""
    for told in (story[name].preview, story[name].update):
        PLAN.validate(told["plan"])


@pytest.mark.parametrize("file", sorted(path.name for path in snapshots.FOLDER.iterdir()))
def test_the_words_are_those_that_were_reviewed(words, file):
    """At 80 and 120 columns, of the preview and of what came of it; ./dev docs plan-fidelity writes them anew."""
    assert (snapshots.FOLDER / file).read_text(encoding="utf-8") == words[file]


def test_the_words_of_each_scenario_were_reviewed(words):
    """None is without its files."""
    assert set(words) == {path.name for path in snapshots.FOLDER.iterdir()}


@pytest.mark.parametrize("name", ["owner's address", "tag from outside", "description", "limits"])
def test_what_cannot_change_an_identity_leaves_what_rests_on_it_known(story, name):
    """The addresses that others call are known in the preview, and the same after the update."""
    outcome = story[name]
    assert all(step.startswith("update ") for step in changed(outcome.preview))
    for output in ("endpointUrl", "modelAddress", "baselineUrl"):
        assert outcome.preview["outputs"][output] == outcome.update["outputs"][output] not in UNKNOWN


@pytest.mark.parametrize(
    ("name", "statuses"),
    [("refused", (0, 1)), ("refused again", (1, 1)), ("held", (0, 0)), ("drift", (0, 0))],
)
def test_a_refused_candidate_is_not_promised_again(story, name, statuses):
    """The first preview can't know the verdict, the next one does."""
    assert story[name].statuses == statuses


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing changed", 0),
        ("new data", 1),
        ("touched data", 0),
        ("parameters", 2),
        ("forced", 1),
        ("back", 0),
        ("pinned", 0),
        ("window", 1),
        ("refused", 1),
        ("refused again", 0),
        ("held", 0),
        ("let through", 0),
        ("drift", 0),
        ("lost model", 1),
        ("description", 0),
        ("code change", 2),
        ("tag from outside", 0),
        ("owner's address", 0),
    ],
)
def test_each_distinct_input_is_trained_once(story, name, expected):
    """Jobs that the update submitted: parameters and code are the baseline's as well."""
    assert jobs(story[name].journal) == expected


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("new data", "DATA 2013-01"),
        ("parameters", "PARAMETERS"),
        ("forced", "FORCED"),
        ("pinned", "PINNED"),
        ("lost model", "LOST"),
        ("code change", "CODE"),
    ],
)
def test_the_preview_says_why(story, name, why):
    """In the word for it, with old and new."""
    assert why in reasons(story[name])


def test_the_page_in_the_documentation_is_this_runs(story):
    """Figures in documents come from a run."""
    assert fidelity.DOCUMENT.read_text() == fidelity.page(story), "./dev docs plan-fidelity writes it"
