"""``python -m tests.chaos.cluster -n N --seed S [--workers W] [--json] [--markdown]``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.cluster.house import House
from tests.chaos.cluster.play import drawn, figures, play


def main() -> int:
    """Play the jobs; 1 where anything does not hold."""
    parser = argparse.ArgumentParser(prog="./dev chaos --cluster", description="Jobs on a cluster that dies.")
    parser.add_argument("-n", type=int, default=200, help="jobs; one in twenty sees a worker killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    kills = max(1, arguments.n // 20)
    trees, killed = drawn(arguments.n, arguments.workers, kills, arguments.seed)

    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        house = House(Path(folder) / "house", arguments.workers)
        try:
            outcome = play(house, trees, killed, lambda line: print(line, file=sys.stderr, flush=True))
        except KeyboardInterrupt:
            print("cancelled", file=sys.stderr)
            return 130
        finally:
            house.close()
    for kind, text in outcome.violations:
        print(f"{kind}: {text}", file=sys.stderr)
    found = figures(outcome)
    if arguments.json:
        print(json.dumps({"figures": found, "violations": outcome.violations}, indent=1))
    elif arguments.markdown:
        rows = [f"| {name} | {value} |" for name, value in found.items()]
        print("\n".join(["| figure | number |", "| --- | ---: |", *rows]))
    else:
        shown = Table("figure", "number", title="A cluster that dies")
        for name, value in found.items():
            shown.add_row(name, value)
        Console().print(shown)
    print(f"{arguments.n} jobs: {len(outcome.violations)} violations")
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
