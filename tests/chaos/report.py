"""What a campaign says at its end."""

from __future__ import annotations

from collections import Counter
from statistics import mean, median

from rich.console import Console
from rich.table import Table

from tests.chaos.campaign import TROUBLE, Mode, Outcome, totals


def violations(outcomes: list[Outcome]) -> Counter[str]:
    """How many violations there were of each kind."""
    return Counter(kind for outcome in outcomes for kind, _text in outcome.violations)


def last_line(outcomes: list[Outcome], mode: Mode = TROUBLE) -> str:
    """``N histories: D duplicates, O orphans, W wrong bindings``."""
    found = violations(outcomes)
    told = ", ".join(f"{found[kind]} {name}" for kind, name in list(mode.kinds.items())[: mode.summed])
    return f"{len(outcomes)} histories: {told}"


def figures(outcomes: list[Outcome], mode: Mode = TROUBLE) -> dict[str, str]:
    """The figures by name, in the order in which they are shown."""
    total = totals(outcomes)
    names = sorted(total, key=lambda name: (_grouped(name), -total[name], name))
    seconds = sorted(outcome.seconds for outcome in outcomes) or [0.0]
    found = {"histories": str(len(outcomes))} | {name: str(total[name]) for name in names}
    most = seconds[(9 * len(seconds)) // 10]
    found["seconds per history (median, mean, nine of ten, longest)"] = (
        f"{median(seconds):.1f}, {mean(seconds):.1f}, {most:.1f}, {seconds[-1]:.1f}"
    )
    counted = violations(outcomes)
    return found | {name: str(counted[kind]) for kind, name in mode.kinds.items()}


def _grouped(name: str) -> str:
    """What a figure stands under, behind those that stand alone."""
    group = name.partition(":")[0]
    return group if group in ("damaged", "fault", "remedy") else ""


def show(outcomes: list[Outcome], console: Console, mode: Mode = TROUBLE) -> None:
    """The table, every failure with how to see it again, and the last line."""
    table = Table("figure", "number", title="Campaign")
    for name, value in figures(outcomes, mode).items():
        table.add_row(name, value)
    console.print(table)
    for outcome in outcomes:
        if outcome.violations:
            console.print(failure(outcome, mode), markup=False, highlight=False, soft_wrap=True)
    console.print(last_line(outcomes, mode), markup=False, highlight=False, soft_wrap=True)


def failure(outcome: Outcome, mode: Mode = TROUBLE) -> str:
    """A failed history: what does not hold, its shortest steps, and how to play it again."""
    lines = [f"history {outcome.index} of seed {outcome.seed} failed:"]
    lines += [f"  {kind}: {text}" for kind, text in outcome.violations]
    lines += [
        "  shortest steps that show it:",
        *(f"    {step}" for step in outcome.shortest or outcome.steps),
    ]
    lines.append(f"  again: ./dev chaos{mode.option} -n 1 --seed {outcome.seed} --first {outcome.index}")
    return "\n".join(lines)


def markdown(outcomes: list[Outcome], mode: Mode = TROUBLE) -> str:
    """The figures as a table for the documentation."""
    rows = [f"| {name} | {value} |" for name, value in figures(outcomes, mode).items()]
    return "\n".join(["| figure | number |", "| --- | ---: |", *rows])
