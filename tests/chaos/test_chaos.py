"""The campaign in small, and that it would notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos import report
from tests.chaos.campaign import Campaign, Outcome
from tests.chaos.histories import history

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).resolve().parents[2]
# These have 46 of the 79 kinds of steps, strikes and faults; `./dev chaos` plays more.
HISTORIES, PART, SEED = 8, 4, 1385


@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_histories_leave_no_duplicate_no_orphan_and_nothing_wrong_bound(world, tmp_path, first):
    """Killed, raced and faulted, each in another way; what fails is printed with its seed and its shortest steps."""
    done = tmp_path / "done.jsonl"
    outcomes = Campaign(PART, SEED, first=first, world=world, resume=done).run()
    failures = "\n".join(report.failure(outcome) for outcome in outcomes if outcome.violations)
    assert not failures, failures
    assert report.last_line(outcomes) == f"{PART} histories: 0 duplicates, 0 orphans, 0 wrong bindings"
    assert len(Campaign(PART, SEED, first=first, world=world, resume=done).run()) == PART


def test_the_same_seed_draws_the_same_histories():
    """So that a failure can be seen again."""
    assert [history(7, index) for index in range(50)] == [history(7, index) for index in range(50)]
    assert history(7, 1) != history(8, 1)


def test_an_interrupted_campaign_goes_on_where_it_was(tmp_path):
    """A line that was cut is played again, the others are not; another seed's are not taken."""
    done = tmp_path / "done.jsonl"
    lines = [json.dumps(Outcome(seed, index, 1.0, {}).to_json()) for seed, index in ((5, 0), (5, 1), (6, 2))]
    done.write_text("\n".join([*lines, lines[0][:20]]))
    assert sorted(Campaign(3, 5, resume=done)._known()) == [0, 1]


def test_the_verb_prints_the_figures_and_ends_with_the_one_line():
    """One history from the command line."""
    command = [sys.executable, "-m", "cli", "chaos", "-n", "1", "--seed", str(SEED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "1 histories: 0 duplicates, 0 orphans, 0 wrong bindings"
    assert "jobs started" in done.stdout


def test_a_violation_is_shown_with_how_to_see_it_again():
    """Seed, index, shortest steps, command."""
    outcome = Outcome(3, 9, 1.0, {}, [("orphan", "job x")], ["up()", "clock()"], ["up()"])
    text = report.failure(outcome)
    assert "orphan: job x" in text
    assert "./dev chaos -n 1 --seed 3 --first 9" in text
    assert "clock()" not in text
    assert report.last_line([outcome]) == "1 histories: 0 duplicates, 1 orphans, 0 wrong bindings"
