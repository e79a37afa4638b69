"""What components take of each other, where naming the other component would tie a knot."""

from __future__ import annotations

from typing import Protocol

import pulumi


class ModelReference(Protocol):
    """A trained model, as a predictive web service is published with it; a TrainedModel is one."""

    @property
    def address(self) -> pulumi.Output[str]:
        """Its path in the registry container."""

    @property
    def sha256(self) -> pulumi.Output[str]:
        """The hash of its bytes."""
