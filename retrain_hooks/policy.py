"""What a stack's gate is set to: which rules on which rows, and what follows from its word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.errors import ConfigurationError
from retrain_hooks.gate import Gate
from retrain_hooks.holdout import Label

_ON_REJECTED = ("fail", "hold")


@dataclass(frozen=True)
class Policy:
    """The *gate*; the digest of the *holdout* it is judged on, with its *label* (None: each run's own evaluation).

    A refused candidate fails the update, or with *hold* leaves the champion serving. With *approval* one that passed
    waits until *approve* is its run key.
    """

    gate: Gate
    holdout: str | None = None
    label: str | None = None
    hold: bool = False
    approval: bool = False
    approve: str = ""

    @classmethod
    def parse(cls, props: Mapping[str, Any], holdout: Mapping[str, Any] | None) -> Policy:
        """Read ``{rules, minimumRows, label, onRejected, approval, approve}``. Raises ConfigurationError."""
        on_rejected, label = props.get("onRejected") or "fail", props.get("label") or None
        if on_rejected not in _ON_REJECTED:
            raise ConfigurationError(
                f"a gate cannot do {on_rejected!r} with what it refuses",
                "set onRejected to fail (the update fails) or hold (the champion stays, the update goes on)",
            )
        if holdout and not label:
            raise ConfigurationError(
                "the gate has a holdout and does not know which of its rows are positive",
                "give the gate a label, such as arr_delay >= 15",
            )
        if holdout:
            Label.parse(label)
        approval = props.get("approval") or False
        if not isinstance(approval, bool):
            raise ConfigurationError(f"the gate's approval is {approval!r}", "set it to true or false")
        return cls(
            Gate.parse(props.get("rules"), 1 if props.get("minimumRows") is None else props["minimumRows"]),
            holdout["digest"] if holdout else None,
            label if holdout else None,
            on_rejected == "hold",
            approval,
            str(props.get("approve") or ""),
        )

    def asked(self) -> dict[str, Any]:
        """What determines a verdict, as plain values in one form."""
        return {
            "rules": [rule.text for rule in self.gate.rules],
            "minimumRows": self.gate.minimum_rows,
            "holdout": self.holdout,
            "label": self.label,
        }

    def props(self) -> dict[str, Any]:
        """The gate as ``parse`` takes it, in one form."""
        return {
            "rules": [rule.text for rule in self.gate.rules],
            "minimumRows": self.gate.minimum_rows,
            "label": self.label or "",
            "onRejected": "hold" if self.hold else "fail",
            "approval": self.approval,
            "approve": self.approve,
        }
