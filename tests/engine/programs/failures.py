"""Order, failures, and what is done about them."""

from tests.engine.scenarios import Scenario

CHAIN = """
a = Thing("a", {"fixed": f"f{step}"})
b = Thing("b", {"fixed": a.id})
c = Thing("c", {"fixed": b.id})
"""

FAILURES = [
    Scenario(
        "order: dependents after what they depend on, deletes in reverse",
        """
a = Thing("a", {"value": "v"})
b = Thing("b", {"value": "v"}, Options(depends_on=[a]))
c = Thing("c", {"value": b.echo})
g = Group("g", Options(depends_on=[c]))
Thing("d", {"value": "v"}, Options(parent=g, depends_on=[c]))
""",
        (("up", 1), ("destroy", 1)),
        ordered=True,
    ),
    Scenario(
        "replace order: all creates before all deletes, deletes in reverse",
        CHAIN,
        (("up", 1), ("up", 2)),
        ordered=True,
    ),
    Scenario(
        "replace order: delete before create takes dependents first",
        CHAIN.replace('"fixed": f"f{step}"', '"fixed": f"f{step}", "dbr": True'),
        (("up", 1), ("preview", 2), ("up", 2)),
        ordered=True,
    ),
    Scenario(
        "one at a time: --parallel 1",
        CHAIN,
        (("up --parallel 1", 1), ("destroy --parallel 1", 1)),
        ordered=True,
    ),
    Scenario(
        "a failed create stops what depends on it; the next run goes on",
        """
a = Thing("a", {"value": "v", "fail_create": step == 1})
b = Thing("b", {"value": a.echo})
Thing("c", {"value": "v"}, Options(depends_on=[b]))
""",
        (("up", 1), ("preview", 2), ("up", 2)),
    ),
    Scenario(
        "a failed update keeps the old state",
        """
a = Thing("a", {"value": f"v{step}", "fail_update": step == 2})
Thing("b", {"value": a.echo})
""",
        (("up", 1), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "a failed replacement: the old one stays, the next run replaces it",
        """
a = Thing("a", {"fixed": f"f{step}", "fail_create": step == 2})
Thing("b", {"value": a.id})
""",
        (("up", 1), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "a replacement whose old one can't be deleted: pending until it can",
        """
Thing("a", {"fixed": f"f{step}", "fail_delete": step == 1})
""",
        (("up", 1), ("up", 2), ("preview", 2), ("up", 2), ("destroy", 2)),
    ),
    Scenario(
        "delete before replace, then a failed create: gone, and made by the next run",
        """
a = Thing("a", {"fixed": f"f{step}", "dbr": True, "fail_create": step == 2})
Thing("b", {"value": a.id})
""",
        (("up", 1), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "delete before replace, and the dependent that is deleted with it is no longer in the program",
        """
a = Thing("a", {"fixed": f"f{step}", "dbr": True})
if step == 1:
    Thing("b", {"fixed": a.id})
Thing("c", {"value": "w"}, Options(depends_on=[a]))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 2)),
    ),
    Scenario(
        "delete before replace, of two on which the same rests",
        """
a = Thing("a", {"fixed": f"f{step}", "dbr": True})
b = Thing("b", {"fixed": f"f{step}", "dbr": True}, Options(depends_on=[a]))
c = Thing("c", {"fixed": a.id, "fixed2": b.id})
d = Thing("d", {"value": c.id, "fixed": a.id})
""",
        (("up", 1), ("preview", 2), ("up", 2)),
        ordered=True,
    ),
    Scenario(
        "delete before replace, and a delete that fails",
        """
a = Thing("a", {"fixed": f"f{step}", "dbr": True, "fail_delete": step == 1})
b = Thing("b", {"fixed": a.id})
Thing("c", {"value": b.id})
""",
        (("up", 1), ("up", 2), ("preview", 2), ("up", 2), ("refresh", 2), ("destroy", 2)),
    ),
    Scenario(
        "delete before replace, across components and children",
        """
g = Group("g")
a = Thing("a", {"fixed": f"f{step}", "dbr": True}, Options(parent=g))
h = Group("h", Options(depends_on=[a]))
b = Thing("b", {"fixed": a.id}, Options(parent=h))
Thing("c", {"value": "x"}, Options(parent=h, depends_on=[g]))
Thing("d", {"fixed": b.id}, Options(parent=b))
Thing("e", {"value": "x"}, Options(parent=a))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 2), ("destroy", 2)),
    ),
    Scenario(
        "delete before replace, then a failed create: destroyed, refreshed, back to what it was, or gone",
        """
if step < 4:
    a = Thing("a", {"fixed": f"f{step % 3}", "dbr": True, "fail_create": step == 2})
    Thing("b", {"fixed": a.id})
""",
        (
            ("up", 1),
            ("up", 2),
            ("refresh", 2),
            ("preview", 1),
            ("preview", 3),
            ("preview", 4),
            ("up", 1),
            ("up", 2),
            ("destroy", 2),
        ),
    ),
    Scenario(
        "replacements whose old ones can't be deleted: two runs leave some, refreshed, destroyed",
        """
a = Thing("a", {"fixed": f"f{step}", "fail_delete": step < 3})
b = Thing("b", {"fixed": a.id, "fail_delete": step < 2})
Thing("c", {"value": b.id})
""",
        (("up", 1), ("up", 2), ("up", 3), ("refresh", 3), ("destroy", 3), ("up", 4)),
    ),
    Scenario(
        "going on after a failure: deletes, refreshed ones, a component that depends on what failed",
        """
a = Thing("a", {"value": f"v{step}", "fail_update": step in (2, 3), "fail_create": step == 1})
Thing("b", {"value": f"v{step}"})
if step in (1, 3):
    g = Group("g", Options(depends_on=[a]))
    g.register_outputs({"step": step})
if step == 2:
    c = Thing("c", {"value": "v"})
    d = Thing("d", {"value": c.echo, "fail_delete": True})
    Thing("e", {"value": d.echo})
""",
        (
            ("up --continue-on-error", 1),
            ("up", 2),
            ("drift", 2),
            ("up --continue-on-error --refresh", 2),
            ("up --continue-on-error", 4),
            ("destroy --continue-on-error", 4),
        ),
    ),
    Scenario(
        "a resource that isn't ready: what its error hooks are told",
        """
again = error_hook("again", lambda args: len(args.errors) < 2)
Thing("a", {"value": "v", "init_error": True}, hooks(on_error=[again]))
""",
        (("up", 1), ("up", 1)),
    ),
    Scenario(
        "a resource that isn't ready: after an update, a replacement, a refresh",
        """
a = Thing("a", {"value": f"v{step}", "init_error": step == 2})
b = Thing("b", {"fixed": f"v{step}", "init_error": step == 2}, Options(depends_on=[a] if step != 2 else None))
""",
        (
            ("up", 1),
            ("up --continue-on-error", 2),
            ("refresh", 2),
            ("preview", 2),
            ("up", 3),
            ("preview", 3),
        ),
    ),
    Scenario(
        "a resource that exists but isn't ready: kept with its errors, then updated",
        """
Thing("a", {"value": "v", "init_error": step == 1})
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 2)),
    ),
    Scenario(
        "a name registered twice",
        """
a = Thing("a", {"value": "v"})
Thing("a", {"value": "w"}, Options(depends_on=[a]))
""",
        (("preview", 1), ("up", 1)),
    ),
    Scenario(
        "an exception after resources were made, and an error that is only logged",
        """
a = Thing("a", {"value": "v"})
if step == 1:
    raise RuntimeError("what a pity")
if step == 2:
    pulumi.log.error("this is wrong", a)
if step == 3:
    a.echo.apply(lambda echo: [][0])
""",
        (("preview", 2), ("up", 2), ("preview", 3), ("up", 3), ("up", 4)),
    ),
    Scenario(
        "an exception in the program deletes nothing",
        """
a = Thing("a", {"value": "v"})
if step == 2:
    raise pulumi.RunError("not today")
Thing("b", {"value": a.echo})
""",
        (("up", 1), ("preview", 2), ("up", 2)),
    ),
    Scenario(
        "--expect-no-changes: green where there are none, red where there are",
        """
Thing("a", {"value": f"v{step}"})
pulumi.export("step", step)
""",
        (
            ("up", 1),
            ("preview --expect-no-changes", 1),
            ("up --expect-no-changes", 1),
            ("preview --expect-no-changes", 2),
            ("refresh --expect-no-changes", 1),
            ("drift", 1),
            ("preview --expect-no-changes", 1),
            ("refresh --expect-no-changes", 1),
        ),
    ),
    Scenario(
        "--refresh: a preview sees drift, an update mends it",
        """
a = Thing("a", {"value": "v"})
Thing("b", {"value": a.echo})
Thing("c", {"value": "w"})
""",
        (
            ("up", 1),
            ("drift", 1),
            ("preview", 1),
            ("preview --refresh", 1),
            ("up --refresh", 1),
            ("preview --refresh", 1),
        ),
    ),
    Scenario(
        "refresh: a read that fails, secrets, references, what is replaced next",
        """
a = Thing("a", {"value": pulumi.Output.secret("s"), "fixed": f"f{step}"})
Thing("b", {"value": a.id, "fail_read": step == 1})
""",
        (("up", 1), ("drift", 1), ("refresh", 1), ("up", 2), ("refresh", 2), ("preview", 2)),
    ),
    Scenario(
        "destroy: what fails keeps what it rests on; the next one ends it",
        """
a = Thing("a", {"value": "v"})
b = Thing("b", {"value": a.echo, "fail_delete": step == 1})
Thing("c", {"value": b.echo})
Thing("free", {"value": "v"})
""",
        (("up", 1), ("destroy", 1), ("destroy --continue-on-error", 1), ("up", 2), ("destroy", 2)),
    ),
    Scenario(
        "destroy --refresh: what is gone already isn't deleted",
        """
a = Thing("a", {"value": "v"})
Thing("c", {"value": a.echo})
""",
        (("up", 1), ("drift", 1), ("destroy --refresh", 1)),
    ),
]
