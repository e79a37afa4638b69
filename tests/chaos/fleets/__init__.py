"""Histories of fleets: `./dev chaos --fleets`; and kills during their updates: `./dev chaos --fleets --kills`."""

from dataclasses import replace

from tests.chaos.campaign import Mode
from tests.chaos.fleets.drawn import history, killed
from tests.chaos.fleets.right import CHAMPION, NOBODY, REASON, RED, UNQUIET, WRONG, play

FLEETS = Mode(
    {
        "duplicate": "duplicates",
        "orphan": "orphans",
        WRONG: "wrong bindings",
        RED: "red quiet updates",
        CHAMPION: "champions lost",
        NOBODY: "endpoints or marks without a member",
        REASON: "failures without a reason",
        UNQUIET: "previews or updates with something left to do",
        "preview": "previews that wrote",
        "outlived": "providers that outlived their engine",
        "harness": "defects of the campaign",
    },
    4,
    history,
    play,
    " --fleets",
)
KILLS = replace(FLEETS, drawn=killed, option=" --fleets --kills")
