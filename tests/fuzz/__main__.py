"""``python -m tests.fuzz -n N --seed S [--first I] [--workers W] [--json] [--show]``: random graphs and tables."""

from __future__ import annotations

import argparse
import json
import sys

from tests.fuzz.campaign import campaign, figures
from tests.fuzz.held import Outcome, drawn


def main() -> int:
    """Run a campaign; 1 where anything does not hold."""
    parser = argparse.ArgumentParser(
        prog="./dev fuzz", description="Random graphs and tables, and what must hold of each."
    )
    parser.add_argument("-n", "--graphs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    if arguments.show:
        content, package = drawn(arguments.seed, arguments.first)
        print(content.decode())
        print(json.dumps(package, indent=1, ensure_ascii=False))
        return 0
    done = 0

    def told(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        for fault in outcome.faults:
            print(f"graph {outcome.index}: {fault}", file=sys.stderr, flush=True)
        if done % 500 == 0:
            print(f"{done} of {arguments.graphs}", file=sys.stderr, flush=True)

    found = figures(campaign(arguments.graphs, arguments.seed, arguments.first, arguments.workers, told))
    print(json.dumps(found, indent=1) if arguments.json else _text(found))
    return 1 if found["faults"] else 0


def _text(found: dict[str, object]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in found.items())


if __name__ == "__main__":
    sys.exit(main())
