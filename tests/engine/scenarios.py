"""Small programs, one per behaviour, with what is done to them; run on both engines and compared.

A program reads `step` from its configuration. A scenario's runs are (verb with options, step); `--target a` stands for
the thing called a.
"""

from __future__ import annotations

from dataclasses import dataclass

SDK = """
import json
from pathlib import Path

import pulumi

class Thing(pulumi.CustomResource):
    def __init__(self, name, props=None, opts=None):
        super().__init__("things:index:Thing", name, {**(props or {}), "echo": None, "serial": None}, opts)

class Group(pulumi.ComponentResource):
    def __init__(self, name, opts=None, props=None):
        super().__init__("things:index:Group", name, props, opts)

class Provider(pulumi.ProviderResource):
    def __init__(self, name, region, opts=None):
        super().__init__("things", name, {"region": region}, opts)

def get(name, id, props=None, opts=None):
    return Thing(name, props or {}, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))

def plain(value):
    if isinstance(value, pulumi.Output):
        return "[secret]"
    if isinstance(value, pulumi.output.Unknown):
        return "[unknown]"
    if isinstance(value, pulumi.Resource):
        return "[resource]"
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value

def noted(args, fails, answer=None):
    with (Path(pulumi.get_root_directory()) / "hooks.jsonl").open("a") as log:
        log.write(json.dumps(plain(vars(args)), sort_keys=True) + "\\n")
    if fails:
        raise ValueError(f"{args.name} says no")
    return answer

def hook(name, fails=False, **options):
    return pulumi.ResourceHook(name, lambda args: noted(args, fails), pulumi.ResourceHookOptions(**options))

def error_hook(name, again, fails=False):
    return pulumi.ErrorHook(name, lambda args: noted(args, fails, again(args)))

def hooks(**bound):
    return Options(hooks=pulumi.ResourceHookBinding(**bound))

Options = pulumi.ResourceOptions
step = pulumi.Config().require_int("step")
"""

UPS = (("preview", 1), ("up", 1), ("preview", 2), ("up", 2), ("preview", 2))


@dataclass(frozen=True)
class Scenario:
    """One behaviour; `config` is a template of lines of the stack's file, `provider` what the attached one can do.

    The provider's calls are compared in their order where it is `ordered`. `differs` says what the embedded engine
    does otherwise: what it refuses by name is said as `refused: <name>`.
    """

    name: str
    program: str
    runs: tuple[tuple[str, int], ...] = UPS
    config: str = ""
    provider: tuple[str, ...] = ()
    ordered: bool = False
    differs: str = ""


SCENARIOS = [
    Scenario(
        "update in place, outputs unknown or known downstream",
        """
group = Group("group")
a = Thing("a", {"value": f"v{step}", "keep": "k"}, Options(parent=group))
b = Thing("b", {"value": a.echo, "keep": a.keep if hasattr(a, "keep") else "x", "list": [1, {"x": a.id}]})
group.register_outputs({"echo": b.echo})
pulumi.export("echo", b.echo)
pulumi.export("fixed", "text")
""",
        (*UPS, ("destroy", 2)),
    ),
    Scenario(
        "replace, create before delete, dependents updated",
        """
a = Thing("a", {"fixed": f"f{step}", "value": "v", "named": True})
b = Thing("b", {"value": a.echo, "id": a.id})
c = Thing("c", {"fixed": a.id}, Options(depends_on=[b]))
if step == 1:
    Thing("gone", {"value": c.id})
""",
    ),
    Scenario(
        "replace, delete before create, dependents that must follow",
        """
a = Thing("a", {"fixed": f"f{step}", "dbr": True})
b = Thing("b", {"fixed": a.id})
c = Thing("c", {"value": a.id})
d = Thing("d", {"value": b.id}, Options(delete_before_replace=True))
""",
    ),
    Scenario(
        "options: ignoreChanges, replaceOnChanges, protect, retainOnDelete, timeouts, secrets, dependsOn",
        """
Thing("ignored", {"value": f"v{step}", "tags": {"a": str(step), "b": "same"}, "list": [step, 0]},
      Options(ignore_changes=["value", "tags.a", "list[0]"]))
Thing("replaced", {"value": f"v{step}"}, Options(replace_on_changes=["value"]))
Thing("protected", {"value": f"v{step}"}, Options(protect=step == 1))
Thing("timed", {"value": "v"}, Options(custom_timeouts=pulumi.CustomTimeouts(create="5m", update="1h30m")))
s = Thing("secret", {"value": pulumi.Output.secret(f"s{step}"), "plain": "p"}, Options(additional_secret_outputs=["serial"]))
Thing("after", {"value": s.echo, "nested": {"deep": [pulumi.Output.secret("x")]}}, Options(depends_on=[s]))
if step == 1:
    Thing("retained", {"value": "v"}, Options(retain_on_delete=True))
pulumi.export("secret", s.echo)
pulumi.export("hidden", pulumi.Output.secret("h"))
""",
    ),
    Scenario(
        "aliases: renamed, re-parented, renamed parent",
        """
if step == 1:
    g = Group("old-group")
    a = Thing("old-a", {"value": "v"}, Options(parent=g))
    b = Thing("b", {"value": a.echo})
    Thing("old-group-child", {"value": "c"}, Options(parent=g))
else:
    g = Group("new-group", Options(aliases=[pulumi.Alias(name="old-group")]))
    a = Thing("new-a", {"value": "v"}, Options(parent=g, aliases=[pulumi.Alias(name="old-a")]))
    b = Thing("b", {"value": a.echo}, Options(parent=g, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]))
    Thing("new-group-child", {"value": "c"}, Options(parent=g))
""",
    ),
    Scenario(
        "explicit providers, and a change that replaces their resources",
        """
p = Provider("p", f"region{step}")
q = Provider("q", "same")
g = Group("g", Options(providers=[p]))
Thing("a", {"value": "v"}, Options(provider=p))
Thing("b", {"value": "v"}, Options(provider=q))
Thing("child", {"value": "v"}, Options(parent=g))
r = Thing("r", {"value": f"x{step}"}, Options(provider=q))
Provider("late", r.echo)
""",
    ),
    Scenario(
        "a diff left to the engine, a detailed diff, nulls, numbers and lists",
        """
Thing("lazy", {"lazy": True, "value": f"v{step}", "n": {"x": [1, 2, step], "gone": None if step == 2 else 1}, "f": 1.5, "big": 12345678901})
Thing("idle", {"lazy": True, "value": "v"})
Thing("detailed", {"detailed": True, "value": f"v{step}", "fixed": f"f{step}", **({"old": "o"} if step == 1 else {"new": "n"})})
""",
    ),
    Scenario(
        "external reads and invokes",
        """
a = Thing("a", {"value": "v"})
e = get("e", a.id)
r = pulumi.runtime.invoke_async if False else None
out = pulumi.runtime.invoke_output("things:index:double", {"n": step}, pulumi.InvokeOutputOptions(depends_on=[a]))
Thing("b", {"value": e.echo})
pulumi.export("double", out)
""",
    ),
    Scenario(
        "references to resources as values",
        """
a = Thing("a", {"value": "v"})
g = Group("g")
g.register_outputs({"thing": a, "self": g})
Thing("b", {"value": "w", "ref": a})
pulumi.export("thing", a)
""",
        (("preview", 1), ("up", 1), ("preview", 1), ("up", 1)),
    ),
    Scenario(
        "refresh: drift in inputs and outputs, something gone",
        """
a = Thing("a", {"value": "v", "named": True})
b = Thing("b", {"value": a.echo, "lazy": True})
c = Thing("c", {"value": b.id})
""",
        (
            ("up", 1),
            ("drift", 1),
            ("refresh", 1),
            ("preview", 1),
            ("up", 1),
            ("drift", 1),
            ("up --refresh", 1),
        ),
    ),
    Scenario(
        "unknown provider configuration, and a resource that becomes external",
        """
a = Thing("a", {"value": "v"})
p = Provider("p", Thing(f"n{step}", {"value": f"v{step}"}).echo)
Thing("x", {"value": f"v{step}"}, Options(provider=p))
if step == 1:
    Thing("turn", {"value": "v"})
else:
    get("turn", "a-1")
if step == 2:
    get("back", "a-1")
if step == 3:
    Thing("back", {"value": "v"})
""",
        (("up", 1), ("preview", 2), ("up", 2), ("preview", 3), ("up", 3), ("destroy", 3)),
    ),
    Scenario(
        "hooks: before and after creates, updates, replacements and deletes, in previews where they ask for it",
        """
log = hook("log")
shown = hook("shown", on_dry_run=True)
every = {f"{when}_{what}": [log, shown] for when in ("before", "after") for what in ("create", "update", "delete")}
a = Thing("a", {"value": f"v{step}", "secret": pulumi.Output.secret("s")},
          Options.merge(hooks(**every), Options(additional_secret_outputs=["serial"])))
Thing("replaced", {"fixed": f"f{step}", "value": a.echo}, hooks(**every))
Thing("deleted-first", {"fixed": f"f{step}", "dbr": True}, hooks(**every))
group = Group("group", hooks(**every))
group.register_outputs({"echo": a.echo})
if step == 1:
    Thing("gone", {"value": "g"}, hooks(**every))
Thing("later", {"value": "l"}, hooks(after_create=[log]) if step == 2 else None)
""",
        (*UPS, ("destroy", 2), ("refresh", 2), ("up", 1)),
    ),
    Scenario(
        "hooks that fail: a before-hook fails the step, an after-hook the run, both unless errors are ignored",
        """
lenient = hook("lenient", fails=True, ignore_errors=True)
kept = Thing("kept", {"value": f"v{step}"},
             hooks(before_create=[lenient], after_create=[lenient], after_update=[lenient]))
last = Options(depends_on=[kept])
no = hook("no", fails=True)
if step == 1:
    Thing("before", {"value": "v"}, Options.merge(last, hooks(before_create=[no], after_create=[lenient])))
if step in (2, 3):
    after = Thing("after", {"value": f"v{step}"}, Options.merge(last, hooks(after_create=[no], after_update=[no])))
    Thing("next", {"value": after.echo})
if step == 4:
    Thing("after", {"value": "v3"})
if step == 5:
    Thing("after", {"value": "v3"}, hooks(before_delete=[no], after_delete=[no]))
""",
        (
            ("up", 1),
            ("up", 2),
            ("preview", 2),
            ("up", 3),
            ("preview", 3),
            ("up", 4),
            ("up", 5),
            ("destroy", 5),
            ("up", 6),
            ("preview", 6),
        ),
    ),
    Scenario(
        "error hooks: a failed operation is tried again for as long as they ask for it",
        """
twice = error_hook("twice", lambda args: len(args.errors) < 3)
broken = error_hook("broken", lambda args: False, fails=True)
if step == 1:
    Thing("fails", {"value": "v", "fail_create": True}, hooks(on_error=[twice]))
if step == 2:
    Thing("fails", {"value": "v", "fail_delete": True}, hooks(on_error=[twice]))
if step == 3:
    Thing("fails", {"value": "w", "fail_update": True, "fail_delete": True}, hooks(on_error=[twice, broken]))
""",
        (("up", 1), ("up", 2), ("up", 3), ("up", 4)),
    ),
    Scenario(
        "a failure: no other step starts, nothing is deleted, old outputs stay",
        """
first = Thing("first", {"value": f"v{step}"})
bad = Thing("bad", {"value": first.echo, "fail_create": step == 1, "fail_update": step == 3})
Thing("after", {"value": bad.echo})
pulumi.export("known", f"k{step}")
pulumi.export("echo", bad.echo)
if step == 2:
    Thing("left-over", {"value": "v"})
""",
        (("up", 1), ("up", 2), ("up", 3), ("up", 4)),
    ),
    Scenario(
        "a failure, going on: what depends on it is left out, and nothing else",
        """
bad = Thing("bad", {"value": f"v{step}", "fail_create": step == 1, "fail_update": step == 3})
Thing("after", {"value": bad.echo})
other = Thing("other", {"value": f"v{step}"})
Thing("later", {"value": other.echo})
pulumi.export("known", f"k{step}")
pulumi.export("echo", bad.echo)
if step == 2:
    Thing("left-over", {"value": "v"})
""",
        (
            ("up --continue-on-error", 1),
            ("up --continue-on-error", 2),
            ("up --continue-on-error", 3),
            ("up", 4),
        ),
    ),
    Scenario(
        "a program that is found wrong: by the provider's check, by an exception",
        """
first = Thing("first", {"value": f"v{step}"})
if step == 1:
    Thing("bad", {"value": first.echo, "bad": "this"})
if step == 2:
    raise ValueError("no such thing")
""",
        (("preview", 1), ("up", 1), ("up", 2)),
    ),
    Scenario(
        "deletes that fail: what the resource rests on stays, and nothing else is begun",
        """
base = Thing("base", {"value": "v"})
if step == 1:
    stuck = Thing("stuck", {"value": base.echo, "fail_delete": True})
    Thing("upper", {"value": stuck.echo})
""",
        (("up", 1), ("up", 2), ("destroy", 2)),
    ),
    Scenario(
        "protected resources: a delete or a replacement is refused, and the others go on",
        """
base = Thing("base", {"value": "v"})
if step < 3:
    Thing("kept", {"value": base.echo, "fixed": f"f{step}"}, Options(protect=True))
    Thing("free", {"value": "v"})
if step == 4:
    Thing("kept", {"value": base.echo, "fixed": "f1"})
""",
        (("up", 1), ("preview", 2), ("preview", 3), ("up", 3), ("destroy", 3), ("up", 4), ("destroy", 4)),
    ),
    Scenario(
        "targets: what isn't targeted stays as it is, what isn't there isn't created",
        """
p = Provider("p", "region1")
a = Thing("a", {"value": f"v{step}"})
b = Thing("b", {"value": a.echo, "keep": f"k{step}"})
c = Thing("c", {"value": f"v{step}"}, Options(depends_on=[b], provider=p))
g = Group("g")
d = Thing("d", {"value": f"v{step}", "fixed": f"f{step}"})
Thing("child", {"value": f"v{step}"}, Options(parent=g))
if step > 1:
    Thing("e", {"value": f"v{step}"})
    Thing("f", {"value": f"v{step}"})
if step == 1:
    Thing("x", {"value": "v"})
    Thing("y", {"value": "v"})
pulumi.export("step", step)
""",
        (
            ("up --target a", 1),
            ("up", 1),
            ("preview --target a", 2),
            ("up --target a --target x", 2),
            ("preview --target b", 2),
            ("preview --target d --target e", 2),
            ("up --target d --target e", 2),
            ("up --target nobody", 2),
            ("drift", 2),
            ("refresh --target a", 2),
            ("up --refresh --target b", 3),
            ("destroy --target c", 3),
            ("up", 3),
        ),
    ),
    Scenario(
        "targets: a resource that isn't there and is needed",
        """
a = Thing("a", {"value": "v"})
Thing("b", {"value": a.echo})
""",
        (
            ("preview --target b", 1),
            ("up --target b", 1),
            ("up --target a", 1),
            ("up --target b", 1),
            ("destroy --target a", 1),
        ),
    ),
]
