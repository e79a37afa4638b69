"""What is noted of a run made comparable: ids, times and ciphertexts aside, in an order that isn't chance's."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
URN = "urn:pulumi:dev::demo::"
# What the CLI says of a run, beside why it failed.
CHATTER = re.compile(
    "(update|preview|destroy) (failed|cancell?ed)|context canceled|cancelled; what had finished is kept|Resource monitor has terminated|one or more targets could not"
    "|You must run with the `--run-program` flag|an unhandled error occurred: program exited"
    # Heads, of which each engine has its own; the table of differences says so.
    "|1 error occurred:|Traceback|ValueError: create went wrong"
    "|the stack is currently locked by|stack dev is locked by"
)


def tidy(value: Any) -> Any:
    """A value with ids, unknowns and ciphertexts made comparable."""
    if isinstance(value, dict):
        if "ciphertext" in value:
            return "[secret]"
        if "__provider" in value:
            value = {**value, "__provider": "[pickled]"}
        hidden = ("created", "modified", "sourcePosition", "stackTrace")
        return {k: tidy(v) for k, v in value.items() if k not in hidden}
    if isinstance(value, list):
        return [tidy(v) for v in value]
    if isinstance(value, str):
        return "[unknown]" if value == UNKNOWN else UUID.sub("UUID", value)
    return value


def listed(stacks: list[dict[str, Any]]) -> list[Any]:
    """Each stack with the number of its resources, and how its time is written."""
    return [
        [each["name"], each["resourceCount"], re.sub(r"\d", "0", each["lastUpdate"] or "")] for each in stacks
    ]


def said(reasons: list[str]) -> list[str]:
    """Why a run failed; without a check's head, which shows values as each engine's language does."""
    bare = (
        reason.strip().removeprefix("Preview failed: ").removesuffix(". Possible actions:")
        for reason in reasons
    )
    return sorted({UUID.sub("UUID", r.rsplit(" has a problem: ")[-1]) for r in bare if not CHATTER.match(r)})


def steps_of(log: str) -> list[list[Any]]:
    """The steps in the CLI's log of events; a refresh is one whatever it came to."""
    steps, read = [], Counter[str]()
    for line in filter(None, log.splitlines()):
        told = json.loads(line)
        begun, ended = (told.get(k, {}).get("metadata") for k in ("resourcePreEvent", "resOutputsEvent"))
        if begun and begun["op"] == "refresh":
            read[begun["urn"]] += 1
        elif begun:
            steps.append((begun["op"], begun["urn"], (begun["new"] or {}).get("inputs")))
        elif ended and read[ended["urn"]] > 0:
            read[ended["urn"]] -= 1
            steps.append(("refresh", ended["urn"], (ended["new"] or {}).get("inputs")))
    return shown_steps(steps)


def shown_steps(steps: list[tuple[str, str, Any]]) -> list[list[Any]]:
    """Operation, URN and new inputs of each step, sorted; `same` and default providers aside."""
    found = [
        [op, urn.removeprefix(URN), tidy({k: v for k, v in (inputs or {}).items() if not k.startswith("__")})]
        for op, urn, inputs in steps
        if op != "same" and "::default" not in urn
    ]
    return sorted(found, key=lambda step: json.dumps(step, sort_keys=True))


def changes_of(log: str) -> dict[str, int]:
    """The changes that the CLI's summary counts, by operation, in its log of events."""
    told = [json.loads(line) for line in filter(None, log.splitlines())]
    return next((each["summaryEvent"]["resourceChanges"] for each in told if "summaryEvent" in each), {})
