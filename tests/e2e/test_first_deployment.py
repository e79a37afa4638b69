"""The first deployment of a gated endpoint, as a user meets it: nothing serves what the gate refused or nobody approved."""

from __future__ import annotations

import pytest

from tests.e2e.checkout import jobs, writes
from tests.e2e.test_gate import Story, declare

pytestmark = pytest.mark.cloud

NOTHING = "serves nothing until a model passes"


@pytest.mark.parametrize("kind", ["classic", "new"])
def test_a_gate_serves_nothing_before_a_model_has_passed(checkouts, kind):
    """Red with fail, green with hold and while it waits, quiet after; then the endpoint is made, and answers."""
    story = Story(checkouts.fresh())
    declare(story.checkout, kind=kind, gateRules='["auc >= 0.999"]')
    refused = story.tell("refused", "up")
    assert refused.done.status == 1
    assert NOTHING in refused.done.text
    assert "unchanged\n" not in refused.done.text.partition("the gate refuses")[2].partition("\n")[0]
    held = story.tell("held", "up", gateOnRejected="hold")
    assert held.done.status == 0, held.done.text
    assert (held.outputs["verdict"], held.outputs["modelAddress"]) == ("held", "")
    assert held.outputs["endpointUrl"] == ""
    assert "not made before a model has passed the gate" in held.done.out
    assert " endpoint-studio withheld (" in held.done.out
    assert NOTHING in held.done.text
    assert jobs(held.journal) == 0
    quiet = story.tell("held, quiet", "preview")
    assert quiet.done.status == 0
    assert "Plan for dev: nothing changes\n" in quiet.done.out
    assert "unknown" not in quiet.done.text
    assert story.checkout.dev("preview", "--expect-no-changes", "--engine", "embedded").status == 0
    assert story.checkout.dev("refresh", "--yes", "--engine", "embedded").status == 0
    waits = story.tell("waits", "up", gateRules='["auc >= 0.5"]', gateApproval="true")
    assert waits.done.status == 0, waits.done.text
    assert waits.outputs["verdict"] == "awaiting approval"
    assert waits.outputs["endpointUrl"] == ""
    key = waits.outputs["runKey"]
    approved = story.tell("approved", "up", approve=key[:12])
    assert approved.done.status == 0, approved.done.text
    assert approved.outputs["verdict"] == "passed"
    assert approved.outputs["endpointUrl"]
    assert " endpoint-studio created (" in approved.done.out
    assert key in approved.outputs["modelAddress"]
    assert "retrained" in approved.done.out
    assert writes(story.tell("approved, quiet", "preview").journal) == []
    gone = story.checkout.dev("destroy", "--yes", "--engine", "embedded")
    assert gone.status == 0, gone.text
