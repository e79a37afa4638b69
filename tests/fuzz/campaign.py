"""A campaign: random graphs by their numbers, some at a time, and what came of them."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from tests.fuzz.held import LIBRARY, Outcome, play

Told = Callable[[Outcome], object]


def campaign(
    count: int, seed: int, first: int = 0, workers: int = 1, told: Told = lambda _outcome: None
) -> list[Outcome]:
    """Play the graphs `first` to `first + count - 1` of a seed."""
    outcomes = []
    with multiprocessing.get_context("spawn").Pool(workers, _begin) as pool:
        for outcome in pool.imap_unordered(_Play(seed), range(first, first + count), chunksize=4):
            told(outcome)
            outcomes.append(outcome)
    return sorted(outcomes, key=lambda outcome: outcome.index)


class _Play:
    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, index: int) -> Outcome:
        return played(self.seed, index)


def played(seed: int, index: int) -> Outcome:
    """`play`, with what a drawn module should never raise as a fault of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libraries warn of what is refused, and of what is as drawn
        try:
            return play(seed, index)
        except Exception as error:  # of whatever kind it is, it is told
            return Outcome(index, faults=[f"{type(error).__name__}: {error}"])


def _begin() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What came of a campaign, counted."""
    codes = Counter(outcome.code or "of the graph" for outcome in outcomes if outcome.refusal)
    library = {outcome.index: outcome.refusal for outcome in outcomes if outcome.code == LIBRARY}
    return {
        "graphs": len(outcomes),
        "results": sum(outcome.result for outcome in outcomes),
        "models": sum(outcome.trained for outcome in outcomes),
        "scored": sum(outcome.scored for outcome in outcomes),
        "compiled": sum(outcome.compiled for outcome in outcomes),
        "refused": dict(codes.most_common()),
        "library": library,
        "modules": len({name for outcome in outcomes for name in outcome.modules}),
        "faults": {outcome.index: outcome.faults for outcome in outcomes if outcome.faults},
    }
