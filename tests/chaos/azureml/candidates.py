"""Candidates: trained models as a registry has them, of which each second one fails in its own way."""

from __future__ import annotations

import hashlib
import json
import random
from base64 import b64encode
from dataclasses import dataclass, replace
from typing import Any

from clients.storage import Container
from retrain_hooks.registry.ledger import Ledger, Run
from retrain_hooks.registry.run_key import Covered, digest
from tests.chaos.azureml.code import EXPERIMENT

# What fails before a caller may meet it: at its start, or on staging.
DEAD, WRONG, ERRORS = "dead", "wrong answers", "errors"
# What shows only when it has its share: the gate's rows and the first probes are answered well.
SLOW, LATER = "slow", "errors later"
BEFORE, AT_A_STEP = (DEAD, WRONG, ERRORS), (SLOW, LATER)
_TIME = "2026-01-01T00:00:00+00:00"
_SECONDS = 1.5  # what a slow one takes for a call


@dataclass(frozen=True)
class Candidate:
    """The *index*-th candidate of *seed*; *fault* is what is wrong with it, empty where nothing is."""

    seed: int
    index: int
    fault: str
    after: int

    @property
    def model(self) -> str:
        """What its answers call it."""
        return f"c{self.seed}-{self.index}"

    @property
    def content(self) -> bytes:
        """The model itself, for `code.py`'s score.py."""
        said: dict[str, Any] = {
            "name": self.model,
            "sign": -1 if self.fault == WRONG else 1,
            "spread": 200 + 7 * (self.index % 60),
        }
        kinds = {DEAD: "dead", ERRORS: "errors", LATER: "errors", SLOW: "slow"}
        if self.fault in kinds:
            said["fault"] = kinds[self.fault]
        if self.fault in AT_A_STEP:
            said |= {"after": self.after, "seconds": _SECONDS}
        return json.dumps(said, sort_keys=True).encode()

    @property
    def run(self) -> Run:
        """Its run, as it finished."""
        covered = Covered(digest(EXPERIMENT), f"2-{digest(self.model)}", {}, 0, "")
        content = self.content
        return Run(
            covered.key,
            EXPERIMENT,
            covered.inputs,
            state="finished",
            planned_at=_TIME,
            started_at=_TIME,
            ended_at=_TIME,
            seconds=1.0,
            sha256=hashlib.sha256(content).hexdigest(),
            md5=b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
            bytes=len(content),
            metrics={"auc": 0.7, "rows": 200},
        )

    def __str__(self) -> str:
        return self.fault or "good"


def candidate(seed: int, index: int) -> Candidate:
    """The same on every machine: the first is good, then each second one fails, in turn by each way."""
    drawn = random.Random(f"rollouts {seed}/{index}")
    ways = (*BEFORE, *AT_A_STEP)
    fault = ways[index // 2 % len(ways)] if index % 2 else ""
    return Candidate(seed, index, fault, drawn.randint(15, 40))


def register(registry: Container, one: Candidate) -> Run:
    """Put it into *registry* as a finished run with its model."""
    ledger, run = Ledger(registry), one.run
    registry.write(run.address, one.content, etag=None)
    entry = ledger.plan(replace(run, state="planned"))
    ledger.advance(entry, run)
    return run
