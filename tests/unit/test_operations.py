"""Long-running operations of Resource Manager: each is followed to its end, whichever way it says where it stands."""

from __future__ import annotations

import pytest

from clients import errors
from tests.unit.test_resource_manager import manager

A = {"Azure-AsyncOperation": "http://studio/operations/1"}
L = {"Location": "http://studio/results/1"}
B = {"Azure-AsyncOperation": "http://studio/operations/2"}
GOES, DONE = {"status": "InProgress"}, {"status": "Succeeded"}
WAIT = {"Retry-After": "7"}


def thing(state: str) -> dict:
    return {"id": "/things/a", "properties": {"provisioningState": state}}


# What a change is answered, and each look after it; the last one is the end.
FOLLOWED = {
    "nothing but done": ("PUT", [(200, thing("Succeeded"))]),
    "a thing without a state": ("PUT", [(201, {"id": "/things/a"})]),
    "nothing said": ("PATCH", [(200, b"")]),
    "nothing there": ("DELETE", [(204, b"")]),
    "a 201 says where it goes on, not where it is": ("PUT", [(201, thing("Succeeded"), L)]),
    "its operation": ("PUT", [(201, thing("Creating"), A), (200, GOES), (200, DONE)]),
    "its operation first": ("PUT", [(202, b"", A | L), (200, GOES), (200, DONE)]),
    "its operation, with a word of its own": (
        "PUT",
        [(202, b"", A), (200, {"status": "Baking"}), (200, DONE)],
    ),
    "its operation, empty while it goes on": ("PUT", [(202, b"", A), (202, b""), (200, DONE)]),
    "its operation, elsewhere by now": ("PUT", [(202, b"", A), (200, GOES, B), (200, DONE)]),
    "its operation that is empty": (
        "PUT",
        [(202, b"", A), (200, b""), (200, thing("Updating")), (200, thing("Succeeded"))],
    ),
    "its operation that is forgotten": ("PUT", [(202, b"", A), (404, {}), (200, thing("Succeeded"))]),
    "its operation that is forgotten when it is deleted": (
        "DELETE",
        [(202, b"", A), (404, {}), (200, thing("Deleting")), (404, {})],
    ),
    "a place": ("DELETE", [(202, b"", L), (202, b""), (202, b"", L), (204, b"")]),
    "a place with the result": ("PUT", [(202, b"", L), (202, GOES), (200, thing("Succeeded"))]),
    "a place with a result that goes on": (
        "PUT",
        [(202, b"", L), (200, thing("Updating")), (200, thing("Succeeded"))],
    ),
    "a place that comes late": ("POST", [(202, b"", L), (202, b"", A), (200, DONE)]),
    "itself": ("PUT", [(201, thing("Creating")), (200, thing("Updating")), (200, thing("Succeeded"))]),
    "itself, not there yet": ("PUT", [(202, b""), (404, {}), (200, thing("Succeeded"))]),
    "itself until it is gone": ("DELETE", [(202, b""), (200, thing("Deleting")), (404, {})]),
    "itself, without a state, until it is gone": ("DELETE", [(202, b""), (200, {"id": "/a"}), (404, {})]),
}


def change(arm, method: str) -> None:
    if method in ("PUT", "PATCH"):
        getattr(arm, method.lower())("/things/a", {}, "the thing 'a'")
    else:
        getattr(arm, method.lower())("/things/a", "the thing 'a'")


@pytest.mark.parametrize(("method", "answers"), FOLLOWED.values(), ids=FOLLOWED)
def test_a_change_returns_at_its_end(method, answers):
    """Not before, which would be taken for done; not after one look more."""
    arm, service, _ = manager(*answers, (500, {}))
    change(arm, method)
    assert len(service.requests) == len(answers)
    assert [one.method for one in service.requests[1:]] == ["GET"] * (len(answers) - 1)


FAILED = {"status": "Failed", "error": {"code": "NoRoom", "message": "the region is full"}}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(202, b"", A), (200, GOES), (200, FAILED)], "'a' failed: NoRoom the region is full"),
        ([(202, b"", A), (200, {"status": "Canceled"})], "'a' canceled:  ?no reason"),
        ([(202, b"", A), (200, {"status": "Failed", "error": ["?"]})], "'a' failed"),
        ([(202, b"", L), (200, FAILED)], "the region is full"),
        ([(202, b"", L), (409, {"error": {"code": "InUse", "message": "others use it"}})], "others use it"),
        ([(202, b"", L), (200, thing("Failed"))], "'a' failed"),
        ([(202, b"", A), (200, {"what": "ever"})], "does not say how"),
        ([(202, b"", A), (200, b"<html>")], "not JSON"),
        ([(202, b"", {"Location": "http://elsewhere/1"})], "another host"),
        ([(302, b"", L), (200, DONE)], "answered 302"),
    ],
)
def test_a_change_that_ends_badly_says_why(method, answers, said):
    """A status of 200 is the look's, not the change's."""
    arm, service, _ = manager(*answers)
    with pytest.raises(errors.ServiceError, match=said):
        change(arm, method)
    assert len(service.requests) == 1 if answers[0][0] == 302 else len(answers)


@pytest.mark.parametrize(
    "answers",
    [
        [(202, b"", A | WAIT), (200, GOES, WAIT), (200, GOES, WAIT), (200, DONE)],
        [(202, b"", L | WAIT), (202, b"", WAIT), (202, b"", L | WAIT), (204, b"")],
        [(202, b"", WAIT), (200, thing("Updating"), WAIT), (200, thing("Updating"), WAIT), (404, {})],
    ],
)
def test_the_service_says_when_it_is_asked_again(answers):
    """By each answer anew."""
    arm, _, clock = manager(*answers)
    arm.delete("/things/a", "the thing 'a'")
    assert clock.sleeps[-2:] == [7, 7]
    assert 21 <= clock.monotonic() < 22


@pytest.mark.parametrize("wish", ["100000", "Fri, 31 Dec 2100 23:59:59 GMT", "nan", "-1", "soon"])
@pytest.mark.parametrize("header", [A, L, {}])
def test_what_never_ends_ends_at_the_deadline(wish, header):
    """Whenever the service would like to be asked."""
    arm, _, clock = manager((202, b"", header | {"Retry-After": wish}), (202, b"", {"Retry-After": wish}))
    with pytest.raises(errors.DeadlineExceeded, match="the thing 'a' took longer than 900 s"):
        arm.put("/things/a", {}, "the thing 'a'")
    assert 900 <= clock.monotonic() < 920
