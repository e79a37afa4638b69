"""What a trained model must show before an endpoint serves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi

from components.models.data_version import DataVersion


@dataclass(frozen=True)
class Gate:
    """Rules such as ``auc >= 0.65``, ``rmse <= champion`` or ``metrics.py: profit >= 1000``, all of which a candidate must
    pass; without any those of the experiment's task, which *task* names where no graph tells it (``regression``).

    They are judged on *holdout*, the same rows for candidate and champion, where *label* says which rows are positive
    (``delay >= 15``), or, of several classes and of a regression, which column tells; without a holdout on each training
    run's own evaluation. *minimum_rows* is how many rows that must be. A holdout that overlaps the training data is refused, unless *allow_holdout_overlap*; so is a candidate with
    other classes, columns or types than the champion, or with the classes swapped, unless *allow_changed_classes*, and one
    whose probability is of another class than *positive_class*. A refused candidate fails the update, or with *on_rejected*
    ``hold`` leaves the champion serving. With
    *approval* one that passed waits until *approve* is its run key.
    """

    rules: Sequence[str] = ()
    minimum_rows: int = 1
    holdout: DataVersion | None = None
    label: str = ""
    on_rejected: str = "fail"
    approval: bool = False
    approve: str = ""
    allow_holdout_overlap: bool = False
    allow_changed_classes: bool = False
    positive_class: str = ""
    task: str = ""

    @classmethod
    def from_config(cls, config: pulumi.Config, holdout: DataVersion | None = None) -> Gate:
        """From ``gateRules``, ``gateMinimumRows``, ``gateOnRejected``, ``gateApproval``, ``approve``,
        ``allowChangedClasses``, ``positiveClass``, ``task``, and for *holdout*, which the program makes of ``holdoutDataVersion`` (empty: none), ``gateLabel`` and ``allowHoldoutOverlap``.
        """
        if config.get("holdoutDataVersion") and holdout is None:
            raise pulumi.RunError(
                "holdoutDataVersion is set, and the program gives the gate no holdout\n"
                "remedy: declare that data version, and give it to Gate.from_config as holdout="
            )
        return replace(cls.of_rules(config), holdout=holdout)

    @classmethod
    def of_rules(cls, config: pulumi.Config) -> Gate:
        """The same without a holdout of its own: a fleet has one for each member."""
        return cls(
            config.require_object("gateRules"),
            config.require_int("gateMinimumRows"),
            None,
            config.get("gateLabel") or "",
            on_rejected=config.require("gateOnRejected"),
            approval=config.require_bool("gateApproval"),
            approve=config.get("approve") or "",
            allow_holdout_overlap=config.get_bool("allowHoldoutOverlap") or False,
            allow_changed_classes=config.get_bool("allowChangedClasses") or False,
            positive_class=config.get("positiveClass") or "",
            task=config.get("task") or "",
        )

    def inputs(self) -> dict[str, Any]:
        """As inputs of a Promotion."""
        gate = {
            "rules": list(self.rules),
            "minimumRows": self.minimum_rows,
            "label": self.label,
            "allowHoldoutOverlap": self.allow_holdout_overlap,
            "allowChangedClasses": self.allow_changed_classes,
            "positiveClass": self.positive_class,
            "onRejected": self.on_rejected,
            "approval": self.approval,
            "approve": self.approve,
            **({"task": self.task} if self.task else {}),
        }
        return {"gate": gate, "holdout": self.holdout.reference if self.holdout else None}
