"""``python -m tests.chaos.kills -n N --seed S [--first I] [--json] [--markdown]``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.kills.house import House
from tests.chaos.kills.rounds import Outcome, Rounds, drawn, figures, last_line


def main() -> int:
    """Play the rounds; 1 where anything does not hold."""
    parser = argparse.ArgumentParser(prog="./dev chaos --kills", description="Kills, and the next update.")
    parser.add_argument("-n", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    outcomes: list[Outcome] = []

    def told(outcome: Outcome) -> None:
        outcomes.append(outcome)
        how = "; ".join(f"{kind}: {text}" for kind, text in outcome.violations) or "holds"
        line = f"round {outcome.round.index} ({len(outcomes)}/{arguments.n}), {outcome.seconds:.1f} s, "
        print(f"{line}{outcome.round}\n  {how}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        house = House(Path(folder) / "checkout")
        try:
            Rounds(house, told).play(drawn(arguments.first + arguments.n, arguments.seed)[arguments.first :])
        except KeyboardInterrupt:
            print(f"cancelled after {len(outcomes)} rounds", file=sys.stderr)
            return 130
        finally:
            house.close()
    found = figures(outcomes)
    if arguments.json:
        print(json.dumps({"figures": found, "rounds": [asdict(each) for each in outcomes]}, indent=1))
    elif arguments.markdown:
        rows = [f"| {name} | {value} |" for name, value in found.items()]
        print("\n".join(["| figure | number |", "| --- | ---: |", *rows]))
    else:
        shown = Table("figure", "number", title="Kills")
        for name, value in found.items():
            shown.add_row(name, value)
        Console().print(shown)
    print(last_line(outcomes))
    return 1 if len(outcomes) < arguments.n or any(each.violations for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
