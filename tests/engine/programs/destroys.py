"""Destroys that run the program first, and what other destroys meet."""

from tests.engine.scenarios import Scenario

CHANGED = """
log = hook("log")
each = hooks(before_delete=[log], after_delete=[log])
p = Provider("p", f"region{step}")
g = Group("g", each)
a = Thing("a", {"value": f"v{step}"}, Options.merge(each, Options(parent=g, provider=p)))
b = Thing("b", {"value": a.echo})
if step == 2:
    n = Thing("new", {"value": "v"})
    h = Group("h", Options(parent=n))
    Thing("newer", {"value": n.echo}, Options(parent=h))
    Group("i", Options(depends_on=[b]))
pulumi.export("echo", b.echo)
"""

DESTROYS = [
    Scenario(
        "destroy --run-program: hooks of deletes, which are refused without it; nothing new is made",
        CHANGED,
        (("up", 1), ("destroy", 1), ("destroy --run-program", 2)),
    ),
    Scenario(
        "destroy --run-program: a resource that is no longer in the program has nobody to answer for its hooks",
        CHANGED + 'if step == 1:\n    Thing("gone", {"value": b.echo}, each)\n',
        (
            ("up", 1),
            ("destroy --run-program --target b", 1),
            ("destroy --run-program --target b --target **::gone", 1),
            ("destroy --run-program", 2),
        ),
    ),
    Scenario(
        "destroy --run-program: a hook that fails, a program that fails",
        """
no = hook("no", fails=True)
a = Thing("a", {"value": "v"}, hooks(before_delete=[no] if step == 1 else []))
Thing("b", {"value": a.echo})
if step == 2:
    raise RuntimeError("not now")
""",
        (
            ("up", 1),
            ("destroy --run-program", 1),
            ("destroy --run-program", 2),
            ("destroy --run-program", 3),
        ),
    ),
    Scenario(
        "destroy --run-program: options and names are the program's",
        """
a = Thing("a" if step == 1 else "z", {"value": "v"},
          Options(protect=step == 1, retain_on_delete=step == 2, aliases=[pulumi.Alias(name="a")]))
Thing("b", {"value": a.echo})
get("e", a.id)
""",
        (("up", 1), ("destroy --run-program", 1), ("destroy --run-program --refresh", 2)),
    ),
    Scenario(
        "retainOnDelete: taken back, deleted before replaced, with a provider that goes, too",
        """
p = Provider("p", "region1")
if step == 1:
    a = Thing("a", {"value": "v", "fail_delete": True}, Options(provider=p, retain_on_delete=True))
    Thing("b", {"value": a.echo})
Thing("c", {"fixed": f"f{step}", "dbr": True, "fail_delete": True}, Options(retain_on_delete=step == 1))
""",
        (("up", 1), ("up", 2), ("destroy", 2)),
    ),
    Scenario(
        "order: what depends on a component is deleted before its children",
        """
if step == 1:
    g = Group("g")
    a = Thing("a", {"value": "v"}, Options(parent=g))
    h = Group("h", Options(depends_on=[g]))
    b = Thing("b", {"value": "v"}, Options(parent=h))
    Thing("c", {"value": "v"}, Options(depends_on=[h]))
""",
        (("up", 1), ("up", 2)),
        ordered=True,
    ),
    Scenario(
        "a provider is gone from the program, and what it made can't be deleted",
        """
if step == 1:
    p = Provider("p", "region1")
    Thing("a", {"value": "v", "fail_delete": True}, Options(provider=p))
Thing("b", {"value": "v"})
""",
        (("up", 1), ("preview", 2), ("up", 2), ("refresh", 2), ("up", 2), ("destroy", 2)),
    ),
]
