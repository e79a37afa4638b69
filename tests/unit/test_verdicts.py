"""Verdicts on record: believed only where they are whole and about this very case."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from clients.errors import LedgerError
from retrain_hooks.gate.rules import Evidence, RuleSet, judge
from retrain_hooks.gate.verdicts import Case, Model, Verdicts
from tests.unit.fakes import MemoryContainer

RULES = ["auc >= 0.65", "auc >= champion"]
CASE = Case(
    Model("models/flights/x/1.ilearner", "a" * 64),
    Model("models/flights/y/1.ilearner", "b" * 64),
    {"rules": RULES, "minimumRows": 1, "holdout": None, "label": None},
    "hash",
)
BLOB = f"verdicts/{CASE.name}.json"


def word(auc: float = 0.7, best: float = 0.6):
    return judge(RuleSet.parse(RULES, 1), Evidence({"auc": auc, "rows": 10}), Evidence({"auc": best}))


@pytest.fixture
def registry() -> MemoryContainer:
    return MemoryContainer()


@pytest.fixture
def verdicts(registry) -> Verdicts:
    return Verdicts(registry)


def keep(verdicts: Verdicts, verdict=None, case: Case = CASE):
    return verdicts.keep(case, verdict or word(), "2026-01-01T00:00:00+00:00", verdicts.find(case))


def test_a_verdict_is_found_as_it_was_kept(verdicts, registry):
    """Under the candidate's key, the champion's key and the gate's digest."""
    kept = keep(verdicts)
    assert verdicts.find(CASE).verdict == kept == word()
    assert CASE.name.startswith(f"{'a' * 64}/{'b' * 64}-")
    assert list(registry.blobs) == [BLOB]


@pytest.mark.parametrize(
    "other",
    [
        replace(CASE, candidate=Model("models/flights/z/1.ilearner", "c" * 64)),
        replace(CASE, champion=None),
        replace(CASE, champion=Model("models/flights/z/1.ilearner", "c" * 64)),
        replace(CASE, champion=Model("elsewhere/model.ilearner")),
        replace(CASE, gate=CASE.gate | {"rules": ["auc >= 0.66"]}),
        replace(CASE, gate=CASE.gate | {"minimumRows": 2}),
        replace(CASE, gate=CASE.gate | {"holdout": "d" * 64, "label": "arr_delay >= 15"}),
    ],
)
def test_another_candidate_champion_or_gate_is_another_case(verdicts, other):
    """None of them shares a verdict."""
    keep(verdicts)
    assert other.name != CASE.name
    assert verdicts.find(other).verdict is None


@pytest.mark.parametrize(
    "other",
    [
        replace(CASE, candidate=Model("models/flights/x/2.ilearner", "a" * 64)),
        replace(CASE, champion=Model("models/flights/y/2.ilearner", "b" * 64)),
        replace(CASE, candidate_sha256="another"),
    ],
)
def test_another_attempt_at_the_same_key_is_judged_anew(verdicts, other):
    """The record has the same name and is not believed; a new verdict takes its place."""
    keep(verdicts)
    found = verdicts.find(other)
    assert found.verdict is None
    assert found.problem
    keep(verdicts, word(0.1), other)
    assert verdicts.find(other).verdict == word(0.1)


def test_a_hash_that_is_not_known_yet_is_not_compared(verdicts):
    """A preview may not know it."""
    keep(verdicts)
    assert verdicts.find(replace(CASE, candidate_sha256=None)).verdict == word()


def without(name: str):
    return lambda record: record.pop(name)


DAMAGES = {
    "empty": lambda record: record.clear(),
    "another format": lambda record: record.update(version=2),
    "an outcome that its rules deny": lambda record: record.update(outcome="refused"),
    "a failed rule called passed": lambda record: record["rules"][1].update(passed=False),
    "a rule less": lambda record: record["rules"].pop(),
    "no rules": lambda record: record.update(rules=[]),
    "a rule that is none": lambda record: record.update(rules=[7]),
    "another gate": lambda record: record["gate"].update(rules=["auc >= 0"]),
    "another champion": lambda record: record.update(champion=None),
    **{
        f"a rule whose {name} is {value!r}": lambda record, name=name, value=value: record["rules"][0].update(
            {name: value}
        )
        for name, value in [
            ("passed", "true"),
            ("passed", 1),
            ("passed", None),
            ("reason", None),
            ("text", 7),
            ("value", "0.7"),
            ("value", True),
            ("bound", [1]),
            ("bound", False),
        ]
    },
    **{
        f"a rule without {name}": lambda record, name=name: record["rules"][0].pop(name)
        for name in ("text", "passed", "reason")
    },
    **{
        f"without {name}": without(name)
        for name in ("version", "candidate", "champion", "gate", "outcome", "rules")
    },
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_not_believed_and_said_so(verdicts, registry, damage):
    """It is judged anew, and the record replaced."""
    keep(verdicts)
    record = json.loads(registry.read(BLOB)[0])
    DAMAGES[damage](record)
    registry.put(BLOB, json.dumps(record).encode())
    found = verdicts.find(CASE)
    assert found.verdict is None
    assert BLOB in found.problem
    assert keep(verdicts) == word()
    assert verdicts.find(CASE).verdict == word()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"passed"', b"\xff"])
def test_what_is_no_record_at_all_is_not_believed(verdicts, registry, content):
    """Half a blob is no verdict."""
    registry.put(BLOB, content)
    assert verdicts.find(CASE).verdict is None
    assert verdicts.find(CASE).problem


def test_of_two_that_judge_at_once_the_second_takes_the_first_s_word(verdicts, registry):
    """One case, one verdict, whoever writes."""
    found = verdicts.find(CASE)
    theirs = word(0.9)
    keep(verdicts, theirs)
    assert verdicts.keep(CASE, word(0.1), "later", found) == theirs


def test_what_cannot_be_believed_is_not_taken_over(verdicts, registry):
    """Somebody writes nonsense in between: the update stops."""
    found = verdicts.find(CASE)
    registry.put(BLOB, b"nonsense")
    with pytest.raises(LedgerError, match=f"{BLOB} cannot be read"):
        verdicts.keep(CASE, word(), "later", found)


def test_the_verdicts_on_a_model_are_listed_with_those_that_cannot_be_read(verdicts, registry):
    """By their blobs' names; one bad record never hides the others."""
    keep(verdicts)
    key = CASE.candidate.key
    registry.put(f"verdicts/{key}/a.json", b"[")
    bad, good = verdicts.on(key)
    assert bad["name"] == f"verdicts/{key}/a.json"
    assert "is not JSON" in bad["problem"]
    assert (good["name"], good["outcome"], len(good["rules"])) == (BLOB, "passed", 3)
    assert list(verdicts.on("0" * 64)) == []
