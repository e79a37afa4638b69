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
        "Ctrl-C: what runs is cancelled by the provider or ends, nothing else begins, the next update goes on",
        """
c = Thing("c", {"value": "v"})
a = Thing("a", {"value": "w" if step == 2 else "v", "slow_create": "ends", "slow_update": "ends"}, Options(depends_on=[c]))
bad = "slow_update" if step == 3 else "slow_create" if step == 1 else "keep"
b = Thing("b", {"value": "w" if step == 3 else "v", bad: "fails"}, Options(depends_on=[c]))
after = Thing("after", {"value": a.echo}, Options(depends_on=[b]))
if step < 5:
    Thing("gone", {"value": "v", "slow_delete": "ends"}, Options(depends_on=[after]))
""",
        (
            ("interrupt 2 up", 1),
            ("up", 4),
            ("interrupt 1 up", 2),
            ("up", 2),
            ("interrupt 2 up", 3),
            ("up", 4),
            ("interrupt 1 up", 5),
            ("up", 5),
            ("destroy", 5),
        ),
    ),
    Scenario(
        "Ctrl-C twice: what runs is given up and on record as pending, the next update resolves it",
        """
a = Thing("a", {"value": f"v{step}", "slow_create": "stuck" if step == 1 else "", "slow_update": "stuck" if step == 3 else ""})
Thing("after", {"value": a.echo})
""",
        (("terminate 1 up", 1), ("up", 2), ("terminate 1 up", 3), ("preview", 2), ("up", 2), ("preview", 2)),
    ),
    Scenario(
        "stack ls and rm: by force only while there are resources, and not while another holds the lock",
        SOME,
        (
            ("up", 1),
            ("ls", 1),
            ("rm", 1),
            ("lock", 1),
            ("rm --force", 1),
            ("cancel", 1),
            ("rm --force", 1),
            ("ls", 1),
            ("rm", 1),
        ),
    ),
    Scenario(
        "stack ls and rm: of a destroyed stack",
        SOME,
        (("up", 1), ("destroy", 1), ("ls", 1), ("rm", 1), ("ls", 1)),
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
        "pending operations: what was being created stays on record though the next update makes it, until cleared",
        """
Thing("a", {"value": "v"})
if step == 2:
    Thing("b", {"value": "v"})
""",
        (("up", 1), ("kill", 1), ("preview", 2), ("up", 2), ("refresh --clear-pending-creates", 2)),
    ),
    Scenario(
        "pending operations: a destroy",
        SOME,
        (("up", 1), ("kill", 1), ("destroy", 1)),
    ),
    Scenario(
        "pending operations: a refresh",
        SOME,
        (("up", 1), ("kill", 1), ("refresh", 1), ("refresh --clear-pending-creates", 1)),
    ),
    Scenario(
        "pending operations: an export has them, an import drops them",
        SOME,
        (("up", 1), ("kill", 1), ("export", 1), ("import", 1), ("preview", 1)),
    ),
]
