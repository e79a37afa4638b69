"""What a trained model must show before an endpoint serves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.data_version import DataVersion


@dataclass(frozen=True)
class Gate:
    """Rules such as ``auc >= 0.65`` or ``auc >= champion - 0.01``, all of which a candidate must pass.

    They are judged on *holdout*, the same rows for candidate and champion, where *label* (``arr_delay >= 15``) says which
    rows are positive; without a holdout on each training run's own evaluation. *minimum_rows* is how many rows that
    must be. A refused candidate fails the update, or with *on_rejected* ``hold`` leaves the champion serving. With
    *approval* one that passed waits until *approve* is its run key.
    """

    rules: Sequence[str] = ("auc >= 0.65",)
    minimum_rows: int = 1
    holdout: DataVersion | None = None
    label: str = ""
    on_rejected: str = "fail"
    approval: bool = False
    approve: str = ""

    @classmethod
    def from_config(cls, config: pulumi.Config) -> Gate:
        """From ``gateRules``, ``gateMinimumRows``, ``gateOnRejected``, ``gateApproval``, ``approve``, and for the
        holdout ``holdoutDataVersion`` (empty: none) at ``dataPath`` with ``gateLabel``.
        """
        version, holdout = config.get("holdoutDataVersion"), None
        if version:
            holdout = DataVersion(
                "holdout-data",
                target=config.require("target"),
                path=config.require("dataPath"),
                version=version,
            )
        return cls(
            config.require_object("gateRules"),
            config.require_int("gateMinimumRows"),
            holdout,
            config.get("gateLabel") or "",
            config.require("gateOnRejected"),
            config.require_bool("gateApproval"),
            config.get("approve") or "",
        )

    def inputs(self) -> dict[str, Any]:
        """As inputs of a Promotion."""
        gate = {
            "rules": list(self.rules),
            "minimumRows": self.minimum_rows,
            "label": self.label,
            "onRejected": self.on_rejected,
            "approval": self.approval,
            "approve": self.approve,
        }
        return {"gate": gate, "holdout": self.holdout.reference if self.holdout else None}
