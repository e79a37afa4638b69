"""Column selections: what Studio's column picker produces."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from graph.errors import ModuleFailure, column_not_found
from graph.libraries import Table


@dataclass(frozen=True)
class Rule:
    """One rule of a selection: all columns, or named ones, put in or taken out."""

    all_columns: bool
    columns: tuple[str, ...]
    exclude: bool


@dataclass(frozen=True)
class ColumnSelection:
    """An ordered list of rules, applied in turn.

    Written either as a list of names (`["a", "b"]`), as names separated by commas, or in Studio's own form
    `{"isFilter": true, "rules": [{"ruleType": "ColumnNames", "columns": ["a"], "exclude": false}]}`, where
    `ruleType` is `AllColumns` or `ColumnNames`. A rule list that begins with an exclusion starts from no column.
    """

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, *columns: str) -> ColumnSelection:
        """A selection of exactly these columns."""
        return cls((Rule(False, columns, False),))

    @classmethod
    def everything(cls) -> ColumnSelection:
        """A selection of all columns."""
        return cls((Rule(True, (), False),))

    @classmethod
    def parse(cls, parameter: str, value: Any) -> ColumnSelection:
        """Read one of the three forms; raises ModuleFailure 0002 for anything else."""
        bad = ModuleFailure("0002", f'Failed to parse "{parameter}" parameter: not a selection of columns.')
        if isinstance(value, str):
            text = value.strip()
            if not text.startswith("{"):
                value = [name.strip() for name in text.split(",") if name.strip()]
            else:
                try:
                    value = json.loads(text)
                except ValueError:
                    raise bad from None
        if isinstance(value, list):
            if not value or not all(isinstance(name, str) for name in value):
                raise bad
            return cls.of(*value)
        if not isinstance(value, dict) or not isinstance(value.get("rules"), list) or not value["rules"]:
            raise bad
        rules = []
        for rule in value["rules"]:
            kind = rule.get("ruleType") if isinstance(rule, dict) else None
            exclude = rule.get("exclude", False) if isinstance(rule, dict) else None
            columns = rule.get("columns", []) if isinstance(rule, dict) else None
            if (
                kind not in ("AllColumns", "ColumnNames")
                or not isinstance(exclude, bool)
                or not isinstance(columns, list)
                or not all(isinstance(name, str) for name in columns)
            ):
                raise bad
            rules.append(Rule(kind == "AllColumns", tuple(columns), exclude))
        return cls(tuple(rules))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that its rules name."""
        return tuple(name for rule in self.rules for name in rule.columns)

    def without(self, names: Collection[str]) -> ColumnSelection | None:
        """With these named no longer; None where it then takes no column."""
        rules = []
        for rule in self.rules:
            left = tuple(name for name in rule.columns if name not in names)
            if rule.all_columns or left:
                rules.append(rule if left == rule.columns else replace(rule, columns=left))
        return ColumnSelection(tuple(rules)) if any(not rule.exclude for rule in rules) else None

    @property
    def written(self) -> list[str] | dict[str, Any]:
        """As a person writes it: a list of names where that is all, else Studio's own form."""
        plain = all(not rule.all_columns and not rule.exclude for rule in self.rules)
        found: dict[str, Any] = {} if plain else json.loads(self.text())
        return list(self.names) if plain else found

    def text(self) -> str:
        """The one way to write this selection, in Studio's own form: equal selections have equal text.

        Rules of one kind that follow each other are one rule, and a name that is repeated in a rule is left out.
        """
        rules: list[Rule] = []
        for rule in self.rules:
            before = rules[-1] if rules else None
            if before and (before.all_columns, before.exclude) == (rule.all_columns, rule.exclude):
                rules[-1] = Rule(rule.all_columns, before.columns + rule.columns, rule.exclude)
            else:
                rules.append(rule)
        written = [
            {"ruleType": "AllColumns", "exclude": rule.exclude}
            if rule.all_columns
            else {
                "ruleType": "ColumnNames",
                "columns": list(dict.fromkeys(rule.columns)),
                "exclude": rule.exclude,
            }
            for rule in rules
        ]
        return json.dumps({"isFilter": True, "rules": written}, sort_keys=True, separators=(",", ":"))

    def select(self, frame: Table) -> list[str]:
        """The selected columns, in the order of the rules; raises 0001 for a name the dataset does not have."""
        available = frame.columns
        chosen: dict[str, None] = {}
        for rule in self.rules:
            names = tuple(available) if rule.all_columns else rule.columns
            for name in names:
                if name not in available:
                    raise column_not_found(name)
                if rule.exclude:
                    chosen.pop(name, None)
                else:
                    chosen[name] = None
        if not chosen:
            raise ModuleFailure("0011", "Specified column set does not apply to any of dataset columns.")
        return list(chosen)

    def one(self, frame: Table, parameter: str) -> str:
        """The single selected column; raises 0022 when the selection gives several."""
        columns = self.select(frame)
        if len(columns) != 1:
            raise ModuleFailure(
                "0022",
                f'Number of selected columns in input dataset not equal to 1 (parameter "{parameter}").',
            )
        return columns[0]
