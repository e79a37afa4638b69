"""What is done with a stack: its lock, its export, what a killed run leaves."""

from tests.engine.scenarios import Scenario

SOME = """
a = Thing("a", {"value": f"v{step}", "hidden": pulumi.Output.secret("s")})
Thing("c", {"value": a.echo})
"""

STACKS = [
    Scenario(
        "cancel: another's lock stops a run, a preview aside, until it is freed",
        SOME,
        (("up", 1), ("lock", 1), ("preview", 2), ("up", 2), ("cancel", 2), ("up", 2)),
    ),
    Scenario(
        "export and import: an older state is imported, and the stack goes on from it",
        SOME,
        (("up", 1), ("export", 1), ("up", 2), ("import", 2), ("preview", 2), ("up", 2), ("destroy", 2)),
    ),
    Scenario(
        "pending operations: a killed run's are reported and resolved by the next update",
        SOME,
        (("up", 1), ("kill", 1), ("preview", 2), ("up", 2), ("preview", 2)),
    ),
    Scenario(
        "pending operations: a destroy",
        SOME,
        (("up", 1), ("kill", 1), ("destroy", 1)),
    ),
    Scenario(
        "pending operations: a refresh",
        SOME,
        (("up", 1), ("kill", 1), ("refresh", 1)),
        differs="differs: forgets an interrupted create, for which the CLI wants --clear-pending-creates",
    ),
    Scenario(
        "pending operations: an export has them, an import drops them",
        SOME,
        (("up", 1), ("kill", 1), ("export", 1), ("import", 1), ("preview", 1)),
    ),
]
