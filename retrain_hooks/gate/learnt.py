"""What a candidate has learnt, held against what the champion has: classes, columns and their types, and which class is which."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from retrain_hooks.data.learnt import by_data, of_run
from retrain_hooks.gate.champion import Standing
from retrain_hooks.gate.inputs import PromotionInputs
from retrain_hooks.gate.judging import settled_for
from retrain_hooks.gate.rules import Ruling, Verdict
from retrain_hooks.host.lifecycle import Context, known
from retrain_hooks.registry.ledger import Learnt, Ledger

_SHOWN = 5
_OTHER_WAY = -0.5
RULES = ("learnt", "positive class")


def rulings(context: Context, wanted: PromotionInputs, against: Standing) -> tuple[Ruling, ...]:
    """What speaks against a candidate by what it has learnt, as far as that is known, be it not trained yet."""
    champion = _of(context, wanted, against.champion.address) if against.champion else None
    trained = _of(context, wanted, wanted.candidate.address)
    candidate = _foreseen(context, wanted, champion) if trained is None else trained
    found = []
    numeric = settled_for(wanted).task.name == "regression"
    if champion and (changes := changed(candidate, champion, classes=not numeric)):
        found.append(_ruling(RULES[0], "; ".join(changes), allowed=wanted.gate.allow_changed_classes))
    if problem := _not_positive(candidate, wanted.gate.positive_class, trained=trained is not None):
        found.append(_ruling(RULES[1], problem))
    return tuple(found)


def with_rulings(verdict: Verdict, more: Sequence[Ruling]) -> Verdict:
    """A *verdict* that says *more*, but what it says already."""
    told = {ruling.text for ruling in verdict.rulings}
    return Verdict((*verdict.rulings, *(ruling for ruling in more if ruling.text not in told)))


def _ruling(text: str, reason: str, *, allowed: bool = False) -> Ruling:
    remedy = "set allowChangedClasses to true if it is meant so"
    more = "which allowChangedClasses allows" if allowed else remedy
    return Ruling(text, None, None, allowed, f"{reason} ({more})" if text == RULES[0] else reason)


def _of(context: Context, wanted: PromotionInputs, address: str) -> Learnt | None:
    """What the model at *address* has learnt; None where it isn't trained, or isn't ours."""
    run = Ledger(context.registry(wanted.target)).at(address)
    return of_run(context, wanted.target, run) if run and run.state == "finished" else None


def _foreseen(context: Context, wanted: PromotionInputs, champion: Learnt | None) -> Learnt:
    """What the data of a candidate that isn't trained yet tells: of a label that the champion's data has as its classes."""
    data = wanted.candidate.data
    if data is None or champion is None or not known(data):
        return Learnt()
    plain = not champion.classes or set(champion.values) == set(champion.classes)
    seen = by_data(context, wanted.target, Learnt(champion.label, champion.classes if plain else ()), data)
    return Learnt(
        champion.label if plain and champion.label in seen.table else "",
        table=seen.table,
        values=seen.values if plain else (),
        leans=seen.leans if plain and set(seen.values) == set(champion.classes or champion.values) else {},
    )


def changed(candidate: Learnt, champion: Learnt, *, classes: bool = True) -> list[str]:
    """How the two differ, in words; what isn't known of one of them is not compared.

    Not *classes*: the label's values are numbers, however few there are.
    """
    told = _classes(candidate, champion) if classes else _label(candidate, champion)
    return [*told, *_columns(candidate, champion)]


def _classes(candidate: Learnt, champion: Learnt) -> list[str]:
    if candidate.classes and champion.classes:
        new, old = candidate.classes, champion.classes
        if label := _label(candidate, champion):
            return label
        other = new != old
    else:
        new, old = candidate.classes or candidate.values, champion.classes or champion.values
        other = bool(new and old and set(new) - set(old))
    if other:
        return [f"its classes are {_said(new)}, the champion's {_said(old)}"]
    if _other_way(candidate.leans, champion.leans):
        return [
            f"its classes are swapped: what goes with {_positive(old)} for the champion goes with the other class for it"
        ]
    return []


def _label(candidate: Learnt, champion: Learnt) -> list[str]:
    """Whether they tell different columns; of a model that is no data its label isn't known."""
    if candidate.label == champion.label or not (candidate.label and champion.label):
        return []
    return [f"it tells {candidate.label!r}, the champion {champion.label!r}"]


def _said(classes: Sequence[str]) -> str:
    shown = ", ".join(repr(one) for one in classes[:_SHOWN]) + (", …" if len(classes) > _SHOWN else "")
    return f"{shown} (positive: {_positive(classes)})" if len(classes) == 2 else shown


def _positive(classes: Sequence[str]) -> str:
    return repr(classes[-1]) if classes else "the positive class"


def _other_way(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether the columns lean the other way, most of them by their weight."""
    common = set(one) & set(other)
    weights = [math.sqrt(sum(value * value for value in each.values())) for each in (one, other)]
    product = sum(one[name] * other[name] for name in common)
    return bool(common) and product < _OTHER_WAY * weights[0] * weights[1]


def _columns(candidate: Learnt, champion: Learnt) -> list[str]:
    if candidate.columns and champion.columns:
        new, old = candidate.columns, champion.columns
    else:
        new, old = dict(candidate.table), dict(champion.table)
        if champion.columns:
            # A column that the champion does not ask for is none of the model's, unless it takes all that there are.
            taken = set(champion.columns) | {champion.label}
            if set(old) - taken:
                new = {name: kind for name, kind in new.items() if name in taken or name not in old}
                new = {name: kind for name, kind in new.items() if name in old}
            old = {name: kind for name, kind in old.items() if name in taken}
        for table in (new, old):
            table.pop(champion.label, None)
    if not new or not old:
        return []
    told = []
    if gone := [name for name in old if name not in new]:
        told.append(f"columns are gone: {_list(gone)}")
    if more := [name for name in new if name not in old]:
        told.append(f"columns are new: {_list(more)}")
    for name in old:
        if new.get(name) and old[name] and new[name] != old[name]:
            told.append(f"the column {name!r} holds {new[name]}, for the champion {old[name]}")
    return told[: _SHOWN + 2]


def _list(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:_SHOWN]) + (
        f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    )


def _not_positive(candidate: Learnt, declared: str, *, trained: bool) -> str:
    """What speaks against the *declared* positive class; empty where nothing is declared or known yet."""
    classes = candidate.classes or candidate.values
    if not declared or (len(classes) == 2 and classes[-1] == declared):
        return ""
    if not classes:
        return f"what its classes are is not known, and positiveClass is {declared!r}" if trained else ""
    return f"its classes are {_said(classes)}, and positiveClass is {declared!r}"
