"""Resource options: what the engine makes of each."""

from tests.engine.scenarios import Scenario

ONCE_MORE = (("up", 1), ("preview", 2), ("up", 2))

OPTIONS = [
    Scenario(
        "parent: URNs of nested components, and a move to another parent",
        """
outer = Group("outer")
inner = Group("inner", Options(parent=outer))
Thing("deep", {"value": "v"}, Options(parent=inner))
Thing("moved", {"value": "v"}, Options(parent=outer if step == 1 else inner))
inner.register_outputs({})
""",
        ONCE_MORE,
    ),
    Scenario(
        "dependsOn: added and removed, on a resource, on a component",
        """
a = Thing("a", {"value": "v"})
g = Group("g")
child = Thing("child", {"value": "v"}, Options(parent=g))
Thing("b", {"value": "v"}, Options(depends_on=[a] if step == 1 else [g]))
Thing("c", {"value": "v"}, Options(depends_on=[a, g] if step == 2 else None))
""",
        ONCE_MORE,
    ),
    Scenario(
        "protect: taken from the parent, and let go of",
        """
g = Group("g", Options(protect=step < 3))
Thing("child", {"value": "v"}, Options(parent=g))
Thing("open", {"value": "v"}, Options(parent=g, protect=False))
if step == 1:
    Thing("gone", {"value": "v"}, Options(protect=True))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("destroy", 2)),
    ),
    Scenario(
        "protect: a replacement is refused that would delete a dependent first, or the resource itself",
        """
a = Thing("a", {"fixed": f"f{step}", "dbr": True}, Options(protect=step == 2))
Thing("b", {"fixed": a.id}, Options(protect=step < 3))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "protect: what is protected holds its parent, its provider and what it rests on",
        """
g = Group("g")
base = Thing("base", {"value": "v"}, Options(parent=g))
p = Provider("p", base.echo)
a = Thing("a", {"value": "v"}, Options(protect=True, provider=p, parent=g))
Thing("b", {"value": a.echo}, Options(provider=p))
Thing("c", {"value": "v"})
""",
        (("up", 1), ("destroy", 1), ("destroy --continue-on-error", 1)),
    ),
    Scenario(
        "protect: a replacement is refused",
        """
Thing("a", {"fixed": f"f{step}"}, Options(protect=step < 3))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("up", 3)),
    ),
    Scenario(
        "ignoreChanges: nested paths, list elements, wildcards, what was not there",
        """
Thing("nested", {"tags": {"a": {"x": step, "y": 0}, "b": step}}, Options(ignore_changes=["tags.a.x", "tags.b"]))
Thing("listed", {"list": [{"x": step, "y": 1}, {"x": step, "y": 2}]}, Options(ignore_changes=["list[*].x"]))
Thing("added", {"value": "v", **({"extra": "e"} if step == 2 else {})}, Options(ignore_changes=["extra"]))
Thing("dropped", {"value": "v", **({"extra": "e"} if step == 1 else {})}, Options(ignore_changes=["extra"]))
Thing("all", {"value": f"v{step}", "other": step}, Options(ignore_changes=["*"]))
Thing("never", {"value": "v"}, Options(ignore_changes=["missing.path"]))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 3)),
    ),
    Scenario(
        "ignoreChanges: keys that come and go, lists that grow and shrink, secrets, what is no path",
        """
late = step == 2
Thing("all", {"tags": {"a": step} if late else None, "n": 1}, Options(ignore_changes=["tags"]))
Thing("deep", {"tags": {"a": {"b": step}} if late else {}}, Options(ignore_changes=["tags.a.b"]))
Thing("grows", {"list": [1, 2, 3] if late else [1]}, Options(ignore_changes=["list[1]"]))
Thing("shrinks", {"list": [1] if late else [1, 2, 3]}, Options(ignore_changes=["list[2]"]))
Thing("each", {"list": [{"x": 1}, {"x": 5}] if late else [{"x": 2}]}, Options(ignore_changes=["list[*].x"]))
Thing("maps", {"m": {"a": {"x": step, "y": step}, "b": {"x": step}}}, Options(ignore_changes=["m.*.x", "m[*].y"]))
Thing("quoted", {"m": {"a.b": step, "c": step}}, Options(ignore_changes=['m["a.b"]']))
Thing("inside", {"s": pulumi.Output.secret({"x": step, "y": step})}, Options(ignore_changes=["s.x"]))
Thing("opened", {"s": {"x": step, "y": step} if late else pulumi.Output.secret({"x": step})}, Options(ignore_changes=["s.x"]))
Thing("closed", {"s": pulumi.Output.secret({"x": step}) if late else {"x": step}}, Options(ignore_changes=["s.x"]))
Thing("other", {"list": "x" if late else [1, 2, 3]}, Options(ignore_changes=["list[2]"]))
Thing("nested", {"l": [[step, 1], [2, step]]}, Options(ignore_changes=["l[0][0]", "l[*][1]"]))
Thing("wrong", {"tags": {"a": step}}, Options(ignore_changes=["tags["]))
""",
        ONCE_MORE,
    ),
    Scenario(
        "replaceOnChanges: everything, nested paths, beside what the provider says",
        """
Thing("any", {"value": f"v{step}"}, Options(replace_on_changes=["*"]))
Thing("nested", {"tags": {"a": step, "b": 0}}, Options(replace_on_changes=["tags.a"]))
Thing("other", {"tags": {"a": step, "b": 0}}, Options(replace_on_changes=["tags.b"]))
Thing("both", {"value": f"v{step}", "fixed": f"f{step}"}, Options(replace_on_changes=["value"]))
Thing("detailed", {"value": f"v{step}", "detailed": True}, Options(replace_on_changes=["value"]))
""",
        ONCE_MORE,
    ),
    Scenario(
        "deleteBeforeReplace: asked for, and refused to the provider",
        """
a = Thing("a", {"fixed": f"f{step}"}, Options(delete_before_replace=True))
Thing("b", {"value": a.id}, Options(depends_on=[a]))
Thing("c", {"fixed": f"f{step}", "dbr": True}, Options(delete_before_replace=False))
""",
        ONCE_MORE,
    ),
    Scenario(
        "aliases: a URN, another type, a component of another type",
        """
if step == 1:
    Thing("a", {"value": "v"})
    Group("g")
    Thing("child", {"value": "v"}, Options(parent=pulumi.ComponentResource("things:index:Old", "top")))
else:
    Thing("z", {"value": "w"}, Options(aliases=["urn:pulumi:dev::demo::things:index:Thing::a"]))
    Group("h", Options(aliases=[pulumi.Alias(name="g")]))
    top = pulumi.ComponentResource("things:index:New", "top", None, Options(aliases=[pulumi.Alias(type_="things:index:Old")]))
    Thing("child", {"value": "v"}, Options(parent=top))
""",
        ONCE_MORE,
    ),
    Scenario(
        "aliases: of a resource that is replaced",
        """
if step == 1:
    a = Thing("old", {"fixed": "f1"})
else:
    a = Thing("new", {"fixed": "f2"}, Options(aliases=[pulumi.Alias(name="old")]))
Thing("b", {"value": a.id})
""",
        ONCE_MORE,
    ),
    Scenario(
        "aliases: of a resource that is still there",
        """
if step == 1:
    Thing("stays", {"value": "v"})
else:
    stays = Thing("stays", {"value": "v"})
    Thing("other", {"value": "v"}, Options(aliases=[pulumi.Alias(name="stays")], depends_on=[stays]))
""",
        ONCE_MORE,
    ),
    Scenario(
        "retainOnDelete: taken from the parent, at a replacement, at a destroy",
        """
g = Group("g", Options(retain_on_delete=True))
Thing("child", {"value": "v"}, Options(parent=g))
Thing("replaced", {"fixed": f"f{step}"}, Options(retain_on_delete=True))
if step == 1:
    Thing("gone", {"value": "v"}, Options(parent=g))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("destroy", 2)),
    ),
    Scenario(
        "additionalSecretOutputs: of outputs and of inputs, later on, and no more",
        """
names = {1: ["echo"], 2: ["echo", "value"], 3: None}[step]
a = Thing("a", {"value": "v"}, Options(additional_secret_outputs=names))
Thing("b", {"value": a.echo})
pulumi.export("echo", a.echo)
""",
        (("up", 1), ("preview", 2), ("up", 2), ("up", 3)),
    ),
    Scenario(
        "customTimeouts: a change of nothing else",
        """
Thing("a", {"value": "v"}, Options(custom_timeouts=pulumi.CustomTimeouts(create=f"{step}m", delete="90s")))
Thing("b", {"value": "v"}, Options(custom_timeouts=None if step == 2 else pulumi.CustomTimeouts(update="1.5h")))
""",
        ONCE_MORE,
    ),
    Scenario(
        "customTimeouts: one that is no duration",
        """
Thing("a", {"value": "v"}, Options(custom_timeouts=pulumi.CustomTimeouts(create="soon")))
""",
        (("preview", 1), ("up", 1)),
    ),
    Scenario(
        "options alone: no change, but the state keeps them",
        """
if step == 1:
    Thing("a", {"value": "v"})
else:
    Thing("a", {"value": "v"}, Options(protect=True, retain_on_delete=True, ignore_changes=["value"], replace_on_changes=["value"]))
""",
        ONCE_MORE,
    ),
    Scenario(
        "ignoreChanges: of a component, whose state takes what is ignored all the same",
        """
class Sized(pulumi.ComponentResource):
    def __init__(self, name, props, opts):
        super().__init__("things:index:Sized", name, props, opts)

Sized("a", {"size": step, "of": {"x": [1, step]}}, Options(ignore_changes=["of"]))
Sized("b", {"size": step}, Options(ignore_changes=["*"], replace_on_changes=["size"]))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 2)),
    ),
]
