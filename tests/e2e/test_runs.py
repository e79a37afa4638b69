"""The ledger's verbs as a user meets them: runs, show, prune, pin, the expected key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.checkout import Checkout, Done, jobs, patches, writes
from tests.e2e.registry import blobs, records, registry

pytestmark = pytest.mark.cloud

ENGINE = ("--engine", "embedded")
VERSIONS = ("2013-01", "2013-02", "2013-03")
WORKSPACE = "mlw-retraining-dev-workspace"


@pytest.fixture(scope="module")
def keys(checkout: Checkout) -> dict[str, str]:
    """The run keys by data version: the first is the baseline, the last is bound."""
    for version in VERSIONS[1:]:
        checkout.up("-c", f"dataVersion={version}")
    return {row["dataVersion"]: key for key, row in runs(checkout).items()}


@dataclass
class Chapter:
    """A command, the models before it, and what it asked of the cloud."""

    done: Done
    before: set[str]
    journal: list[dict[str, Any]]


def tell(checkout: Checkout, *arguments: str) -> Chapter:
    before = blobs(checkout, "models/")
    checkout.reset_journal()
    return Chapter(checkout.succeed(*arguments), before, checkout.journal())


@pytest.fixture(scope="module")
def pinned(checkout: Checkout, keys: dict[str, str]) -> Chapter:
    """The first model, bound again by the first digits of its key; the pin is taken out again."""
    told = checkout.succeed("pin", keys["2013-01"][:5], *ENGINE, "--yes").out
    assert f"run {keys['2013-01'][:12]} of data version 2013-01" in told
    assert "nothing is trained" in told
    chapter = tell(checkout, "up", *ENGINE, "-c", "dataVersion=2013-02")
    checkout.succeed("config", "unset", "pin")
    return chapter


@pytest.fixture(scope="module")
def pruned(checkout: Checkout, pinned: Chapter) -> Chapter:
    """The second model is neither bound nor the newest, so that it is retired."""
    assert pinned.done.status == 0
    return tell(checkout, "runs", "prune", "--keep", "1", "--yes")


@pytest.fixture(scope="module")
def again(checkout: Checkout, pruned: Chapter) -> Chapter:
    """The second model is wanted after all."""
    assert pruned.done.status == 0
    return tell(checkout, "up", *ENGINE, "-c", "dataVersion=2013-02")


def runs(checkout: Checkout) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in checkout.succeed("runs", "--json").json}


def test_runs_lists_every_run_and_where_its_model_is_bound(checkout, keys):
    """Key, data version, quality and endpoint; the newest first."""
    listed = runs(checkout)
    assert sorted(keys) == list(VERSIONS)
    assert next(iter(listed)) == keys["2013-03"]
    assert all(row["state"] == "finished" and 0.7 < row["auc"] < 0.85 for row in listed.values())
    bound = {row["dataVersion"]: row["bound"] for row in listed.values() if row["bound"]}
    assert bound == {"2013-01": [f"default of {WORKSPACE}"], "2013-03": [f"retrained of {WORKSPACE}"]}
    table = checkout.succeed("runs").out
    assert all(key[:12] in table and key[:13] not in table for key in keys.values())


def test_show_tells_all_that_is_on_record_and_how_to_pin_it(checkout, keys):
    """By the first digits of the key."""
    key = keys["2013-02"]
    shown = checkout.succeed("runs", "show", key[:8]).out
    assert f"models/flights/{key}/1.ilearner" in shown
    assert f"./dev pin {key[:12]}" in shown
    record = checkout.succeed("runs", "show", key[:8], "--json").json
    assert (record["key"], record["model"]["intact"]) == (key, True)
    assert record["model"]["size"] == record["bytes"] > 0
    assert record["evaluation"] == f"models/flights/{key}/1.evaluation.csv"
    assert all("outcome" in verdict for verdict in record["verdicts"])


def test_a_run_that_is_not_there_is_one_cause_and_one_remedy(checkout, keys):
    """Without a traceback."""
    assert keys
    done = checkout.dev("runs", "show", "0" * 20)
    assert done.status == 1
    assert done.err.splitlines() == [
        "error: there is no run 00000000000000000000",
        "remedy: see ./dev runs for those that there are",
    ]


@pytest.mark.parametrize("verb", ["preview", "up"])
def test_another_key_than_the_expected_one_is_refused_and_nothing_written(checkout, keys, verb):
    """What somebody approved is what is bound, or nothing is."""
    checkout.reset_journal()
    expected = keys["2013-03"][:12]
    done = checkout.dev(verb, *ENGINE, "-c", "dataVersion=2013-02", "--expect", expected)
    assert done.status == 1
    assert f"the run key is {keys['2013-02']}, not the expected {expected}" in done.text
    assert writes(checkout.journal()) == []


def test_the_expected_key_is_let_through(checkout, keys):
    """By its first digits."""
    done = checkout.dev("preview", *ENGINE, "-c", "dataVersion=2013-02", "--expect", keys["2013-02"][:12])
    assert done.status == 0, done.text


def test_a_pinned_run_is_bound_whatever_the_data_version(pinned, keys):
    """One PATCH and no job."""
    assert (jobs(pinned.journal), len(patches(pinned.journal))) == (0, 1)
    assert f"models/flights/{keys['2013-01']}/1.ilearner" in pinned.done.out
    assert "\nData version  2013-01 (2013-02 was asked for)\n" in pinned.done.out


def test_a_dry_run_says_what_would_be_retired_and_writes_nothing(checkout, keys, pinned):
    """The model that is neither bound nor the newest."""
    assert pinned.done.status == 0
    tried = tell(checkout, "runs", "prune", "--keep", "1", "--dry-run")
    assert keys["2013-01"][:12] in tried.done.out
    assert (writes(tried.journal), blobs(checkout, "models/")) == ([], tried.before)


def test_prune_never_deletes_what_is_bound(checkout, keys, pruned):
    """The bound model and the newest stay, and it says so."""
    assert f"bound      {keys['2013-01'][:12]}" in pruned.done.out
    assert "retired 1 model" in pruned.done.out
    gone = {f"models/flights/{keys['2013-02']}/1{end}" for end in (".ilearner", ".evaluation.csv")}
    assert pruned.before - blobs(checkout, "models/") == gone
    assert sum(line.startswith("DELETE ") for line in writes(pruned.journal)) == 2


def test_a_retired_run_is_trained_again_when_it_is_wanted(checkout, keys, again):
    """As the next attempt, at an address of its own."""
    assert jobs(again.journal) == 1
    row = runs(checkout)[keys["2013-02"]]
    assert (row["state"], row["attempt"], row["bound"]) == ("finished", 2, [f"retrained of {WORKSPACE}"])


def test_prune_keeps_what_was_bound_behind_its_back(checkout, keys, again):
    """The marker names another model than the endpoint serves: the service is asked."""
    assert again.done.status == 0
    checkout.up("-c", "dataVersion=2013-03")
    served = f"models/flights/{keys['2013-03']}/1.ilearner"
    name, marker = next(item for item in records(checkout, "bound/").items() if item[1]["address"] == served)
    marker["address"] = f"models/flights/{keys['2013-01']}/1.ilearner"
    with registry(checkout) as container:
        container.upload_blob(name, json.dumps(marker).encode(), overwrite=True)
    done = checkout.succeed("runs", "prune", "--keep", "1", "--yes")
    assert f"bound      {keys['2013-03'][:12]}  kept: retrained of {WORKSPACE}" in done.out
    assert served in blobs(checkout, "models/")


def test_prune_deletes_nothing_while_a_marker_cannot_be_read(checkout, keys):
    """One line of cause, one of remedy, every blob still there."""
    assert keys
    before = blobs(checkout, "models/")
    with registry(checkout) as container:
        container.upload_blob("bound/broken.json", b"{", overwrite=True)
        done = checkout.dev("runs", "prune", "--keep", "1", "--yes")
        container.delete_blob("bound/broken.json")
    assert done.status == 1
    assert "error: nothing is retired while it isn't known what is bound" in done.err
    assert blobs(checkout, "models/") == before


def test_a_corrupt_record_is_shown_as_such(checkout, keys):
    """In the list, and when it is asked for; its model stays."""
    key = "ab" * 32
    with registry(checkout) as container:
        container.upload_blob(f"runs/{key}.json", b"{", overwrite=True)
        assert runs(checkout)[key]["state"] == "corrupt"
        shown, pruned = checkout.dev("runs", "show", key), checkout.dev("runs", "prune")
        container.delete_blob(f"runs/{key}.json")
    assert keys
    assert (shown.status, pruned.status) == (1, 0)
    assert f"the record of run {key[:12]} cannot be read" in shown.err
    assert f"the record of run {key[:12]} cannot be read: left as it is" in pruned.err


def test_destroy_forgets_what_was_bound(checkout, keys):
    """No marker is left of what is gone, and the models stay."""
    models = blobs(checkout, "models/")
    checkout.succeed("destroy", "--yes", *ENGINE)
    assert (blobs(checkout, "bound/"), blobs(checkout, "models/")) == (set(), models)
    assert len(keys) == 3
