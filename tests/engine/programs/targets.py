"""Runs about some resources only: what is taken along, what stays, what is refused."""

from tests.engine.scenarios import Scenario

STACK = "urn:pulumi:dev::demo::"
GROUP = f"{STACK}things:index:Group::g"

TARGETS = [
    Scenario(
        "targets: wildcards, over components and types",
        """
g = Group("g")
Thing("a", {"value": f"v{step}"}, Options(parent=g))
Thing("b", {"value": f"v{step}"}, Options(parent=g))
Thing("c", {"value": f"v{step}"})
""",
        (
            ("up", 1),
            ("preview --target **Group$**", 2),
            ("up --target **Group$**", 2),
            ("up --target **nobody**", 2),
            ("refresh --target **Group$**", 2),
            ("destroy --target **::Thing::a", 2),
            ("destroy --target **Group**", 2),
        ),
    ),
    Scenario(
        "targets: one that isn't there, in each kind of run",
        """
Thing("a", {"value": f"v{step}"})
""",
        (
            ("up", 1),
            (f"up --target a --target {STACK}nobody", 2),
            (f"up --refresh --target {STACK}no$body", 2),
            (f"refresh --target {STACK}nobody", 2),
            (f"destroy --target a --target {STACK}nobody", 2),
        ),
    ),
    Scenario(
        "targets: what isn't targeted rests on what the program no longer has",
        """
if step == 1:
    a = Thing("a", {"value": "v"})
    b = Thing("b", {"value": a.echo})
else:
    b = Thing("b", {"value": "w"})
c = Thing("c", {"value": b.echo})
d = Thing("d", {"value": f"v{step}"})
""",
        (
            ("up", 1),
            ("preview --target d", 2),
            ("up --target d", 2),
            ("up --target a", 2),
            ("up --target a --target b", 2),
            ("up", 2),
        ),
    ),
    Scenario(
        "targets: what isn't targeted keeps its old parent and its old name",
        """
g = Group("g")
h = Group("h") if step == 2 else g
a = Thing("a" if step == 1 else "z", {"value": "v"}, Options(aliases=[pulumi.Alias(name="a")]))
Thing("child", {"value": a.echo}, Options(parent=h, aliases=[pulumi.Alias(parent=g)]))
b = Thing("b", {"value": a.echo, "n": step})
""",
        (
            ("up", 1),
            ("preview --target b", 2),
            ("up --target b", 2),
            (f"up --target {STACK}things:index:Group::h", 2),
            ("preview", 2),
            ("up", 2),
        ),
    ),
    Scenario(
        "targets: a provider that is replaced under what isn't targeted is refused",
        """
p = Provider("p", f"region{step}")
a = Thing("a", {"value": f"v{step}"}, Options(provider=p))
Thing("b", {"value": f"v{step}"}, Options(depends_on=[a]))
""",
        (("up", 1), ("preview --target b", 2), ("up --target b", 2), ("up --target a", 2), ("up", 2)),
    ),
    Scenario(
        "targets: a dependent that is deleted before the target's replacement is made again, as it was",
        """
a = Thing("a", {"fixed": f"f{step}", "dbr": step == 2})
b = Thing("b", {"fixed": a.id, "value": f"v{step}"})
Thing("c", {"value": b.id})
""",
        (("up", 1), ("preview --target a", 2), ("up --target a", 2), ("preview", 2), ("up", 2)),
    ),
    Scenario(
        "targets: a destroy names all that would have to go, too",
        """
g = Group("g")
a = Thing("a", {"value": "v"}, Options(parent=g))
b = Thing("b", {"value": a.echo})
Thing("child", {"value": "w"}, Options(parent=a))
p = Provider("p", "region1")
Thing("d", {"value": "v"}, Options(provider=p, protect=True))
""",
        (
            ("up", 1),
            (f"destroy --target {GROUP}", 1),
            (f"destroy --target {STACK}pulumi:providers:things::p", 1),
            ("destroy --target d", 1),
            (f"destroy --target {GROUP} --target **Group$** --target b", 1),
        ),
    ),
    Scenario(
        "targets: a refresh finds one gone on which others rest",
        """
a = Thing("a", {"value": "v"})
c = Thing("c", {"value": a.echo})
Thing("d", {"value": c.echo, "other": a.echo}, Options(depends_on=[c]))
Thing("child", {"value": "x"}, Options(parent=c))
""",
        (
            ("up", 1),
            ("drift", 1),
            ("refresh --target c", 1),
            ("preview --target d", 1),
            ("preview --refresh --target a", 1),
            ("up --refresh --target a", 1),
            ("up", 1),
        ),
    ),
    Scenario(
        "targets: a component's outputs and the stack's",
        """
g = Group("g")
a = Thing("a", {"value": f"v{step}"}, Options(parent=g))
g.register_outputs({"n": step})
Thing("b", {"value": f"v{step}"})
pulumi.export("step", step)
pulumi.export("echo", a.echo)
""",
        (("up", 1), ("up --target b", 2), ("preview", 2)),
    ),
    Scenario(
        "targets: going on after a failure",
        """
a = Thing("a", {"value": f"v{step}", "fail_update": step == 2})
Thing("b", {"value": a.echo})
Thing("c", {"value": f"v{step}"})
""",
        (("up", 1), ("up --continue-on-error --target a --target c", 2), ("up", 3)),
    ),
]
