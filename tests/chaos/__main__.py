"""``python -m tests.chaos [--damage | --kind azureml | --fleets [--kills]] -n N --seed S [--first I] [--resume FILE] [--workers W] [--json] [--markdown]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from tests.chaos import report
from tests.chaos.azureml import AZUREML
from tests.chaos.campaign import TROUBLE, Campaign, Outcome
from tests.chaos.damage import DAMAGE
from tests.chaos.fleets import FLEETS, KILLS


def main() -> int:
    """Run a campaign; 1 where anything does not hold."""
    parser = argparse.ArgumentParser(
        prog="./dev chaos", description="Histories of trouble, and what must hold after each."
    )
    parser.add_argument("-n", "--histories", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--damage", action="store_true")
    parser.add_argument("--fleets", action="store_true")
    parser.add_argument("--kills", action="store_true")
    parser.add_argument("--kind", choices=("classic", "azureml"), default="classic")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    mode = DAMAGE if arguments.damage else TROUBLE
    if arguments.kind == "azureml":
        mode = AZUREML
    if arguments.fleets:
        mode = KILLS if arguments.kills else FLEETS

    def told(outcome: Outcome) -> None:
        done = len(campaign.outcomes)
        how = (
            "; ".join(f"{kind}: {text.strip().splitlines()[-1]}" for kind, text in outcome.violations)
            or "holds"
        )
        line = f"history {outcome.index} ({done}/{campaign.count}): {outcome.seconds:.1f} s, {how}"
        print(line, file=sys.stderr, flush=True)

    campaign = Campaign(
        arguments.histories,
        arguments.seed,
        workers=arguments.workers,
        resume=arguments.resume,
        first=arguments.first,
        on_outcome=told,
        mode=mode,
    )
    try:
        outcomes = campaign.run()
    except KeyboardInterrupt:
        print(f"cancelled after {len(campaign.outcomes)} histories", file=sys.stderr)
        return 130
    if arguments.json:
        found = {
            "figures": report.figures(outcomes, mode),
            "histories": [each.to_json() for each in outcomes],
        }
        print(json.dumps(found, indent=1))
        print(report.last_line(outcomes, mode))
    elif arguments.markdown:
        print(report.markdown(outcomes, mode))
        print(report.last_line(outcomes, mode))
    else:
        report.show(outcomes, Console(), mode)
    return 1 if len(outcomes) < arguments.histories or report.violations(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
