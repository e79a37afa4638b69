"""The table of behaviours in `docs/embedded-engine.md`. `./dev docs embedded-engine` plays all scenarios and writes it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.engine import golden
from tests.engine.playing import Embedded, Outcome
from tests.engine.programs import PROGRAMS
from tests.engine.scenarios import Scenario

PAGE = Path(__file__).parents[2] / "docs/embedded-engine.md"
BEGIN, END = "<!-- table -->\n", "<!-- end -->"


def head() -> list[str]:
    """The first two lines."""
    versions = ", ".join(sorted({golden.read(s)["cli"] for s in PROGRAMS}))
    return [f"| behaviour | embedded engine | Pulumi CLI {versions} | equal |", "| --- | --- | --- | --- |"]


def row(scenario: Scenario, ours: dict[str, Outcome], theirs: dict[str, Outcome]) -> str:
    """A behaviour's line."""
    equal = "yes" if not scenario.differs else scenario.differs.split(":")[0]
    return f"| {scenario.name} | {summary(ours)} | {summary(theirs)} | {equal} |"


def summary(runs: dict[str, Outcome]) -> str:
    """What an engine did in all runs, previews included: how many fail, and steps by operation."""
    red = sum(not outcome["well"] for outcome in runs.values())
    steps = Counter(step[0] for outcome in runs.values() for step in outcome.get("steps", []))
    done = ", ".join(f"{count} {op}" for op, count in sorted(steps.items()))
    return f"{len(runs)} runs{f', {red} fail' if red else ''}{f': {done}' if done else ''}"


def played(scenario: Scenario, root: Path) -> dict[str, Outcome]:
    """What the embedded engine does in *root*, as JSON has it."""
    player = Embedded(root)
    try:
        return dict(json.loads(json.dumps(player.play(scenario))))
    finally:
        player.close()


def documented() -> list[str]:
    """The lines of the table in the page."""
    return PAGE.read_text().partition(BEGIN)[2].partition(END)[0].splitlines()


def write() -> None:
    """Play all scenarios and write the table anew."""
    with TemporaryDirectory() as folder:
        rows = [
            row(scenario, played(scenario, Path(folder, str(number))), golden.read(scenario)["runs"])
            for number, scenario in enumerate(PROGRAMS)
        ]
    above, _, rest = PAGE.read_text().partition(BEGIN)
    table = "\n".join([*head(), *rows]) + "\n"
    PAGE.write_text(above + BEGIN + table + END + rest.partition(END)[2])


if __name__ == "__main__":
    write()
