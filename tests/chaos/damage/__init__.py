"""Histories in which what is stored is damaged, and the updates that follow: `./dev chaos --damage`."""

from tests.chaos.campaign import Mode
from tests.chaos.damage.drawn import history
from tests.chaos.damage.patient import LOST, NOTHING, RED, WRONG, play

DAMAGE = Mode(
    {
        WRONG: "served a wrong model",
        LOST: "lost",
        NOTHING: "retrained for nothing",
        RED: "red for ever",
        "preview": "previews that wrote",
        "outlived": "providers that outlived their engine",
        "harness": "defects of the campaign",
    },
    4,
    history,
    play,
    " --damage",
)
