"""Missing numbers predicted from the other columns: what is learnt of a table, and what is done to a row.

chained(matrix, rounds)     a linear model of each incomplete column by all others ("MICE")
components(matrix, rounds)  the mean and the main components of all columns ("Probabilistic PCA")
filled(matrix, learnt)      the matrix with missing values predicted, a row without regard to others
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from graph.libraries import Numbers, np


def chained(matrix: Numbers, rounds: int) -> dict[str, Any]:
    """Each column with missing values is fitted in turn to the others as they are filled so far, so many times."""
    learnt = _means(matrix, rounds)
    missing = np.isnan(matrix)
    full = np.where(missing, learnt["means"], matrix)
    scale = np.where(full.std(axis=0) > 0, full.std(axis=0), 1.0)
    with threadpool_limits(limits=1):
        for _ in range(rounds):
            for at in np.flatnonzero(missing.any(axis=0)):
                known = ~missing[:, at]
                others = (full - learnt["means"]) / scale
                others[:, at] = 0.0
                # A little shrinking, so that columns that say the same share what they say.
                square = others[known].T @ others[known] + 1e-6 * known.sum() * np.eye(len(scale))
                weights = np.linalg.solve(square, others[known].T @ (full[known, at] - learnt["means"][at]))
                weights /= scale
                weights[at] = 0.0
                learnt["weights"][str(at)] = weights.tolist()
                full[:, at] = np.where(missing[:, at], _by_weights(full, learnt, int(at)), full[:, at])
    return learnt


def components(matrix: Numbers, rounds: int) -> dict[str, Any]:
    """The components that hold nine tenths of the variance, found anew after each filling, so many times."""
    learnt = _means(matrix, rounds)
    with threadpool_limits(limits=1):
        full = filled(matrix, learnt)
        for _ in range(rounds):
            learnt["means"] = full.mean(axis=0).tolist()
            _, sizes, found = np.linalg.svd(full - learnt["means"], full_matrices=False)
            share = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-300)
            count = min(int(np.searchsorted(share, 0.9)) + 1, max(len(sizes) - 1, 1))
            learnt["components"] = found[:count].tolist()
            full = filled(matrix, {**learnt, "rounds": 1})
    return learnt


def filled(matrix: Numbers, learnt: Mapping[str, Any]) -> Numbers:
    """The matrix with each missing value predicted."""
    missing = np.isnan(matrix)
    full = np.where(missing, learnt["means"], matrix)
    for _ in range(learnt["rounds"] if missing.any() else 0):
        for column in learnt["weights"]:
            at = int(column)
            full[:, at] = np.where(missing[:, at], _by_weights(full, learnt, at), full[:, at])
        if learnt["components"]:
            full = np.where(missing, _by_components(full, learnt), matrix)
    return full


def _by_weights(full: Numbers, learnt: Mapping[str, Any], at: int) -> Numbers:
    total = np.full(len(full), learnt["means"][at])
    for column, (weight, mean) in enumerate(zip(learnt["weights"][str(at)], learnt["means"], strict=True)):
        total += (full[:, column] - mean) * weight
    return total


def _by_components(full: Numbers, learnt: Mapping[str, Any]) -> Numbers:
    result = np.empty_like(full)
    result[:] = learnt["means"]
    for weights in learnt["components"]:
        score = np.zeros(len(full))
        for column, weight in enumerate(weights):
            score += (full[:, column] - learnt["means"][column]) * weight
        for column, weight in enumerate(weights):
            result[:, column] += score * weight
    return result


def _means(matrix: Numbers, rounds: int) -> dict[str, Any]:
    return {"means": np.nanmean(matrix, axis=0).tolist(), "rounds": rounds, "weights": {}, "components": []}
