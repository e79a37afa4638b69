"""Linear models: fitted to standardised columns, written for the columns as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Linear:
    """Standardises the columns, fits a scikit-learn linear model, and folds the scaling into its weights."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, matrix: npt.NDArray[np.float64], label: npt.NDArray[Any]) -> Linear:
        """Fit; a missing value stands for its column's mean."""
        import numpy as np

        known = ~np.isnan(matrix)
        count = np.maximum(known.sum(axis=0), 1)
        self.mean = np.where(known, matrix, 0).sum(axis=0) / count
        filled = np.where(known, matrix, self.mean)
        scale = filled.std(axis=0)
        self.scale = np.where(scale > 0, scale, 1.0)
        self.model.fit((filled - self.mean) / self.scale, label)
        return self

    def weights(self) -> tuple[npt.NDArray[np.float64], float]:
        """Weights and intercept for the columns as they are."""
        import numpy as np

        weights = np.ravel(self.model.coef_) / self.scale
        return weights, float(np.ravel(self.model.intercept_)[0] - weights @ self.mean)


def export_linear(fitted: Linear, width: int) -> bytes:
    """The fitted model as ONNX."""
    from graph.models import onnx_models

    weights, intercept = fitted.weights()
    return onnx_models.linear(weights, intercept, fitted.mean)
