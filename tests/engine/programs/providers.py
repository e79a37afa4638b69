"""Providers: default, explicit, inherited, dynamic, attached; reads and invokes."""

from tests.engine.scenarios import Scenario

ONCE_MORE = (("up", 1), ("preview", 2), ("up", 2))
REGION = "  things:region: {step}\n"

DYNAMIC = """
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

class Notes(ResourceProvider):
    def check(self, olds, news):
        failures = [CheckFailure("value", "is bad")] if news.get("value") == "bad" else []
        return CheckResult({**news, "checked": True}, failures)

    def diff(self, id, olds, news):
        changed = sorted(k for k in news if not k.startswith("__") and olds.get(k) != news[k])
        return DiffResult(bool(changed), [k for k in changed if k == "fixed"], [], "first" in news)

    def create(self, props):
        if props.get("value") == "fails":
            raise ValueError("create went wrong")
        return CreateResult(f"id-{props.get('fixed')}", {**props, "made": f"made {props.get('value')}"})

    def read(self, id, props):
        return ReadResult(id, {**props, "made": "made elsewhere"})

    def update(self, id, olds, news):
        return UpdateResult({**news, "made": f"made {news.get('value')}"})

    def delete(self, id, props):
        pass

class Note(pulumi.dynamic.Resource, module="notes", name="Note"):
    made: pulumi.Output[str]
    def __init__(self, name, props, opts=None):
        super().__init__(Notes(), name, {**props, "made": None}, opts)
"""

PROVIDERS = [
    Scenario(
        "provider versions: of the default provider, with an address, of an explicit one",
        """
Thing("a", {"value": "v"}, Options(version=f"1.0.{step}"))
Thing("b", {"value": "v"}, Options(version="1.0.0"))
p = Provider("p", "region1", Options(version=f"2.0.{step}"))
Thing("c", {"value": "v"}, Options(provider=p))
Thing("d", {"value": f"v{step}"}, Options(version="1.2.0-alpha.1+b", plugin_download_url="https://example.com/x"))
""",
        (("up", 1), ("preview", 2), ("up", 2), ("refresh", 2)),
    ),
    Scenario(
        "diffs that a provider doesn't know, knows in part, or that contradict themselves",
        """
Thing("a", {"value": f"v{step}", "says": {"changes": 1, "replaces": ["value"]}})
Thing("b", {"value": f"v{step}", "says": {"changes": 0, "replaces": ["value"]}})
Thing("c", {"value": "v", "says": {"changes": 0, "replaces": ["value"]}})
Thing("d", {"value": "v", "says": {"changes": 2, "replaces": ["value"]}})
Thing("e", {"value": "v", "says": {"changes": 2}})
Thing("f", {"value": f"v{step}", "says": {"changes": 0, "diffs": ["other"]}})
Thing("g", {"value": f"v{step}", "says": {"changes": 2, "diffs": ["other"]}}, Options(replace_on_changes=["other"]))
Thing("h", {"value": f"v{step}", "says": {"changes": 1}}, Options(replace_on_changes=["value"]))
""",
        (("up", 1), ("preview", 2), ("up", 2)),
    ),
    Scenario(
        "reads that tell no inputs, no properties, another id",
        """
a = Thing("a", {"value": "v", "hidden": pulumi.Output.secret("x"), "reads": "inputs"})
b = Thing("b", {"value": "v", "reads": "id"})
n = Thing("n", {"value": "v", "reads": "properties"})
Thing("d", {"value": b.id})
if step == 2:
    get("e", b.id)
""",
        (("up", 1), ("drift", 1), ("refresh", 1), ("preview", 1), ("up --refresh", 2), ("destroy", 2)),
    ),
    Scenario(
        "default provider: configured by the stack's configuration, whose change replaces",
        """
Thing("a", {"value": "v"})
""",
        ONCE_MORE,
        config=REGION,
    ),
    Scenario(
        "explicit provider: another one, with the same and with another configuration",
        """
p = Provider("p", "same")
q = Provider("q", "same" if step == 1 else "other")
Thing("a", {"value": "v"}, Options(provider=p if step == 1 else q))
Thing("b", {"value": "v"}, Options(provider=q if step == 1 else None))
""",
        ONCE_MORE,
    ),
    Scenario(
        "explicit provider: handed down through components, and overruled",
        """
p, q = Provider("p", "one"), Provider("q", "two")
outer = Group("outer", Options(providers={"things": p}))
inner = Group("inner", Options(parent=outer))
Thing("a", {"value": "v"}, Options(parent=inner))
Thing("b", {"value": "v"}, Options(parent=inner, provider=q))
Thing("c", {"value": "v"}, Options(parent=Thing("owner", {"value": "v"}, Options(provider=q))))
""",
        (("preview", 1), ("up", 1), ("destroy", 1)),
    ),
    Scenario(
        "explicit provider: secret configuration, removed with its resources",
        """
if step == 1:
    Thing("a", {"value": "v"}, Options(provider=Provider("p", pulumi.Output.secret("hidden"))))
""",
        ONCE_MORE,
    ),
    Scenario(
        "provider that accepts secrets and previews: what it answers is known downstream",
        """
a = Thing("a", {"value": f"v{step}", "hidden": pulumi.Output.secret(f"s{step}"), "plain": "p"})
b = Thing("b", {"value": a.serial, "fixed": f"f{step}"})
Thing("c", {"value": b.echo, "plain": a.plain if hasattr(a, "plain") else None})
pulumi.export("echo", b.echo)
""",
        (("preview", 1), ("up", 1), ("preview", 2), ("up", 2)),
        provider=("secrets", "preview"),
    ),
    Scenario(
        "dynamic provider: created, unchanged, updated, replaced, deleted",
        DYNAMIC
        + """
a = Note("a", {"value": f"v{min(step, 2)}", "fixed": "f" if step < 3 else "g"})
Note("b", {"value": a.made, "fixed": "h"})
if step < 3:
    Note("gone", {"value": "g", "fixed": f"k{step}", "first": True})
pulumi.export("made", a.made)
""",
        (
            ("preview", 1),
            ("up", 1),
            ("up", 1),
            ("preview", 2),
            ("up", 2),
            ("preview", 3),
            ("up", 3),
            ("destroy", 3),
        ),
    ),
    Scenario(
        "dynamic provider: a check that refuses, a create that fails",
        DYNAMIC
        + """
a = Note("a", {"value": {1: "bad", 2: "fails"}.get(step, "v")})
Note("b", {"value": a.made})
""",
        (("preview", 1), ("up", 1), ("up", 2), ("up", 3)),
    ),
    Scenario(
        "dynamic provider beside an attached one: secrets, unknowns and a refresh",
        DYNAMIC
        + """
a = Thing("a", {"value": f"v{step}"})
n = Note("n", {"value": a.echo, "hidden": pulumi.Output.secret(f"s{step}")})
Thing("b", {"value": n.made})
""",
        (("preview", 1), ("up", 1), ("refresh", 1), ("preview", 2), ("up", 2)),
    ),
    Scenario(
        "get: read, read again, of another id, no more",
        """
a, b = Thing("a", {"value": "v"}), Thing("b", {"value": "w"})
if step < 3:
    found = get("found", a.id if step == 1 else b.id)
    Thing("c", {"value": found.echo})
""",
        (("preview", 1), ("up", 1), ("preview", 2), ("up", 2), ("preview", 3), ("up", 3)),
    ),
    Scenario(
        "get: with a parent, a provider, what must be there first; refreshed, destroyed",
        """
a = Thing("a", {"value": "v"})
p = Provider("p", "one")
get("found", "a-1", {"value": "v"}, Options(parent=Group("g"), provider=p, depends_on=[a], additional_secret_outputs=["echo"]))
""",
        (("up", 1), ("refresh", 1), ("preview", 1), ("destroy", 1)),
    ),
    Scenario(
        "get: of what isn't there",
        """
found = get("found", "nobody")
Thing("a", {"value": found.echo})
""",
        (("preview", 1), ("up", 1)),
    ),
    Scenario(
        "invoke: with secrets, with what isn't known yet, by an explicit provider",
        """
p = Provider("p", "one")
a = Thing("a", {"value": "v"}, Options(provider=p))
double = lambda args, **options: pulumi.runtime.invoke_output("things:index:double", args, pulumi.InvokeOutputOptions(**options))
pulumi.export("secret", double({"n": pulumi.Output.secret(step)}))
pulumi.export("serial", double({"n": a.serial}))
pulumi.export("plain", pulumi.runtime.invoke("things:index:double", {"n": 4}, pulumi.InvokeOptions(provider=p)).value)
Thing("b", {"value": double({"n": step}, depends_on=[a])})
""",
        (("preview", 1), ("up", 1), ("preview", 2), ("up", 2)),
    ),
    Scenario(
        "invoke: that fails",
        """
Thing("a", {"value": pulumi.runtime.invoke_output("things:index:double", {"fail": True})})
""",
        (("preview", 1), ("up", 1)),
    ),
    Scenario(
        "refresh before update: what a provider asks it for, and nothing else, is read first",
        """
a = Thing("a", {"value": "v", "refresh_first": True})
Thing("b", {"value": a.echo, "refresh_first": step == 2})
Thing("c", {"value": "v"})
""",
        (
            *(("up", 1), ("drift", 1), ("preview", 1), ("up", 1)),
            *(("preview", 2), ("up", 2), ("drift", 2), ("up --target b", 2)),
            *(("up", 3), ("drift", 3), ("preview --expect-no-changes", 3), ("destroy", 3)),
        ),
    ),
    Scenario(
        "refresh before update: of what isn't ready, with its inputs, of what is replaced, of what is gone",
        """
if step < 3:
    Thing("a", {"value": "v", "unready": True, "reads": "not ready, with inputs", "refresh_first": True})
Thing("b", {"fixed": step, "init_error": step == 1, "refresh_first": True})
Thing("c", {"value": step, "refresh_first": True})
""",
        (("up", 1), ("drift", 1), ("preview", 2), ("up", 2), ("kill", 2), ("up", 3), ("up", 3)),
        provider=("b fails after c",),
    ),
]
