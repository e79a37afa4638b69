from graph.calculation.feature_scores import COUNT, MEASURES, count, score
from graph.data.datasets import Dataset
from graph.errors import ModuleFailure, refused
from graph.fitting import Fits, Learnt
from graph.flow import UNKNOWN, Flow
from graph.libraries import Table, pd
from graph.spec import TRANSFORMATION, Parameter, Parameters, Port, Ports, choice


class FilterBasedFeatureSelection(Fits):
    """Keeps the columns that say most about the target, and the target; the second output has the score of each.

    By counts it keeps the numeric columns with so many values that are not 0, and asks for no target. The transformation,
    which Studio leaves to Select Columns Transform, selects the same columns elsewhere.
    """

    name = "Filter Based Feature Selection"
    outputs = (
        Port("Filtered dataset"),
        Port("Features"),
        Port("Columns selection transformation", TRANSFORMATION),
    )
    parameters = (
        choice("Feature scoring method", *MEASURES),
        Parameter("Operate on feature columns only", "Boolean", True),
        Parameter("Target column", "ColumnPicker", None),
        Parameter("Number of desired features", "Int", 1, minimum=1),
        Parameter("Minimum number of non-zero elements", "Int", 1, minimum=1),
    )
    learns = {"columns": {"*": {}}}

    def check(self, parameters: Parameters) -> None:
        if parameters["Feature scoring method"] != COUNT and parameters["Target column"] is None:
            raise ModuleFailure("0003", 'Parameter "Target column" is null or empty.')

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        frame, measure, selection = (
            dataset.frame,
            parameters["Feature scoring method"],
            parameters["Target column"],
        )
        target = "" if selection is None else selection.one(frame, "Target column")
        left_out = {target}
        if parameters["Operate on feature columns only"]:
            left_out |= {*dataset.marked("Label", "Nothing")}
        names = [name for name in frame.columns if name not in left_out]
        if not names:
            raise refused("0020", "there is no feature column")
        if measure == COUNT:
            scores: dict[str, float] = {name: count(frame[name]) for name in names}
            chosen = [n for n in names if scores[n] >= parameters["Minimum number of non-zero elements"]]
        else:
            if frame[target].isna().all():
                raise refused("0018", f'column "{target}" has no values at all')
            scores = {name: score(frame[name], frame[target], measure) for name in names}
            chosen = sorted(names, key=lambda name: -scores[name])[: parameters["Number of desired features"]]
        if not chosen:
            raise ModuleFailure("0011", "Specified column set does not apply to any of dataset columns.")
        kept = [*chosen, *([target] if target else [])]
        ranked = sorted(names, key=lambda name: -scores[name])
        filtered, features, function = (port.name for port in self.outputs)
        table = pd.DataFrame({"Feature": ranked, "Score": [float(scores[name]) for name in ranked]})
        return {
            filtered: dataset.with_frame(frame[kept]),
            features: Dataset(table),
            function: self.step(frame, {"columns": {name: {} for name in kept}}),
        }

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        return frame[[name for name in learnt["columns"] if name in frame.columns]]

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset, selection = inputs["Dataset"], parameters["Target column"]
        chosen = dataset.selected(selection)
        known = {name: column for name in chosen or () if (column := dataset.find(name))}
        return {"Filtered dataset": UNKNOWN.having(known)}
