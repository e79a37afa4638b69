"""The page of the local cloud: behind a link that its own file's key makes, beside what it is asked by others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.studio.every_route import House
from tests.studio.inside import CLOUD, Inside, opened

HERE = {"Origin": "http://127.0.0.1"}
BASE = "/_local/page"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("cloud")) as inside:
        yield House(inside)


@pytest.fixture
def inside(house: House) -> Inside:
    """Somebody who is signed in."""
    house.inside.http.cookies.clear()
    link = house.inside("POST", f"{BASE}/links", CLOUD.arm_token)
    assert house.inside("GET", link.json()["path"]).status_code == 200
    return house.inside


def endpoint(inside: Inside, name: str) -> dict[str, Any]:
    """The endpoint of that name."""
    found = inside("GET", f"{BASE}/api/overview").json()["endpoints"]
    return next(one for one in found if one["name"] == name)


def test_its_address_says_how_to_sign_in(house: House) -> None:
    """To whoever is not, and it says no more."""
    house.inside.http.cookies.clear()
    text = house.inside("GET", "/").text
    assert "./dev cloud page" in text
    assert "scoring" not in text
    assert house.inside("GET", f"{BASE}/api/overview").status_code == 401


@pytest.mark.parametrize("key", ["", "wrong", "workspace-token-of-this-test"])
def test_a_link_is_made_for_the_key_of_its_file(house: House, key: str) -> None:
    """And for no other."""
    assert house.inside("POST", f"{BASE}/links", key).status_code == 401


def test_it_shows_what_is_served(inside: Inside) -> None:
    """What trains scores no rows."""
    text = inside("GET", "/").text
    assert "default of scoring" in text
    assert "trains models, by batch jobs" in text
    assert not endpoint(inside, "default of training")["scores"]


def test_it_shows_jobs_with_what_is_done_of_them(inside: Inside, house: House) -> None:
    """A job's share is its modules'; one that was never started is none."""
    works = inside.works
    request = {"inputs": {}, "outputs": {}, "parameters": {}}
    from localcloud.works.batch.jobs import JobRequest

    trained = house.services["training"][1]
    for start in (True, False):
        job = works.jobs.create(trained.id, trained.package, (), JobRequest(**request))
        if start:
            works.jobs.start(job)
            running = job
    works.runner._progress[running] = {"Module": "Train Model", "Rows": 4000, "Done": 1, "Total": 4}
    found = inside("GET", f"{BASE}/api/jobs").json()["jobs"]
    [one] = [one for one in found if "Azure ML" not in one["name"]]
    assert (one["share"], one["doing"], one["over"]) == (0.25, "Train Model, 4,000 rows", False)
    works.jobs.delete(running)


def test_a_row_is_scored_as_a_client_has_it_scored(inside: Inside) -> None:
    """By the endpoint's key, which nobody is shown, and in the journal."""
    one = endpoint(inside, "default of scoring")
    form = inside("GET", f"{BASE}/score?endpoint={one['id']}").text
    assert 'name="column:area"' in form
    body = {"endpoint": one["id"], "row": {"area": "80"}}
    answer = inside("POST", f"{BASE}/api/score", headers=HERE, json=body)
    assert answer.status_code == 200, answer.text
    assert "Scored Labels" in answer.json()["answer"]
    last = inside("GET", f"{BASE}/api/journal").json()["calls"][0]
    assert last["path"].startswith(f"/workspaces/{'0' * 32}/services/{one['id']}/execute")
    everything = answer.text + form + inside("GET", "/").text
    keys = {
        key for _name, each in inside.works.services.all_endpoints(9) for key in each.keys if len(key) > 1
    }
    assert [key for key in keys if key in everything] == []


@pytest.mark.parametrize("row", [{"aera": "80"}, {"area": "wide"}, {}])
def test_a_wrong_row_is_told_in_the_endpoints_words(inside: Inside, row: dict[str, str]) -> None:
    """With its status and what it names."""
    one = endpoint(inside, "default of scoring")
    answer = inside("POST", f"{BASE}/api/score", headers=HERE, json={"endpoint": one["id"], "row": row})
    assert answer.status_code == 424
    assert "The endpoint answered 400" in answer.json()["cause"]


def test_it_does_not_fill_the_journal_that_it_shows(inside: Inside) -> None:
    """A page that lives would be all that is there."""
    before = inside.works.journal.newest(1)
    for path in ("/", f"{BASE}/jobs", f"{BASE}/api/jobs", f"{BASE}/journal"):
        assert inside("GET", path).status_code == 200
    assert inside.works.journal.newest(1) == before


def test_it_has_no_part_that_is_a_stacks(inside: Inside) -> None:
    """Runs and plans are shown by ./dev ui."""
    for path in ("runs", "plan", "drift", "api/plan"):
        assert inside("GET", f"{BASE}/{path}").status_code == 404
