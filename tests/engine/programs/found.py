"""What random programs showed to be different once, made small."""

from tests.engine.scenarios import Scenario

FOUND = [
    Scenario(
        "refresh --parallel 1: each resource is read and compared before the next one is",
        """
a = Thing("a", {"value": "v"})
b = Thing("b", {"value": a.echo})
Thing("c", {"value": b.echo})
""",
        (("up", 1), ("drift", 1), ("refresh --parallel 1", 1)),
        ordered=True,
    ),
    Scenario(
        "refresh: what was read stays when the comparison fails",
        """
Thing("a", {"value": "v", "fail_diff": True}, Options(additional_secret_outputs=["echo"]))
""",
        (("up", 1), ("drift", 1), ("refresh", 1)),
    ),
    Scenario(
        "refresh: children of what is gone have no parent",
        """
Thing("a", {"value": "v"})
c = Thing("c", {"value": "v"})
b = Thing("b", {"value": "v"}, Options(parent=c))
Thing("x", {"value": "v"}, Options(parent=b))
""",
        (("up", 1), ("drift", 1), ("refresh", 1), ("up", 1)),
    ),
    Scenario(
        "an update after which it isn't ready keeps the old inputs",
        """
Thing("a", {"value": f"v{step}", "init_error": step == 2})
""",
        (("up", 1), ("up", 2), ("preview", 2), ("up", 3)),
    ),
    Scenario(
        "get: what isn't ready is in the state, with its errors",
        """
a = Thing("a", {"value": "v", "unready": True})
get("x", a.id)
""",
        (("up", 1), ("preview", 1)),
    ),
    Scenario(
        "targets: one that isn't there, of a refresh and of a destroy",
        """
Thing("a", {"value": "v"})
""",
        (("up", 1), ("refresh --target x --target y", 1), ("destroy --target x", 1)),
    ),
    Scenario(
        "targets: what an untargeted resource rests on stays before it, though the program no longer has it",
        """
if step == 1:
    a = Thing("a", {"value": "v"})
    b = Thing("b", {"value": a.echo})
    Thing("c", {"value": "v"}, Options(depends_on=[b]))
else:
    Thing("c", {"value": "w"})
    Thing("d", {"value": "w"})
""",
        (("up", 1), ("up --target d", 2), ("up", 2), ("preview", 2)),
    ),
    Scenario(
        "targets: an untargeted resource whose provider the program no longer has",
        """
if step == 1:
    Thing("a", {"value": "v"}, Options(provider=Provider("p", "one")))
else:
    a = Thing("a", {"value": "v"}, Options(provider=Provider("q", "one")))
    Thing("b", {"value": "v"}, Options(depends_on=[a]))
""",
        (("up", 1), ("preview --target b", 2), ("up --target b", 2), ("up", 2)),
    ),
    Scenario(
        "targets: what isn't targeted keeps its old name and parent",
        """
if step == 1:
    g = Group("g")
    Thing("a", {"value": "v"}, Options(parent=g))
    Thing("b", {"value": "v"})
else:
    g = Group("h", Options(aliases=[pulumi.Alias(name="g")]))
    Thing("a", {"value": "v"}, Options(parent=g))
    Thing("b", {"value": "w"})
""",
        (("up", 1), ("up --target b", 2), ("up", 2), ("preview", 2)),
    ),
    Scenario(
        "targets: --refresh of an empty stack",
        """
a = Thing("a", {"value": "v"})
Thing("x", {"value": "v"}, Options(depends_on=[a]))
""",
        (("up --refresh --target x", 1),),
    ),
    Scenario(
        "pending operations: a create stays on record though the next update makes it",
        """
a = Thing("a", {"value": f"v{step}"})
if step > 1:
    Thing("b", {"value": a.echo})
""",
        (("up", 1), ("kill", 1), ("up", 2), ("up", 3)),
    ),
    Scenario(
        "protect: a preview goes on after a replacement that is refused",
        """
a = Thing("a", {"fixed": f"f{step}"}, Options(protect=True))
b = Thing("b", {"value": a.id}, Options(depends_on=[a]))
Thing("c", {"value": f"v{step}"}, Options(depends_on=[b]))
""",
        (("up", 1), ("preview", 2), ("up", 2)),
    ),
    Scenario(
        "going on: outputs of what exists but isn't ready are known",
        """
a = Thing("a", {"value": "v", "init_error": step == 1})
pulumi.export("id", a.id)
pulumi.export("echo", a.echo)
""",
        (("up --continue-on-error", 1), ("up", 2)),
    ),
    Scenario(
        "destroy --run-program: what rests on what isn't there, and is there itself",
        """
if step == 1:
    Thing("b", {"value": "v", "init_error": True})
else:
    a = Thing("a", {"value": "v"})
    p = Provider("p", a.echo)
    Thing("c", {"value": "v"}, Options(provider=p))
    b = Thing("b", {"value": "v"}, Options(depends_on=[a]))
    pulumi.export("serial", b.serial)
""",
        (("up", 1), ("destroy --run-program", 2)),
    ),
    Scenario(
        "destroy --run-program: of an empty stack leaves its components",
        """
Group("g")
Thing("a", {"value": "v"})
""",
        (("destroy --run-program", 1), ("destroy --run-program", 1)),
    ),
    Scenario(
        "destroy --run-program: what isn't ready and can't be deleted",
        """
Thing("b", {"value": "v", "init_error": True, "fail_delete": True})
""",
        (("up", 1), ("destroy --run-program", 1), ("preview", 1)),
    ),
    Scenario(
        "going on: what is read though it depends on what failed isn't",
        """
a = Thing("a", {"value": "v"})
b = Thing("b", {"value": "v", "fail_create": True})
x = get("x", a.id, {}, Options(depends_on=[b]))
get("y", a.id, {}, Options(parent=x))
""",
        (("up --continue-on-error", 1),),
    ),
    Scenario(
        "going on: the old one is deleted on whose replacement something rests that was skipped",
        """
c = Thing("c", {"fixed": step, "init_error": step == 2})
b = Thing("b", {"value": step}, Options(parent=c))
Thing("a", {"value": b.echo})
""",
        (("up", 1), ("up --continue-on-error", 2), ("up", 3)),
    ),
    Scenario(
        "going on: the old one stays whose dependent's replacement can't be deleted",
        """
p = Provider("p", f"r{step}")
a = Thing("a", {"fixed": step}, Options(provider=p))
b = Thing("b", {"fixed": a.serial, "fixed2": step, "fail_delete": step == 1}, Options(provider=p))
Thing("c", {"value": b.echo, "fail_update": True}, Options(provider=p))
""",
        (("up", 1), ("up --continue-on-error", 2), ("up", 3)),
    ),
    Scenario(
        "going on: a provider that failed is unknown to what is made with it",
        """
p = Provider("p", "one", hooks(before_create=[hook("no", fails=step == 1)]))
Thing("a", {"value": "v"}, Options(provider=p))
""",
        (("up --continue-on-error", 1), ("up", 2)),
    ),
    Scenario(
        "going on: a provider that failed is unknown to what is read with it",
        """
p = Provider("p", "one", hooks(before_create=[hook("no", fails=step == 1)]))
get("a", "a-1", {}, Options(provider=p))
""",
        (("up --continue-on-error", 1),),
    ),
    Scenario(
        "destroy --run-program: a provider that has another name, and what it made is no longer in the program",
        """
if step == 1:
    Thing("b", {"value": "v"}, Options(provider=Provider("p", "one")))
else:
    Provider("q", "one", Options(aliases=[pulumi.Alias(name="p")]))
""",
        (("up", 1), ("destroy --run-program", 2)),
    ),
    Scenario(
        "targets: what a destroy leaves comes before the target that can't be deleted",
        """
a = Thing("a", {"value": "v"})
Thing("b", {"value": a.echo}, Options(protect=True))
Thing("c", {"value": "v"}, Options(depends_on=[a]))
""",
        (("up", 1), ("destroy --target b", 1), ("up --target c", 1), ("up", 1)),
    ),
]
