"""The words of plans as files that people review, `snapshots/`: of a scenario the plan of its preview and of its update.

What another run has otherwise is the same in all of them: keys, job ids and times, and what is forecast, which rests on times and on
the order in which jobs beside each other end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plans.plan import Plan
from plans.words import as_text

FOLDER = Path(__file__).with_name("snapshots")
WIDTHS = (80, 120)
_KEY = re.compile(r"(?<![0-9a-f])[0-9a-f]{7,64}(?![0-9a-f])")
_TIME = re.compile(r"about [\d.]+ (s|min|h)\b")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?")
_SECONDS = {"low": 1.0, "middle": 2.0, "high": 4.0}
_METRIC = {"low": 0.7, "middle": 0.75, "high": 0.8}


class Keys:
    """The keys of a story, each by its number in it."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def settled(self, value: Any) -> Any:
        """JSON with a number in the place of each key, and one time for all."""
        if isinstance(value, Mapping):
            return {self.settled(name): self.settled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.settled(each) for each in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        return _MOMENT.sub("2026-01-01T00:00", _TIME.sub("about 2 s", _KEY.sub(self._number, text)))

    def _number(self, found: re.Match[str]) -> str:
        number = self._known.setdefault(found[0][:7], len(self._known) + 1)
        return f"{number:07}".ljust(len(found[0]), "0")


def settled(plan: Mapping[str, Any], keys: Keys) -> Plan:
    """A plan without what another run has otherwise."""
    told = {name: value for name, value in plan.items() if name != "stages"}
    stages = sorted(plan["stages"], key=lambda stage: str(stage["urn"]))
    found = keys.settled(told | {"stages": [stage | {"promised": {}} for stage in stages]})
    for stage in found["stages"]:
        facts = stage["facts"]
        facts |= {name: value for name, value in (("seconds", 2.0), ("job", "0000000")) if name in facts}
    for forecast in found["forecasts"].values():
        forecast["seconds"] = forecast["seconds"] and forecast["seconds"] | _SECONDS
        forecast["metrics"] = {name: each | _METRIC for name, each in forecast["metrics"].items()}
        forecast["chance"] = None if forecast["chance"] is None else 0.5
    return Plan.read(found)


def texts(name: str, preview: Mapping[str, Any], update: Mapping[str, Any], keys: Keys) -> dict[str, str]:
    """The files of a scenario: by their names what preview and update said, for each width."""
    plans = {"preview": settled(preview, keys), "up": settled(update, keys)}
    stem = re.sub(r"\W+", "-", name.replace("'", ""))
    return {
        f"{stem}.{width}.txt": "\n".join(
            f"$ ./dev {verb}\n{as_text(plan, width)}\n" for verb, plan in plans.items()
        )
        for width in WIDTHS
    }


def write(found: Mapping[str, str]) -> None:
    """Write the files, and remove all others."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        if path.name not in found:
            path.unlink()
    for name, text in found.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
