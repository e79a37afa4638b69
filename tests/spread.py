"""How tests are spread over workers: what shares something stays together, all else goes where there is room.

Tests that share a fixture of their module run in one worker, so do those that share a session's fixture of their folder,
those with the run's cloud (`tests/shared.py`), and those with the same mark `xdist_group`. What takes longest begins, so
that all workers end together: `times.json` has the seconds of each file, which a run with `--times` writes anew. Taken
for `--dist loadgroup`: pytest-xdist's own keeps nothing together under pytest 9.2 (its issue 1386).
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TIMES = Path(__file__).with_name("times.json")


def group_of(item: pytest.Item) -> str:
    """What runs in one worker with this test: what it shares, or the test's folder or file, or its own name."""
    if mark := item.get_closest_marker("xdist_group"):
        return str(mark.args[0])
    file = file_of(item)
    definitions = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    if "azurite" in definitions:
        return "the run's cloud"
    shared = [each for found in definitions.values() for each in found if each.scope != "function"]
    if any(each.baseid.startswith("tests/") and each.scope == "session" for each in shared):
        return str(Path(file).parent)
    return file if any(each.scope != "session" for each in shared) else item.nodeid


def longest_first(items: Sequence[pytest.Item]) -> dict[str, str]:
    """The group of each test, by node id: first the group whose tests took longest, by the times of their files.

    Files that are new count like one that takes a second. Nothing but the order depends on this.
    """
    times = json.loads(TIMES.read_text())
    tests = Counter(map(file_of, items))
    groups = {item.nodeid: group_of(item) for item in items}
    took: defaultdict[str, float] = defaultdict(float)
    for item in items:
        took[groups[item.nodeid]] += times.get(file_of(item), 1) / tests[file_of(item)]
    return dict(sorted(groups.items(), key=lambda each: -took[each[1]]))


def file_of(item: pytest.Item) -> str:
    """The file of a test, as its node id has it."""
    return item.nodeid.partition("::")[0]


class Spread(LoadScopeScheduling):
    """Gives a worker one group after the other, in the order in which the workers have collected them."""

    def __init__(self, config: pytest.Config, log: Any, groups: Path) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False
        self._file = groups
        self._groups: dict[str, str] = {}

    def schedule(self) -> None:
        """Begin, or give new workers something to do."""
        self._groups = self._groups or json.loads(self._file.read_text())
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self._groups[nodeid]


class Controller:
    """The hooks of the process that spreads."""

    def __init__(self, *, times: bool) -> None:
        self._times: defaultdict[str, float] | None = defaultdict(float) if times else None
        self._folder = tempfile.TemporaryDirectory(prefix="spread-")
        self._groups = Path(self._folder.name, "groups.json")

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where to leave its groups."""
        node.workerinput["groups"] = str(self._groups)

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Spread:
        """Spread by groups."""
        return Spread(config, log, self._groups)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a test took."""
        if self._times is not None:
            self._times[report.nodeid.partition("::")[0]] += report.duration

    def pytest_unconfigure(self) -> None:
        """Write the times, where that is asked for, and leave nothing else behind."""
        if self._times:
            found = {file: round(seconds) for file, seconds in sorted(self._times.items()) if seconds >= 2}
            TIMES.write_text(json.dumps(found, indent=0) + "\n")
        self._folder.cleanup()


class Worker:
    """The hooks of a process that runs tests."""

    def __init__(self, groups: Path) -> None:
        self._groups = groups

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Order what was collected, and tell the groups: the same in each worker."""
        groups = longest_first(items)
        place = {nodeid: number for number, nodeid in enumerate(groups)}
        items.sort(key=lambda item: place[item.nodeid])
        with tempfile.NamedTemporaryFile("w", dir=self._groups.parent, delete=False) as file:
            json.dump(groups, file)
        Path(file.name).replace(self._groups)


def register(config: pytest.Config) -> None:
    """Take part, where tests are run by several workers by group."""
    if hasattr(config, "workerinput"):
        if groups := config.workerinput.get("groups"):
            config.pluginmanager.register(Worker(Path(groups)), "spread")
    elif config.getoption("dist", "no") == "loadgroup":
        config.pluginmanager.register(Controller(times=config.getoption("times", False)), "spread")
