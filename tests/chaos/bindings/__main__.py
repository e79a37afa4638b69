"""``python -m tests.chaos.bindings -n N --seed S [--first I] [--workers W] [--json] [--markdown]``."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from tests.chaos.bindings import campaign as campaigns
from tests.chaos.bindings.trials import Outcome


def main() -> int:
    """Run a campaign; 1 where anything does not hold."""
    parser = argparse.ArgumentParser(prog="./dev chaos --bindings", description="Updates that meet faults.")
    parser.add_argument("-n", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()

    def told(outcome: Outcome) -> None:
        how = "; ".join(f"{kind}: {text}" for kind, text in outcome.violations) or outcome.told or "served"
        line = f"binding {outcome.index} ({len(campaign.outcomes)}/{arguments.n}), {outcome.seconds:.1f} s, "
        print(f"{line}{outcome.trial}\n  {how.splitlines()[0]}", file=sys.stderr, flush=True)

    campaign = campaigns.Campaign(
        arguments.n, arguments.seed, workers=arguments.workers, first=arguments.first, on_outcome=told
    )
    try:
        outcomes = campaign.run()
    except KeyboardInterrupt:
        print(f"cancelled after {len(campaign.outcomes)} bindings", file=sys.stderr)
        return 130
    figures = campaigns.figures(outcomes)
    if arguments.json:
        print(json.dumps({"figures": figures, "bindings": [each.to_json() for each in outcomes]}, indent=1))
    elif arguments.markdown:
        print(
            "\n".join(
                ["| figure | number |", "| --- | ---: |", *(f"| {n} | {v} |" for n, v in figures.items())]
            )
        )
    else:
        table = Table("figure", "number", title="Bindings")
        for name, value in figures.items():
            table.add_row(name, value)
        Console().print(table)
    for outcome in outcomes:
        if outcome.violations:
            print(campaigns.failure(outcome), file=sys.stderr)
    print(campaigns.last_line(outcomes))
    return 1 if len(outcomes) < arguments.n or campaigns.violations(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
