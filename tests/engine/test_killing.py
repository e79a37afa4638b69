"""Runs that are killed: nothing is lost, what was under way is reported, and the next update ends it, by either engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.engine.conftest import Stack
from tests.engine.killing import Killer, campaign, check
from tests.engine.playing import PASSPHRASE, Cli, Embedded
from tests.engine.scenarios import Scenario
from tests.engine.test_same_as_cli import cli, embedded, with_cli

__all__ = ["cli", "embedded"]

BEFORE = Scenario(
    "before",
    """
a = Thing("one", {"fixed": "f1"})
b = Thing("two", {"value": a.id})
Thing("three", {"fixed": b.echo, "dbr": True})
Thing("four", {"value": "v"}, Options(depends_on=[b]))
""",
)
AFTER = Scenario(
    "after",
    """
a = Thing("one", {"fixed": "f2"})
b = Thing("two", {"value": "w"})
Thing("three", {"fixed": b.echo, "dbr": True}, Options(depends_on=[a]))
Thing("five", {"value": "v"})
""",
)
STUCK = Scenario(
    "stuck",
    """
a = Thing("a", {"value": "v"})
Thing("b", {"value": a.id, "slow_create": "stuck" if step == 2 else ""})
""",
)


@pytest.fixture
def killer() -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.close()


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *(("event", number) for number in (3, 6, 9, 12, 15)),
        *(("write", number) for number in (2, 4, 6, 8, 11)),
    ],
)
def test_a_killed_update_is_ended_by_the_next(
    embedded: Embedded, killer: Killer, kind: str, number: int
) -> None:
    """The checkpoint can be read, what was under way is on record and told, a second update does nothing."""
    embedded.write(BEFORE, 1)
    assert embedded.stack.up(embedded.program).ok
    embedded.write(AFTER, 1)
    assert killer.kill(embedded, kind, number)
    check(embedded, AFTER)


def test_kills_at_random(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """As many as `--kills` says, on one stack."""
    kills = request.config.getoption("--kills")
    if not kills:
        pytest.skip("--kills says how many; none")
    assert campaign(kills, 7, tmp_path / "stack").total() == kills


def of_the_cli(embedded: Embedded, cli: Cli) -> Embedded:
    """The embedded engine on the CLI's stack."""
    embedded.close()
    embedded.root, embedded.served = cli.root, cli.served
    embedded.stack = Stack(cli.root, cli.served, passphrase=PASSPHRASE)
    return embedded


@with_cli
def test_the_cli_goes_on_from_a_killed_embedded_run(cli: Cli, embedded: Embedded, killer: Killer) -> None:
    """It reports the pending create, makes what is missing, and then finds nothing to do."""
    ours = of_the_cli(embedded, cli)
    cli.write(STUCK, 2)
    assert killer.kill(ours, "call", 1)
    assert ours.state()["pending"] == ["creating things:index:Thing::b"]
    cli.write(STUCK, 1)
    cli.served.things.begin()
    assert (
        ours.stack.ws.backend.free_dead_locks(lambda _: None) == []
    )  # as ./dev does before it calls the CLI
    well, said = cli.call("up", "--yes", "--skip-preview")
    assert well, said
    assert cli.run("up", ["--expect-no-changes"])["well"]


@with_cli
def test_the_embedded_engine_goes_on_from_a_killed_cli(cli: Cli, embedded: Embedded) -> None:
    """It frees the lock, reports the pending create, makes what is missing, and then finds nothing to do."""
    things = cli.served.things
    cli.write(STUCK, 2)
    things.begin()

    def kill() -> None:
        if things.waiting.acquire(timeout=30):
            started = psutil.Process(cli.process.pid).children(recursive=True)
            for process in (cli.process, *started):  # what it started hold on to its output
                process.kill()

    threading.Thread(target=kill, daemon=True).start()
    assert not cli.run("up", [])["well"]
    ours = of_the_cli(embedded, cli)
    assert ours.state()["pending"] == ["creating things:index:Thing::b"]
    ours.write(STUCK, 1)
    things.begin()
    check(ours, STUCK)
