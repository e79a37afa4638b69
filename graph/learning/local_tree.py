"""Local deep kernel learning (Jose, Goyal, Aggrwal, Varma: "Local Deep Kernel Learning for Efficient Non-linear SVM
Prediction", ICML 2013): a hinge loss over a tree of linear classifiers, by stochastic gradient descent in the primal.

While it is fitted, a row goes to both sides of a node, by shares that get sharper until at the end it goes to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graph.libraries import Array, Numbers, np
from graph.models.forms.local_tree import nodes

_BATCH: Final = 64
_RATE: Final = 0.05
_SHARP: Final = 20.0  # how sharp the shares of both sides are at last
_MOMENTS: Final = (0.9, 0.999, 1e-8)  # Adam's


class LocalTree:
    """An estimator with `weights` (columns × θ, v and w of the nodes) and `offsets`, for scaled columns."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.depth, self.sharpness = parameters["Depth of the tree"], parameters["Sigmoid sharpness"]
        self.iterations, self.seed = parameters["Number of iterations"], parameters["Random number seed"]
        self.penalties = [parameters[f"Lambda {name}"] for name in ("Theta", "Theta Prime", "W")]

    def fit(self, matrix: Numbers, label: Array) -> LocalTree:
        deciding, every = nodes(self.depth)
        rows = np.hstack([matrix, np.ones((len(matrix), 1))])
        signs = np.where(label > 0, 1.0, -1.0)
        random = np.random.Generator(np.random.PCG64(self.seed))
        weights = random.standard_normal((rows.shape[1], deciding + 2 * every)) / np.sqrt(rows.shape[1])
        penalty = np.repeat(self.penalties, (deciding, every, every))
        first, second = np.zeros_like(weights), np.zeros_like(weights)
        decay, spread, least = _MOMENTS
        for step in range(1, self.iterations + 1):
            done = step / self.iterations
            chosen = random.integers(0, len(rows), min(_BATCH, len(rows)))
            slope = self._slope(rows[chosen], signs[chosen], weights, 1 + (_SHARP - 1) * done)
            slope += penalty * weights
            first = decay * first + (1 - decay) * slope
            second = spread * second + (1 - spread) * slope * slope
            rate = _RATE * (1 - done) * np.sqrt(1 - spread**step) / (1 - decay**step)
            weights -= rate * first / (np.sqrt(second) + least)
        self.weights, self.offsets = weights[:-1], weights[-1]
        return self

    def _slope(self, rows: Numbers, signs: Numbers, weights: Numbers, sharp: float) -> Numbers:
        """The gradient of the mean hinge loss."""
        deciding, every = nodes(self.depth)
        values = rows @ weights
        side = np.tanh(sharp * values[:, :deciding])
        local = np.tanh(self.sharpness * values[:, deciding : deciding + every])
        linear = values[:, deciding + every :]
        share = np.ones((len(rows), every))
        for node in range(deciding):
            share[:, 2 * node + 1] = share[:, node] * (1 + side[:, node]) / 2
            share[:, 2 * node + 2] = share[:, node] * (1 - side[:, node]) / 2
        parts = share * local * linear
        loss = np.where(signs * parts.sum(axis=1) < 1, -signs, 0.0)[:, None] / len(rows)
        below = loss * parts  # of each node's subtree, from the leaves upwards
        turn = np.empty((len(rows), deciding))
        for node in reversed(range(deciding)):
            left, right = below[:, 2 * node + 1], below[:, 2 * node + 2]
            turn[:, node] = sharp * (left * (1 - side[:, node]) - right * (1 + side[:, node]))
            below[:, node] += left + right
        bend = loss * share * linear * self.sharpness * (1 - local * local)
        found: Numbers = rows.T @ np.hstack([turn, bend, loss * share * local])
        return found
