"""docs/resources.md says what the lifecycles take."""

from __future__ import annotations

from cli.resource_reference import PAGE, page
from retrain_hooks import providers


def test_the_reference_of_resources_is_up_to_date():
    """It is rendered from the typed inputs; ./dev docs resources writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_resource_is_described():
    """A lineage takes nothing; all others say what they take."""
    names = {name.removesuffix("Provider") for name in vars(providers) if name.endswith("Provider")}
    missing = {
        name
        for name in names - {"Lineage", "Resource", "_", "TrainedModel", "DataVersion"}
        if f"## {name}\n" not in page()
    }
    assert missing == set()
