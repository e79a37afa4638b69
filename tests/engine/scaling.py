"""How an update's time grows with the number of resources: `python -m tests.engine.scaling 100 1000`.

Each of the trivial resources is created and then updated; the program runs in a process of its own, as with `./dev up`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from engine.testing import MakeStack
from tests.engine.things import Served, Things

PROGRAM = """
import pulumi
from tests.engine.conftest import Thing

config = pulumi.Config()
for number in range(config.require_int("count")):
    Thing(f"thing-{number}", {"value": config.require("value"), "text": "some text"})
"""


def update(count: int, folder: Path) -> float:
    """Milliseconds that an update of so many resources takes, each."""
    project = folder / f"project-{count}-{time.monotonic_ns()}"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (project / "__main__.py").write_text(PROGRAM)
    served = Served(Things())
    state = folder / f"state-{time.monotonic_ns()}"
    state.mkdir()
    stack = MakeStack(state)(
        project, config={"count": str(count), "value": "a"}, attach={"things": served.port}
    )
    try:
        stack.up()
        stack.config["value"] = "b"
        started = time.perf_counter()
        changes = stack.up().changes
        assert changes["update"] == count, changes
        return (time.perf_counter() - started) * 1e3 / count
    finally:
        served.close()


def main(counts: list[int], runs: int = 3) -> None:
    """Print the best of some runs for each count, and what it is of the first count's."""
    with tempfile.TemporaryDirectory() as folder:
        found: dict[int, list[float]] = {count: [] for count in counts}
        for _ in range(runs):
            for count in counts:
                found[count].append(update(count, Path(folder)))
    for count in counts:
        best = min(found[count])
        print(f"{count:>6} resources: {best:6.2f} ms each, {best / min(found[counts[0]]):.2f} of the first")


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [100, 1000])
