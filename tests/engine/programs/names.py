"""Who is who: aliases, duplicate names, resources that become something else."""

from tests.engine.scenarios import Scenario

BOTH = (("up", 1), ("preview", 2), ("up", 2))

NAMES = [
    Scenario(
        "aliases: a chain of parents, renamed twice",
        """
def old(*names):
    return Options(aliases=[pulumi.Alias(name=name) for name in names])

if step < 3:
    g = Group(f"g{step}", old("g1"))
    h = Group(f"g{step}-h", Options(parent=g))
    Thing(f"g{step}-h-t", {"value": "v"}, Options(parent=h))
else:
    g = Group("g3", old("g2", "g1"))
    h = Group("h", Options.merge(Options(parent=g), old("g3-h")))
    Thing("t", {"value": "w"}, Options.merge(Options(parent=h), old("g3-h-t")))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "aliases: the run ends before a renamed parent's children are registered",
        """
g = Group("g" if step == 1 else "h", Options(aliases=[pulumi.Alias(name="g")]))
a = Thing("a", {"value": "v"}, Options(parent=g))
if step == 2:
    raise RuntimeError("that was it")
Thing("b", {"value": a.echo}, Options(parent=g))
""",
        (("up", 1), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "aliases: a replaced resource that can't be deleted has the new name",
        """
a = Thing("old" if step == 1 else "new", {"fixed": f"f{step}", "fail_delete": step == 1},
          Options(aliases=[pulumi.Alias(name="old")]))
Thing("b", {"value": a.id})
""",
        (("up", 1), ("up", 2), ("preview", 2), ("up", 2), ("destroy", 2)),
    ),
    Scenario(
        "aliases: deleted before it was replaced, then a failed create",
        """
first = step == 1
a = Thing("a" if first else "x", {"fixed": f"f{min(step, 2)}", "dbr": True, "fail_create": step == 2},
          Options(aliases=[pulumi.Alias(name="a")]))
Thing("b" if first else "y", {"fixed": a.id}, Options(aliases=[pulumi.Alias(name="b")]))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "aliases: claimed twice, and of a name that is registered again",
        """
if step == 1:
    Thing("a", {"value": "v"})
else:
    x = Thing("x", {"value": "v"}, Options(aliases=[pulumi.Alias(name="a")]))
    late = Options(depends_on=[x], aliases=[pulumi.Alias(name="a")] if step == 2 else None)
    Thing("y" if step == 2 else "a", {"value": "v"}, late)
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "aliases: one that is no URN",
        """
Thing("a", {"value": "v"}, Options(aliases=["nonsense"]))
""",
        (("preview", 1), ("up", 1)),
    ),
    Scenario(
        "aliases: names that are swapped stay what they are; the first of many counts",
        """
if step == 1:
    for name in ("a", "b", "c", "d"):
        Thing(name, {"value": name})
else:
    Thing("a", {"value": "b"}, Options(aliases=[pulumi.Alias(name="b")]))
    Thing("b", {"value": "a"}, Options(aliases=[pulumi.Alias(name="a")]))
    Thing("x", {"value": "x"}, Options(aliases=[pulumi.Alias(name=name) for name in ("nobody", "d", "c")]))
""",
        BOTH,
    ),
    Scenario(
        "aliases: a provider that is renamed, then renamed and replaced",
        """
p = Provider(f"p{step}", "region3" if step == 3 else "region1",
             Options(aliases=[pulumi.Alias(name=f"p{step - 1}")]))
a = Thing("a", {"value": "v"}, Options(provider=p))
Thing("b", {"value": a.echo}, Options(provider=p))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 3), ("up", 3), ("destroy", 3)),
    ),
    Scenario(
        "a resource becomes a component, and a component a resource",
        """
if step == 2:
    g = pulumi.ComponentResource("things:index:Thing", "a")
    Thing("child", {"value": "v"}, Options(parent=g))
    Thing("g", {"value": "v"}, Options(aliases=[pulumi.Alias(type_="things:index:Group")]))
else:
    Thing("a", {"value": "v"})
    Group("g")
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "a name that is read twice, or read and registered",
        """
a = Thing("a", {"value": "v"})
e = get("e", a.id)
get("e" if step == 1 else "a", a.id, None, Options(depends_on=[e]))
""",
        (("up", 1), ("up --continue-on-error", 2)),
    ),
    Scenario(
        "a resource that was read is made, is read, is read under another id",
        """
a = Thing("a", {"value": "v"})
if step == 2:
    e = Thing("e", {"value": "v"}, Options(depends_on=[a]))
else:
    e = get("e", "e-1" if step == 3 else a.id, None, Options(depends_on=[a]))
Thing("f", {"value": e.echo})
""",
        (
            ("up", 1),
            ("preview", 2),
            ("up", 2),
            ("preview", 3),
            ("up", 3),
            ("preview", 4),
            ("up", 4),
            ("destroy", 4),
        ),
    ),
]
