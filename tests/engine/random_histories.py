"""Random programs with random edits, from a seed: what is run, what fails then, what drifted before.

References to resources are kept by their variables and left out where the program no longer has one, so that any part
of a history can be removed and the rest still runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

STACK = "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev"
HEAD = """
import asyncio

double = lambda args, **options: pulumi.runtime.invoke_output("things:index:double", args, pulumi.InvokeOutputOptions(**options))

async def there(resource):
    try:
        await resource.urn.future()
    except Exception:
        pass

async def main():
    await there(pulumi.runtime.get_root_resource())
"""
TAIL = """
ran = asyncio.ensure_future(main())

async def picked(name):
    return (await ran)[name]

"""
VALUES = ("1", "2", "'three'", "None", "[]", "{}", "True", "float('inf')", "float('nan')", "-0.0", "''")
NESTED = (
    "{'x': 1, 'y': [1, 2]}",
    "{'x': 2, 'y': [1, 2]}",
    "{'x': 1, 'y': [1, 3, {'z': None}]}",
    "{'y': []}",
    "None",
    "pulumi.Output.secret({'x': 1})",
    "{'x': pulumi.Output.secret(1), 'y': [pulumi.Output.secret(2), 1]}",
)
METHODS = (*("create", "update", "delete") * 2, "read", "check", "diff", "init", "unready")
PATHS = ("value", "nested", "nested.x", "nested.y[1]", "nested.y[*]", "fixed", "*", "listed[0]")


@dataclass(frozen=True)
class Resource:
    """One registration. Values of properties are Python; `@a.echo` is an output of the one called a, `@a` itself."""

    var: str
    name: str
    kind: str  # thing, group, provider, get
    props: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A command and the program it is run with, calls that fail then, and what changes outside before."""

    command: str
    program: tuple[Resource, ...]
    targets: tuple[str, ...] = ()
    failing: frozenset[tuple[str, str]] = frozenset()
    drift: tuple[tuple[str, str], ...] = ()
    raises: bool = False

    def verb(self, before: tuple[Resource, ...]) -> list[str]:
        """The command with its arguments; a target is what is in this program or was in the one before."""
        urns = {**urns_of(before), **urns_of(self.program)}
        chosen = [urns[t] for t in self.targets if t in urns]
        return [*self.command.split(), *(word for urn in chosen for word in ("--target", urn))]


@dataclass(frozen=True)
class History:
    """Runs on one stack. `serial` programs wait for each resource, so that all is in one order."""

    runs: tuple[Run, ...]
    serial: bool
    provider: tuple[str, ...]


def urns_of(program: tuple[Resource, ...]) -> dict[str, str]:
    """The URN of each variable."""
    types = {"group": "things:index:Group", "provider": "pulumi:providers:things"}
    chains: dict[str, str] = {}
    urns = {}
    for each in program:
        parent = chains.get(each.options.get("parent", ""), "")
        chains[each.var] = f"{parent}{'$' if parent else ''}{types.get(each.kind, 'things:index:Thing')}"
        urns[each.var] = f"urn:pulumi:dev::demo::{chains[each.var]}::{each.name}"
    return urns


def source(run: Run, serial: bool) -> str:
    """The program as Python."""
    lines = (f"    {line}\n" for line in body(run, serial))
    exports = (
        f"pulumi.export('{e.var}', pulumi.Output.from_input(picked('{e.var}')))\n" for e in run.program
    )
    return HEAD + "".join(lines) + TAIL + "".join(exports)


def body(run: Run, serial: bool) -> list[str]:
    """The lines of its main function."""
    lines, known = [], set()
    for each in run.program:
        lines.append(f"{each.var} = {_made(each, known)}")
        known.add(each.var)
        if serial:
            lines.append(f"await there({each.var})")
    if run.raises:
        lines.append("raise ValueError('the program is wrong')")
    outputs = [
        f"'{each.var}': {each.var}.{'urn' if each.kind != 'thing' else 'echo'}" for each in run.program
    ]
    return [*lines, f"return {{{', '.join(outputs)}}}"]


def _made(each: Resource, known: set[str]) -> str:
    options = []
    for name, value in each.options.items():
        if name in ("parent", "provider"):
            if value in known:
                options.append(f"{name}={value}")
        elif name == "depends_on":
            options.append(f"depends_on=[{', '.join(v for v in value.split() if v in known)}]")
        elif name == "hooks":
            options.append(f"hooks=pulumi.ResourceHookBinding({value})")
        else:
            options.append(f"{name}={value}")
    how = f"Options({', '.join(options)})"
    props = ", ".join(f"'{k}': {_value(v, known)}" for k, v in each.props.items())
    if each.kind == "group":
        return f"Group('{each.name}', {how}, {{{props}}})"
    if each.kind == "provider":
        return f"Provider('{each.name}', {_value(each.props['region'], known)}, {how})"
    if each.kind == "get":
        return f"get('{each.name}', {_value(each.props['id'], known)}, {{}}, {how})"
    return f"Thing('{each.name}', {{{props}}}, {how})"


def _value(value: str, known: set[str]) -> str:
    if not value.startswith("@"):
        return value
    return value[1:] if value[1:].partition(".")[0] in known else "'nothing'"


# -- making them


class Maker:
    """Makes a history from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.count = 0

    def chance(self, percent: int) -> bool:
        """True that often."""
        return self.random.randrange(100) < percent

    def history(self) -> History:
        """A history of three to six runs."""
        r = self.random
        serial = self.chance(75)
        provider = tuple(f for f in ("secrets", "preview") if self.chance(30))
        program: tuple[Resource, ...] = ()
        for _ in range(r.randint(3, 6)):
            program = self.added(program)
        runs = []
        for number in range(r.randint(3, 6)):
            if number:
                for _ in range(r.choice((0, 1, 2, 2, 3, 4))):
                    program = self.edited(program)
            runs.append(self.run(program, serial, first=number == 0))
        return History(tuple(runs), serial, provider)

    def run(self, program: tuple[Resource, ...], serial: bool, *, first: bool) -> Run:
        """A command with what goes wrong."""
        r = self.random
        commands = (
            *("up",) * 5,
            "preview",
            "preview",
            "up --refresh",
            "preview --refresh",
            "refresh",
            "destroy",
            "destroy --run-program",
        )
        command = "up" if first and self.chance(85) else r.choice(commands)
        goes_on = command.split()[0] in ("up", "destroy") and self.chance(40)
        if goes_on:
            command += " --continue-on-error"
        if serial:
            command += " --parallel 1"
        names = [each.name for each in program]
        failing = set()
        if names and (serial or goes_on) and self.chance(15 if first else 45):
            failing = {(r.choice(METHODS), r.choice(names)) for _ in range(r.randint(1, 3))}
        deletes = any(method == "delete" for method, _ in failing) and command.split()[0] in ("up", "destroy")
        if deletes and not goes_on:  # else it is chance which of several deletes is begun before one fails
            command += " --continue-on-error"
        drift = ()
        if not first and self.chance(40):
            kinds = ("value", "echo", "gone", "added")
            drift = tuple((r.choice(names), r.choice(kinds)) for _ in range(r.randint(1, 2)) if names)
        targets = ()
        if self.chance(15) and program:
            targets = tuple(r.choice(program).var for _ in range(r.randint(1, 2)))
        return Run(command, program, targets, frozenset(failing), drift, raises=self.chance(3))

    def added(self, program: tuple[Resource, ...]) -> tuple[Resource, ...]:
        """The program with one resource more, at its end or somewhere before."""
        kind = self.random.choice(("thing",) * 7 + ("group", "provider", "get"))
        names = {"thing": "abcdef", "group": "gh", "provider": "pq", "get": "xy"}[kind]
        free = [n for n in names if n not in {each.var for each in program}]
        if not free:
            return program
        var = self.random.choice(free)
        at = self.random.randint(0, len(program)) if self.chance(20) else len(program)
        made = self.resource(var, kind, program[:at])
        return (*program[:at], made, *program[at:])

    def resource(self, var: str, kind: str, before: tuple[Resource, ...]) -> Resource:
        """A new one, resting on some of those before it."""
        if kind == "provider":
            props = {"region": self.region(before)}
        elif kind == "get":
            props = {"id": self.random.choice(self.outputs(before, ("id",)) or ["'a-1'"])}
        else:
            props = {"value": self.random.choice(VALUES[:3])} if kind == "thing" else {}
            for _ in range(self.random.randint(0, 3)):
                props.update([self.prop(before)])
        made = Resource(var, var, kind, props)
        for _ in range(self.random.choice((0, 0, 1, 1, 2))):
            made = self.with_option(made, before)
        return made

    def outputs(
        self, before: tuple[Resource, ...], names: tuple[str, ...] = ("echo", "id", "serial")
    ) -> list[str]:
        """Outputs of those before."""
        return [f"@{each.var}.{name}" for each in before if each.kind == "thing" for name in names]

    def region(self, before: tuple[Resource, ...]) -> str:
        choices = ["'one'", "'two'", "pulumi.Output.secret('one')", *self.outputs(before, ("echo",))]
        return self.random.choice(choices)

    def prop(self, before: tuple[Resource, ...]) -> tuple[str, str]:
        """A property and its value."""
        r = self.random
        secret = f"pulumi.Output.secret({r.choice(VALUES)})"
        references = [f"@{each.var}" for each in before if each.kind != "provider"]
        choices: list[tuple[str, str]] = [
            ("value", r.choice(VALUES)),
            ("value", secret),
            ("nested", r.choice(NESTED)),
            ("listed", r.choice(("[1, 2]", "[1]", "[{'x': 1}, None]", "[2, 2]", "None"))),
            ("fixed", r.choice(VALUES)),
            ("other", r.choice((*VALUES, secret))),
            ("named", "True"),
            ("refresh_first", r.choice(("True", "True", "False"))),
            (r.choice(("lazy", "detailed", "dbr")), r.choice(("True", "True", "False"))),
            ("invoked", r.choice(("double({'n': 2})", f"double({{'n': {secret}}})"))),
        ]
        for value in (r.choice(self.outputs(before) or ["1"]), r.choice(self.outputs(before) or ["2"])):
            choices += [("value", value), ("fixed", value), (f"other{r.randint(1, 2)}", value)]
        if references:
            choices.append(("reference", r.choice(references)))
        return r.choice(choices)

    def with_option(self, each: Resource, before: tuple[Resource, ...]) -> Resource:
        """With another option, or with one that has another value, or without."""
        r = self.random
        found = {kind: [b.var for b in before if b.kind == kind] for kind in ("thing", "group", "provider")}
        anything = [*found["thing"], *found["group"]]
        choices: list[tuple[str, str]] = [
            ("protect", r.choice(("True", "True", "False"))),
            ("retain_on_delete", r.choice(("True", "False"))),
        ]
        parents = [*found["group"], *found["group"], *found["thing"]]
        if parents:
            choices += [("parent", r.choice(parents))] * 3
        if found["provider"]:
            choices += [("provider", r.choice(found["provider"]))] * 3
        if anything:
            choices += [("depends_on", " ".join(r.sample(anything, min(len(anything), r.randint(1, 2)))))] * 2
        if each.kind in ("thing", "group"):
            choices += [
                ("ignore_changes", repr(r.sample(PATHS, r.randint(1, 2)))),
                ("replace_on_changes", repr(r.sample(PATHS, 1))),
                ("delete_before_replace", r.choice(("True", "True", "False"))),
                ("delete_before_replace", "True"),
                ("additional_secret_outputs", r.choice(("['echo']", "['serial', 'value']"))),
                (
                    "custom_timeouts",
                    r.choice(("pulumi.CustomTimeouts(create='5m')", "pulumi.CustomTimeouts(delete='1h')")),
                ),
            ]
        moment = r.choice(("before_create", "after_create", "before_update", "after_update"))
        settings = r.choice(("", ", fails=True", ", fails=True, ignore_errors=True", ", on_dry_run=True"))
        choices.append(("hooks", f"{moment}=[hook('{moment}-{each.var}'{settings})]"))
        name, value = r.choice(choices)
        if each.kind == "get" and name not in ("parent", "provider", "depends_on"):
            return each
        if each.kind == "provider" and name in ("provider", "parent"):
            return each
        options = dict(each.options)
        if name in options and self.chance(40):
            del options[name]
        else:
            options[name] = value
        return replace(each, options=options)

    def edited(self, program: tuple[Resource, ...]) -> tuple[Resource, ...]:
        """The program with one edit."""
        r = self.random
        if not program or self.chance(12):
            return self.added(program)
        at = r.randrange(len(program))
        each, before = program[at], program[:at]
        what = r.randrange(100)
        if what < 12:
            return (*before, *program[at + 1 :])
        if what < 20:
            return self.moved(program, at)
        if what < 28:
            return (*before, self.renamed(program, at), *program[at + 1 :])
        if what == 28 and each.kind != "get":
            return (*program, replace(each, var="z"))  # twice
        if what < 50:
            new = self.with_option(each, before)
            if new.options.get("parent") != each.options.get("parent") and self.chance(60):
                new = replace(new, options={**new.options, "aliases": repr([urns_of(program)[each.var]])})
        elif each.kind == "provider":
            new = replace(each, props={"region": self.region(before)})
        elif each.kind == "get":
            new = replace(each, props=self.resource(each.var, "get", before).props)
        elif what < 70:
            new = replace(each, props={**each.props, r.choice(("fixed", "value")): r.choice(VALUES)})
        elif what < 76 and len(each.props) > 1:
            gone = r.choice(list(each.props))
            new = replace(each, props={k: v for k, v in each.props.items() if k != gone})
        else:
            new = replace(each, props={**each.props, **dict([self.prop(before)])})
        return (*before, new, *program[at + 1 :])

    def moved(self, program: tuple[Resource, ...], at: int) -> tuple[Resource, ...]:
        """One is registered at another place; what it rests on and isn't there yet is left out."""
        rest = [*program[:at], *program[at + 1 :]]
        rest.insert(self.random.randint(0, len(rest)), program[at])
        return tuple(rest)

    def renamed(self, program: tuple[Resource, ...], at: int) -> Resource:
        """One has another name, mostly with an alias."""
        each = program[at]
        self.count += 1
        options = {k: v for k, v in each.options.items() if k != "aliases"}
        how = self.random.randrange(3)
        if how == 0:
            options["aliases"] = f"[pulumi.Alias(name='{each.name}')]"
        elif how == 1:
            options["aliases"] = repr([urns_of(program)[each.var]])
        return replace(each, name=f"{each.var}{self.count}", options=options)
