"""The gate's cases are as sharp as the gate: each of its mutants is caught by one of them.

Mutants are made of the gate's own syntax tree: comparisons flipped, conditions negated, forced or joined otherwise,
statements dropped, truth values turned round; and, by name, the mistakes that published gates make.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

from retrain_hooks.gate import rules as gate
from tests.unit.gate_cases import CASES

SOURCE = Path(gate.__file__).read_text(encoding="utf-8")
TREE = ast.parse(SOURCE)

FLIPS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
NAMES = {"all": "any", "any": "all", "ge": "gt", "gt": "ge", "le": "lt", "lt": "le", "abs": "float"}

# The mistakes that published gates make, each as a replacement in the gate's text.
MISTAKES = {
    "a NaN passes": (
        "if not math.isfinite(value):",
        "if math.isnan(value):\n        return Decimal(1), ''\n    if not math.isfinite(value):",
    ),
    "an infinity passes": ("if not math.isfinite(value):", "if math.isnan(value):"),
    "a missing metric counts as 1": ("evidence.metrics.get(metric)", "evidence.metrics.get(metric, 1)"),
    "a missing metric of the champion counts as 0": (
        "best, problem = _measured(champion, rule.metric)",
        "best, problem = Decimal(str(champion.metrics.get(rule.metric) or 0)), ''",
    ),
    "no champion, no comparison": ("if alone:", "if alone or champion is None:"),
    "a missing metric passes": (
        "return _refused(rule, problem, limit)",
        "return Ruling(rule.text, None, None, True, problem)",
    ),
    "the first rule is dropped": ("for rule in gate.rules]", "for rule in gate.rules[1:]]"),
    "the last rule is dropped": ("for rule in gate.rules]", "for rule in gate.rules[:-1]]"),
    "any rule is enough": ("and all(ruling.passed", "and any(ruling.passed"),
    "no rules, no refusal": ("return bool(self.rulings) and all", "return all"),
    "an unreadable evaluation passes": (
        'return Evidence(problem="there is no evaluation that can be read")',
        'return Evidence({"auc": 1, "log_loss": 1, "rows": 1})',
    ),
    "text is read as a number": (
        "if isinstance(value, bool) or not isinstance(value, int | float):",
        "value = float(value)\n    if False:",
    ),
    "a limit in binary": ("champion + rule.number", "Decimal(float(champion) + float(rule.number))"),
    "the offset is forgotten": ("else champion + rule.number", "else champion"),
    "the offset's sign is lost": ('-number if found["sign"] == "-" else number', "number"),
    "the minimum is forgotten": ("if gate.minimum_rows:", "if False:"),
    "the minimum is exclusive": ('MetricRule("rows", ">=", Decimal', 'MetricRule("rows", ">", Decimal'),
    "a problem is overlooked": (
        'evidence.problem or evidence.undefined.get(metric, "")',
        'evidence.undefined.get(metric, "")',
    ),
    "what is not defined is let through": (
        'evidence.problem or evidence.undefined.get(metric, "")',
        "evidence.problem",
    ),
    "the champion's number is the candidate's": (
        "_measured(champion, rule.metric)",
        "_measured(candidate, rule.metric)",
    ),
    "the rest of a rule is ignored": ("_RULE.fullmatch(text)", "_RULE.match(text)"),
    "percent are shares": ("measure(metric).takes(value)", "measure(metric).takes(value / 100)"),
}


def mistaken(name: str) -> str:
    """The gate's source with one of the published mistakes."""
    old, new = MISTAKES[name]
    assert SOURCE.count(old) == 1, name
    return SOURCE.replace(old, new)


def mutants() -> Iterator[tuple[str, str]]:
    """Each other mutant's name and source."""
    for number, node in enumerate(ast.walk(TREE)):
        for what, change in changes(node):
            tree = ast.parse(SOURCE)
            change(next(islice(ast.walk(tree), number, None)))
            line = SOURCE.splitlines()[node.lineno - 1].strip()
            yield f"{what} in line {node.lineno}: {line}", ast.unparse(ast.fix_missing_locations(tree))


def changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    """What can be done to a node: a name, and a function that does it to the same node of a copy."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for flip in FLIPS[type(operator)]:
                yield (
                    f"{type(operator).__name__} {place} as {flip.__name__}",
                    lambda copied, place=place, flip=flip: copied.ops.__setitem__(place, flip()),
                )
    if isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{other.__name__}", lambda copied: setattr(copied, "op", other())
        for place in range(len(node.values)):
            yield f"without part {place}", lambda copied, place=place: copied.values.pop(place)
    if isinstance(node, ast.If | ast.IfExp):
        for value in (True, False):
            yield f"always {value}", lambda copied, value=value: setattr(copied, "test", ast.Constant(value))
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "turned round", lambda copied: setattr(copied, "value", not copied.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub if isinstance(node.op, ast.Add) else ast.Add
        yield f"{other.__name__}", lambda copied: setattr(copied, "op", other())
    if isinstance(node, ast.Name) and node.id in NAMES:
        yield NAMES[node.id], lambda copied: setattr(copied, "id", NAMES[copied.id])
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield NAMES[node.attr], lambda copied: setattr(copied, "attr", NAMES[copied.attr])
    if isinstance(node, ast.FunctionDef | ast.If):
        for place, statement in enumerate(node.body):
            docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if isinstance(statement, ast.Expr | ast.AugAssign | ast.Raise | ast.If) and not docstring:
                yield (
                    f"dropped `{ast.unparse(statement).splitlines()[0]}`",
                    lambda copied, place=place: copied.body.__setitem__(place, ast.Pass()),
                )


def load(source: str) -> ModuleType:
    """The module that *source* is; dataclasses look their module up while they are made."""
    module = ModuleType("mutant_of_the_gate")
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, "mutant_of_the_gate", "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return module


def caught(source: str) -> bool:
    """Whether any case fails on a mutant."""
    try:
        module = load(source)
        for case in CASES.values():
            case(module)
    except (Exception, pytest.fail.Exception):
        return True
    return False


def test_the_gate_itself_is_not_caught():
    """Loaded the way mutants are, the unchanged gate passes all cases."""
    assert not caught(ast.unparse(TREE))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_published_gates_is_caught(name):
    """Fail-open gates are what the field has; each way to be one fails a case here."""
    assert caught(mistaken(name))


def test_every_other_mutant_is_caught():
    """Flipped, dropped, forced or joined otherwise: some case notices, without an exception to the rule."""
    others = dict(mutants())
    assert len(others) > 100
    survivors = [name for name, source in others.items() if not caught(source)]
    assert not survivors, "\n".join(survivors)
