"""The modules of an experiment graph, one file a family; importing this package registers them all."""

from studio.graph.modules import (
    cleaning,
    evaluate,
    learners,
    manipulation,
    sample_split,
    score,
    statistical,
    train,
)

__all__ = [
    "cleaning",
    "evaluate",
    "learners",
    "manipulation",
    "sample_split",
    "score",
    "statistical",
    "train",
]
