"""A contract of import-linter: no files import each other in a circle. (Its own `acyclic_siblings` sees rooms only.)"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.application.contract_utils import AlertLevel, remove_ignored_imports_and_report


class NoCircles(Contract):
    """Imports of all root packages, those of functions included, have an order. It names the first circle."""

    type_name = "no_circles"
    ignore_imports = fields.SetField(subfield=fields.ImportExpressionField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Sort the files by their imports."""
        ignored = remove_ignored_imports_and_report(graph, self.ignore_imports, AlertLevel.WARN)  # type: ignore[arg-type]
        files = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
        circle: list[str] = []
        try:
            TopologicalSorter(files).prepare()
        except CycleError as error:
            # Each is imported by the next one.
            circle = error.args[1][::-1]
        return ContractCheck(kept=not circle, warnings=list(ignored.warnings), metadata={"circle": circle})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name the files."""
        output.print_error(" imports ".join(check.metadata["circle"]))
