"""``python -m tests.chaos.azureml -n N --seed S [--json] [--markdown]``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.azureml import rollouts
from tests.chaos.azureml.rollouts import Outcome
from tests.chaos.world import World


def main() -> int:
    """Run a campaign; 1 where anything does not hold."""
    parser = argparse.ArgumentParser(
        prog="./dev chaos --rollouts", description="Rollouts beside a client that scores."
    )
    parser.add_argument("-n", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()

    def told(outcome: Outcome) -> None:
        one = outcome.candidate
        how = "; ".join(f"{kind}: {text}" for kind, text in outcome.violations) or outcome.told or "served"
        line = f"rollout {one.index}/{arguments.n}, {outcome.seconds:.1f} s, {one}"
        print(f"{line}\n  {how.splitlines()[0]}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        world = World(Path(folder) / "world")
        try:
            outcomes, split, uneven = rollouts.played(
                world.start(), arguments.n, arguments.seed, on_outcome=told
            )
        except KeyboardInterrupt:
            print("cancelled", file=sys.stderr)
            return 130
        finally:
            world.close()
    figures = rollouts.figures(outcomes, split, uneven)
    if arguments.json:
        found = {"figures": figures, "rollouts": [rollouts.to_json(each) for each in outcomes]}
        print(json.dumps(found, indent=1))
    elif arguments.markdown:
        print(
            "\n".join(
                ["| figure | number |", "| --- | ---: |", *(f"| {n} | {v} |" for n, v in figures.items())]
            )
        )
    else:
        table = Table("figure", "number", title="Rollouts")
        for name, value in figures.items():
            table.add_row(name, value)
        Console().print(table)
    for kind, text in uneven:
        print(f"{kind}: {text}", file=sys.stderr)
    print(rollouts.last_line(outcomes, uneven))
    return 1 if uneven or any(each.violations for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
