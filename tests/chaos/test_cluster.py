"""A Dask cluster that dies under its jobs: each job is done, with the bytes of any other run, and is written once."""

from __future__ import annotations

import pytest

from tests.chaos.cluster.house import House
from tests.chaos.cluster.play import SCHEDULER, WORKER, drawn, play

pytestmark = pytest.mark.cloud


def test_jobs_survive_a_worker_and_the_scheduler(tmp_path):
    """Ten jobs over two workers, one of which is killed, and the scheduler, in the order that is drawn."""
    trees, kills = drawn(10, 2, 1, 1)
    house = House(tmp_path, 2)
    try:
        outcome = play(house, trees, kills)
    finally:
        house.close()
    assert outcome.violations == []
    assert outcome.figures["killed: worker"] == outcome.figures["killed: scheduler"] == 1
    assert outcome.figures["models written"] == outcome.figures["jobs in the books, finished"] == 10


def test_the_same_seed_draws_the_same_kills():
    """As many of workers as asked, and one of the scheduler."""
    assert drawn(200, 3, 10, 7) == drawn(200, 3, 10, 7) != drawn(200, 3, 10, 8)
    victims = [kill.victim for kill in drawn(200, 3, 10, 7)[1]]
    assert (victims.count(WORKER), victims.count(SCHEDULER)) == (10, 1)
