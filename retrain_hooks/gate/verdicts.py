"""The gate's verdicts in the registry: ``verdicts/<run key>/<champion's key or none>-<gate digest>.json``.

A verdict is believed only where it is whole, and about this very model, champion and gate; anything else is judged
anew. Writes are compare-and-swap, so of two that judge at once one is recorded and the other takes its word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from clients.errors import LedgerError
from clients.storage import Container
from retrain_hooks.gate.rules import Ruling, Verdict
from retrain_hooks.registry.plain import encode
from retrain_hooks.registry.records import Records, Unreadable
from retrain_hooks.registry.run_key import canonical_json, digest

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
        """The verdict's name among the verdicts."""
        champion = self.champion.name if self.champion else "none"
        return f"{self.candidate.name}/{champion}-{digest(self.gate)}"


@dataclass(frozen=True)
class _Record:
    """A verdict as it is kept: what it is about, and what the gate said."""

    candidate: Model
    champion: Model | None
    gate: dict[str, Any]
    sha256: str | None
    outcome: str
    rules: tuple[Ruling, ...]
    judgedAt: str = ""  # noqa: N815 -- as it is written
    version: int = FORMAT


@dataclass(frozen=True)
class Found:
    """What is on record: a *verdict* that can be believed, or the *problem* with the record at *etag*."""

    verdict: Verdict | None = None
    etag: str | None = None
    problem: str = ""


class Verdicts:
    """The verdicts of all stacks that share a registry."""

    def __init__(self, registry: Container) -> None:
        self._records = Records(
            registry, "verdicts", _Record, remedy="run the update again: it is judged anew"
        )

    def find(self, case: Case) -> Found:
        """What is recorded of *case*."""
        try:
            found = self._records.find(case.name)
        except Unreadable as error:
            return Found(None, error.etag, error.cause)
        if found is None:
            return Found()
        problem = _problem(case, found.value)
        if problem:
            return Found(
                None, found.etag, f"the verdict {self._records.blob(case.name)} is not believed: {problem}"
            )
        return Found(Verdict(found.value.rules), found.etag)

    def on(self, key: str) -> Iterator[dict[str, Any]]:
        """The verdicts on the model of the run *key*, as they are recorded; of one that can't be read its ``problem``."""
        for found in self._records.all(f"{key}/"):
            name = self._records.blob(found.name)
            if isinstance(found, Unreadable):
                yield {"name": name, "problem": found.problem}
            else:
                yield {"name": name, **asdict(found.value)}

    def all(self) -> Iterator[dict[str, Any]]:
        """All verdicts that can be read, as they are recorded."""
        for found in self._records.all(""):
            if not isinstance(found, Unreadable):
                yield asdict(found.value)

    def of(self, keys: Collection[str]) -> Iterator[dict[str, Any]]:
        """Those on the models of the runs with these *keys* that can be read, as they are recorded."""
        wanted = set(keys)
        names = [name for name in self._records.names() if name.partition("/")[0] in wanted]
        for found in self._records.some(names):
            if not isinstance(found, Unreadable):
                yield asdict(found.value)

    def keep(self, case: Case, verdict: Verdict, judged_at: str, found: Found) -> Verdict:
        """Record *verdict* in place of what was *found*; the verdict that is on record then.

        Raises LedgerError where somebody else left something there that cannot be believed.
        """
        record = _Record(
            case.candidate,
            case.champion,
            dict(case.gate),
            case.candidate_sha256,
            verdict.outcome,
            verdict.rulings,
            judged_at,
        )
        kept, _ours = self._records.offer(case.name, record, found.etag)
        if problem := _problem(case, kept.value):
            raise LedgerError(
                f"the verdict {self._records.blob(case.name)} was changed while it was written: {problem}",
                "run the update again",
            )
        return Verdict(kept.value.rules)


def _problem(case: Case, record: _Record) -> str:
    """Why *record* is not believed to be about *case*; empty where it is."""
    of = Case(record.candidate, record.champion, record.gate)
    if canonical_json(encode(of)) != canonical_json(encode(replace(case, candidate_sha256=None))):
        return "it is about another model or gate"
    if case.candidate_sha256 not in (None, record.sha256):
        return "the model has changed since"
    if record.outcome != Verdict(record.rules).outcome:
        return "its outcome is not that of its rules"
    if missing := set(case.gate["rules"]) - {ruling.text for ruling in record.rules}:
        return f"it says nothing of {', '.join(sorted(missing))}"
    return ""
