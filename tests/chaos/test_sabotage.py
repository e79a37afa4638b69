"""The campaign notices: a product that is broken in one place violates what it must."""

from __future__ import annotations

import pytest

from tests.chaos.histories import Step, Strike, Update
from tests.chaos.program import Gate

pytestmark = pytest.mark.cloud

V1 = Step("up", (Update("a", "v1"),))
V3 = Step("up", (Update("a", "v3"),))  # the gate refuses it: its AUC is 0.70
V2 = Step("up", (Update("a", "v2"),))
KILLED = Step("up", (Update("a", "v1", strikes=(Strike("kill-provider", "after", 1, "POST */start"),)),))
LATE = Step("up", (Update("a", "v2", strikes=(Strike("late-request", "before", 1, "PATCH *"),)),))
OTHER = Step(
    "up", (Update("a", "v2", change="endpoint", strikes=(Strike("kill-both", "after", 1, "PATCH *"),)),)
)
RACE = Step("up", tuple(Update(stack, "v1") for stack in "ab"))


@pytest.mark.parametrize(
    ("sabotage", "steps", "noticed"),
    [
        ("start before record", [KILLED, V1], {"orphan", "duplicate"}),
        ("no compare and swap", [RACE], {"orphan", "duplicate"}),
        ("forgetful ledger", [V1, V2, V1], {"duplicate"}),
        ("bind something else", [V1, V2], {"wrong binding"}),
        ("gate lets all through", [V1, V3], {"ungated"}),
        ("code is not covered", [V1, Step("code", choice="5"), V1], {"no convergence"}),
        ("unsteady", [V1], {"no convergence"}),
        ("preview writes", [V1, Step("preview", (Update("a", "v2"),))], {"preview"}),
        ("tells its key", [V1], {"secret"}),
        ("waits for nobody", [V1, LATE, V1], {"wrong binding"}),
        ("owns everything", [V1, Step("rename", (Update("a", "v1"),))], {"taken"}),
        ("owns everything", [V1, Step("checkout", (Update("a", "v1"),), choice="refused")], {"taken"}),
        ("deletes whatever bears the name", [V1, OTHER, V1], {"taken"}),
    ],
)
def test_a_broken_product_is_noticed(tell, sabotage, steps, noticed):
    """Each invariant has at least one mistake that violates it."""
    outcome = tell(*steps, gate=Gate(("auc >= 0.71",)), sabotage=sabotage)
    assert noticed & {kind for kind, _text in outcome.violations}, outcome.violations


def test_an_endpoint_that_is_made_before_a_model_passed_is_noticed(tell):
    """It serves the baseline, which no gate has passed; nothing is violated where it is withheld."""
    gate = Gate(("auc >= 0.99",), hold=True)
    outcome = tell(V1, gate=gate, sabotage="makes ungated endpoints")
    assert "ungated" in {kind for kind, _text in outcome.violations}, outcome.violations
    assert tell(V1, gate=gate).violations == []
