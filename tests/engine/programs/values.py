"""Values: secrets, unknowns, numbers, nulls, references; the stack's outputs."""

from tests.engine.scenarios import Scenario

ONCE_MORE = (("up", 1), ("preview", 2), ("up", 2))

VALUES = [
    Scenario(
        "secrets: what was plain becomes secret, and back",
        """
secret = lambda at, value: pulumi.Output.secret(value) if step == at else value
a = Thing("a", {"value": secret(2, "v"), "nested": {"x": [secret(1, "y"), "z"]}})
Thing("b", {"value": a.echo})
Thing("lazy", {"value": secret(2, "v"), "lazy": True})
pulumi.export("x", secret(1, {"y": ["z"]}))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 1), ("up", 1)),
    ),
    Scenario(
        "secrets: in the configuration, through apply and all, let out by unsecret",
        """
key = pulumi.Config().get_secret("key") or pulumi.Output.secret("none")
a = Thing("a", {"value": pulumi.Output.all(key, "plain").apply(lambda both: "-".join(both))})
Thing("b", {"value": pulumi.Output.unsecret(a.echo), "json": pulumi.Output.json_dumps({"k": key})})
pulumi.export("key", key)
pulumi.export("is-secret", pulumi.Output.from_input(a.echo).is_secret())
""",
        ONCE_MORE,
        config="  demo:key: k{step}\n",
    ),
    Scenario(
        "unknowns: in lists, in maps, through apply, in a component's outputs",
        """
g = Group("g")
a = Thing("a", {"value": f"v{step}"}, Options(parent=g))
Thing("b", {"list": ["x", a.echo], "map": {"k": a.echo, "fixed": 1}, "text": pulumi.Output.concat("<", a.echo, ">")})
Thing("c", {"value": a.echo.apply(lambda echo: [echo, echo])})
Thing("d", {"value": a.id, "serial": a.serial})
g.register_outputs({"echo": a.echo, "known": step})
pulumi.export("all", {"echo": a.echo, "step": step, "list": [a.id]})
""",
        (("preview", 1), ("up", 1), ("preview", 2), ("up", 2)),
    ),
    Scenario(
        "unknowns: no output of before an update or a replacement is seen after it in a preview",
        """
a = Thing("a", {"value": f"v{step}"})
b = Thing("b", {"fixed": f"f{step}"})
same = Thing("same", {"value": "s"})
Thing("updated", {"value": a.echo, "id": a.id, "serial": a.serial})
Thing("replaced", {"value": b.echo, "id": b.id})
Thing("untouched", {"value": same.echo, "id": same.id})
pulumi.export("echo", a.echo)
pulumi.export("id", b.id)
""",
        ONCE_MORE,
    ),
    Scenario(
        "numbers: NaN, infinities, negative zero, large and small",
        """
Thing("a", {"nan": float("nan"), "inf": float("inf"), "minus": float("-inf"), "zero": -0.0, "n": step})
Thing("b", {"big": 2**53, "bigger": 1e300, "small": 5e-324, "third": 1 / 3, "whole": 1.0})
pulumi.export("nan", float("nan"))
pulumi.export("inf", [float("inf"), float("-inf")])
""",
        (("preview", 1), ("up", 1), ("preview", 1), ("preview", 2), ("up", 2)),
    ),
    Scenario(
        "nulls and empties: left out, kept, come and gone",
        """
none = None if step == 1 else "some"
Thing("a", {"value": none, "list": [None, none], "map": {"x": none, "y": {}}, "empty": [], "text": "", "no": False})
pulumi.export("none", None)
pulumi.export("empty", {"list": [], "none": none})
""",
        (("preview", 1), ("up", 1), ("preview", 2), ("up", 2), ("up", 1)),
    ),
    Scenario(
        "names and keys: beyond ASCII, with dots, brackets and quotes",
        """
Thing("größe/1 [x]", {"käse": "brie", "a.b": {"c[0]": step, 'say "hi"': 1}, "emoji": "\\U0001f980"})
pulumi.export("schlüssel.a", "wert")
""",
        ONCE_MORE,
    ),
    Scenario(
        "stack outputs: added, changed, removed, and nothing else",
        """
if step < 3:
    pulumi.export("kept", "k")
    pulumi.export("changed", step)
    pulumi.export(f"only-{step}", {"n": [1, 2]})
""",
        (("preview", 1), ("up", 1), ("preview", 2), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "component outputs: nested, changed, secret, none",
        """
for name, outputs in {"a": {"n": {"step": step}}, "b": {"s": pulumi.Output.secret(step)}, "c": {}}.items():
    Group(name).register_outputs(outputs)
Group("never")
""",
        ONCE_MORE,
    ),
    Scenario(
        "an empty program, then a resource, then none",
        """
if step == 2:
    Thing("a", {"value": "v"})
""",
        (("preview", 1), ("up", 1), ("up", 2), ("up", 3), ("destroy", 3)),
    ),
]
