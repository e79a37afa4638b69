"""When the model that is served was trained too long ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from retrain_hooks.host.inputs import Duration, Inputs, prop
from retrain_hooks.triggers.trigger import Decision, Scene, days

NAME = "age"
_AGAIN = timedelta(hours=1)


@dataclass(frozen=True)
class Settings(Inputs):
    """An age."""

    age: Duration = prop("how old the model that is served may get", least=60)


@dataclass(frozen=True)
class Facts:
    """The model that is served, and when its training ended; None where that isn't on record."""

    address: str
    trained_at: datetime | None


def look(settings: Settings, scene: Scene) -> Facts:
    """Read the run's record. Raises RetrainError."""
    run = scene.served()
    return Facts(scene.address, datetime.fromisoformat(run.ended_at) if run and run.ended_at else None)


def decide(settings: Settings, facts: Facts, now: datetime) -> Decision:
    """Fire where it is older."""
    if facts.trained_at is None:
        return Decision(
            False, f"when {facts.address or 'a model'} was trained is not on record", now + _AGAIN
        )
    due = facts.trained_at + timedelta(seconds=settings.age)
    told = f"the model is {days((now - facts.trained_at).total_seconds())} old (trained {facts.trained_at:%Y-%m-%d %H:%M} UTC)"
    if now < due:
        return Decision(False, told, due)
    return Decision(True, f"{told}, and {days(settings.age)} is the limit", now + _AGAIN, facts.address)
