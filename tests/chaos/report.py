"""What a campaign says at its end."""

from __future__ import annotations

from collections import Counter
from statistics import mean, median

from rich.console import Console
from rich.table import Table

from tests.chaos.campaign import Outcome, totals

# What can be violated, and what it is called in the table; the first three make the last line.
_KINDS = {
    "duplicate": "duplicates",
    "orphan": "orphans",
    "wrong binding": "wrong bindings",
    "wrong model": "models of other inputs",
    "no convergence": "updates that did not converge",
    "preview": "previews that wrote",
    "secret": "secrets found",
    "outlived": "providers that outlived their engine",
    "harness": "defects of the campaign",
}


def violations(outcomes: list[Outcome]) -> Counter[str]:
    """How many violations there were of each kind."""
    return Counter(kind for outcome in outcomes for kind, _text in outcome.violations)


def last_line(outcomes: list[Outcome]) -> str:
    """``N histories: D duplicates, O orphans, W wrong bindings``."""
    found = violations(outcomes)
    told = ", ".join(f"{found[kind]} {_KINDS[kind]}" for kind in list(_KINDS)[:3])
    return f"{len(outcomes)} histories: {told}"


def figures(outcomes: list[Outcome]) -> dict[str, str]:
    """The figures by name, in the order in which they are shown."""
    total = totals(outcomes)
    names = sorted(total, key=lambda name: (name.startswith("fault"), -total[name], name))
    seconds = sorted(outcome.seconds for outcome in outcomes) or [0.0]
    found = {"histories": str(len(outcomes))} | {name: str(total[name]) for name in names}
    most = seconds[(9 * len(seconds)) // 10]
    found["seconds per history (median, mean, nine of ten, longest)"] = (
        f"{median(seconds):.1f}, {mean(seconds):.1f}, {most:.1f}, {seconds[-1]:.1f}"
    )
    counted = violations(outcomes)
    return found | {name: str(counted[kind]) for kind, name in _KINDS.items()}


def show(outcomes: list[Outcome], console: Console) -> None:
    """The table, every failure with how to see it again, and the last line."""
    table = Table("figure", "number", title="Campaign")
    for name, value in figures(outcomes).items():
        table.add_row(name, value)
    console.print(table)
    for outcome in outcomes:
        if outcome.violations:
            console.print(failure(outcome), markup=False, highlight=False, soft_wrap=True)
    console.print(last_line(outcomes), markup=False, highlight=False, soft_wrap=True)


def failure(outcome: Outcome) -> str:
    """A failed history: what does not hold, its shortest steps, and how to play it again."""
    lines = [f"history {outcome.index} of seed {outcome.seed} failed:"]
    lines += [f"  {kind}: {text}" for kind, text in outcome.violations]
    lines += [
        "  shortest steps that show it:",
        *(f"    {step}" for step in outcome.shortest or outcome.steps),
    ]
    lines.append(f"  again: ./dev chaos -n 1 --seed {outcome.seed} --first {outcome.index}")
    return "\n".join(lines)


def markdown(outcomes: list[Outcome]) -> str:
    """The figures as a table for the documentation."""
    rows = [f"| {name} | {value} |" for name, value in figures(outcomes).items()]
    return "\n".join(["| figure | number |", "| --- | ---: |", *rows])
