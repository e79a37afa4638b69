"""Resource Manager's long-running operations, as the clients follow them."""

from __future__ import annotations

import pytest

from clients.arm.resource_manager import ResourceManager
from clients.clock import ManualClock
from clients.errors import Conflict
from tests.unit.test_transport import Service, transport

BUSY = (409, {"error": {"code": "OperationInProgress", "message": "An operation is in progress."}})
OTHER = (409, {"error": {"code": "InUse", "message": "Others use it."}})


def manager(*answers: object) -> tuple[ResourceManager, Service, ManualClock]:
    service, clock = Service(*answers), ManualClock()
    return ResourceManager(transport(service), "2020-01-01", clock), service, clock


@pytest.mark.parametrize("code", ["OperationInProgress", "AnotherOperationInProgress"])
def test_a_change_waits_for_the_operation_that_goes_on(code):
    """A killed update leaves one behind: the next update waits for its end, and needs no third one."""
    busy = (409, {"error": {"code": code, "message": "An operation is in progress."}})
    arm, service, _ = manager(busy, busy, (200, {}))
    arm.put("/services/a", {}, "the service 'a'")
    assert [request.method for request in service.requests] == ["PUT"] * 3


def test_what_never_ends_and_what_is_refused_is_a_conflict():
    """The wait has a deadline; another refusal isn't waited for."""
    arm, _, clock = manager(BUSY)
    with pytest.raises(Conflict, match="the service 'a' is being changed by somebody else"):
        arm.delete("/services/a", "the service 'a'")
    assert 900 <= clock.monotonic() < 920
    arm, service, _ = manager(OTHER)
    with pytest.raises(Conflict, match="Others use it"):
        arm.delete("/services/a", "the service 'a'")
    assert len(service.requests) == 1
