"""A commitment plan: without one nobody may create a New web service. Resource Manager, api-version 2016-05-01-preview."""

from __future__ import annotations

from clients.resource_manager import ResourceManager
from retrain_hooks.lifecycle import Context, Diff, Props

_API_VERSION = "2016-05-01-preview"
_IDENTITY = ("target", "group", "name", "location")


class CommitmentPlanLifecycle:
    """Creates the plan ``name`` in the resource group ``group`` (ARM id). Inputs also: ``target``, ``location``, ``sku``
    (``S1`` …). Output ``plan`` is its ARM id.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Nothing to find out."""
        return new

    def diff(self, old: Props, new: Props) -> Diff:
        """Another name or place is another plan; another size is changed in place."""
        replaces = tuple(name for name in _IDENTITY if old.get(name) != new.get(name))
        return Diff(bool(replaces) or old.get("sku") != new.get("sku"), replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Create it; again: as it is."""
        outputs = self._put(new)
        return outputs["plan"], outputs

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Change its size."""
        return self._put(new)

    def _put(self, new: Props) -> Props:
        plan = f"{new['group']}/providers/Microsoft.MachineLearning/commitmentPlans/{new['name']}"
        body = {
            "location": new["location"],
            "sku": {"name": new["sku"], "tier": "Standard", "capacity": 1},
        }
        self._context.guard.check()
        self._manager(new).put(plan, body, f"the commitment plan {new['name']!r}")
        return new | {"plan": plan}

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded plan with its present size, or None where it is gone."""
        found = self._manager(old).find(id_)
        if found is None:
            return None
        now = old | {"sku": (found.get("sku") or {}).get("name") or old["sku"]}
        return now, {name: value for name, value in now.items() if name != "plan"}

    def delete(self, id_: str, old: Props) -> None:
        """Delete it; the services that it pays for go first."""
        self._context.guard.check()
        self._manager(old).delete(id_, f"the commitment plan {old['name']!r}")

    def _manager(self, props: Props) -> ResourceManager:
        return self._context.resource_manager(props["target"], _API_VERSION)
