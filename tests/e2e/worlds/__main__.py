"""``python -m tests.e2e.worlds -n N --seed S [--first I] [--json]``: worlds that change after a plan was saved."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.checkout import Checkout
from tests.e2e.worlds.house import House
from tests.e2e.worlds.played import World, figures, played


def main() -> int:
    """Run a campaign; 1 where anything does not hold."""
    parser = argparse.ArgumentParser(
        prog="./dev fuzz --worlds", description="Worlds that change after a plan."
    )
    parser.add_argument("-n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    worlds: list[World] = []
    with TemporaryDirectory() as folder:
        root = Path(folder, "checkout")
        root.mkdir()
        checkout = Checkout.copy(root)
        try:
            house = House.built(checkout, Path(folder))
            for world in played(house, arguments.seed, range(arguments.first, arguments.first + arguments.n)):
                worlds.append(world)
                _tell(world, len(worlds), arguments.n)
        finally:
            checkout.dev("cloud", "stop")
    found = figures(worlds)
    print(json.dumps(found, indent=1) if arguments.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    return 1 if found["faults"] else 0


def _tell(world: World, count: int, wanted: int) -> None:
    line = f"world {world.index} ({count}/{wanted}), {world.seconds:.1f} s, {' + '.join(world.kinds)}"
    print(f"{line}: {', '.join(world.told)}", file=sys.stderr, flush=True)
    for fault in world.faults:
        print(f"  {fault}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
