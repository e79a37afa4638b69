"""The gate's verdicts in the registry: ``verdicts/<run key>/<champion's key or none>-<gate digest>.json``.

A verdict is believed only where it is whole, and about this very model, champion and gate; anything else is judged
anew. Writes are compare-and-swap, so of two that judge at once one is recorded and the other takes its word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from clients.errors import Conflict, LedgerError, NotFound
from clients.storage import Container
from retrain_hooks.gate import Verdict, of_rulings
from retrain_hooks.run_key import canonical_json, digest

FORMAT = 1


@dataclass(frozen=True)
class Model:
    """A model as an endpoint knows it: its *address* in the registry, and its run's *key*, empty where it has none."""

    address: str
    key: str = ""

    @property
    def name(self) -> str:
        """What it is called in the names of verdicts."""
        return self.key or f"other{sha256(self.address.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Case:
    """What a verdict is about: *candidate* (and its hash, where known), *champion* and what the *gate* asks."""

    candidate: Model
    champion: Model | None
    gate: Mapping[str, Any]
    candidate_sha256: str | None = None

    @property
    def name(self) -> str:
        """The verdict's blob."""
        champion = self.champion.name if self.champion else "none"
        return f"verdicts/{self.candidate.name}/{champion}-{digest(self.gate)}.json"

    def identity(self) -> dict[str, Any]:
        """What a record must say of it."""
        return {
            "candidate": asdict(self.candidate),
            "champion": asdict(self.champion) if self.champion else None,
            "gate": dict(self.gate),
        }


@dataclass(frozen=True)
class Found:
    """What is on record: a *verdict* that can be believed, or the *problem* with the record at *etag*."""

    verdict: Verdict | None = None
    etag: str | None = None
    problem: str = ""


class Verdicts:
    """The verdicts of all stacks that share a registry."""

    def __init__(self, registry: Container) -> None:
        self._registry = registry

    def find(self, case: Case) -> Found:
        """What is recorded of *case*."""
        try:
            content, etag = self._registry.read(case.name)
        except NotFound as error:
            if error.code == "ContainerNotFound":
                raise
            return Found()
        try:
            return Found(_parse(case, content), etag)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            return Found(None, etag, f"the verdict {case.name} is not believed ({problem})")

    def keep(self, case: Case, verdict: Verdict, judged_at: str, found: Found) -> Verdict:
        """Record *verdict* in place of what was *found*; the verdict that is on record then.

        Raises LedgerError where somebody else left something there that cannot be believed.
        """
        record = {
            "version": FORMAT,
            **case.identity(),
            "sha256": case.candidate_sha256,
            "outcome": verdict.outcome,
            "rules": [asdict(ruling) for ruling in verdict.rulings],
            "judgedAt": judged_at,
        }
        try:
            self._registry.write(case.name, canonical_json(record), etag=found.etag)
        except Conflict:
            theirs = self.find(case).verdict
            if theirs is None:
                raise LedgerError(
                    f"the verdict {case.name} was changed while it was written", "run the update again"
                ) from None
            return theirs
        return verdict


def _parse(case: Case, content: bytes) -> Verdict:
    """The verdict in a record. Raises ValueError and the like for one that is not this case's."""
    record = json.loads(content)
    if record["version"] != FORMAT:
        raise ValueError(f"its format is {record['version']}, this program knows {FORMAT}")
    said = {name: record[name] for name in ("candidate", "champion", "gate")}
    if canonical_json(said) != canonical_json(case.identity()):
        raise ValueError("it is about another model or gate")
    if case.candidate_sha256 is not None and record["sha256"] != case.candidate_sha256:
        raise ValueError("the model has changed since")
    verdict = of_rulings(record["rules"])
    if record["outcome"] != verdict.outcome:
        raise ValueError("its outcome is not that of its rules")
    if missing := set(case.gate["rules"]) - {ruling.text for ruling in verdict.rulings}:
        raise ValueError(f"it says nothing of {', '.join(sorted(missing))}")
    return verdict
