from typing import Any

from graph.data.datasets import Dataset, apart
from graph.data.frames import with_columns
from graph.errors import ModuleFailure
from graph.flow import Flow
from graph.libraries import Series, Table, np, pd
from graph.models.features import level_text
from graph.spec import Module, Parameter, Parameters, Port, Ports, choice

INNER, LEFT, FULL, SEMI = "Inner Join", "Left Outer Join", "Full Outer Join", "Left Semi-Join"
_MOST = 50_000_000


class JoinData(Module):
    """Brings together the rows of two datasets with equal keys, in the order of the first.

    A missing key is equal to none. Keys may be several columns, as many on both sides. A name that both have gets a number:
    `name (1)`.
    """

    name = "Join Data"
    inputs = (Port("Dataset1"), Port("Dataset2"))
    parameters = (
        Parameter("Join key columns for L", "ColumnPicker"),
        Parameter("Join key columns for R", "ColumnPicker"),
        Parameter("Match case", "Boolean", True),
        choice("Join type", INNER, LEFT, FULL, SEMI),
        Parameter("Keep right key columns in joined table", "Boolean", True),
    )

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        left: Dataset = inputs["Dataset1"]
        right: Dataset = inputs["Dataset2"]
        keys = [
            parameters[f"Join key columns for {s}"].select(d.frame) for s, d in (("L", left), ("R", right))
        ]
        if len(keys[0]) != len(keys[1]):
            raise ModuleFailure(
                "0027", f"The keys are {len(keys[0])} columns of one dataset and {len(keys[1])} of the other."
            )
        codes, other = _codes(left.frame[keys[0]], right.frame[keys[1]], parameters["Match case"])
        how = parameters["Join type"]
        if how == SEMI:
            return {"Results dataset": left.with_frame(left.frame[np.isin(codes, other[other >= 0])])}
        sizes = np.bincount(other[other >= 0], minlength=int(codes.max(initial=-1)) + 1)
        if int(sizes[codes[codes >= 0]].sum()) > _MOST:
            raise ModuleFailure(
                "0018", f"The joined dataset would have more than {_MOST} rows: the keys repeat."
            )
        at = pd.DataFrame({"code": codes, "left": np.arange(len(codes))})
        to = pd.DataFrame({"code": other, "right": np.arange(len(other))})
        to = to[to["code"] >= 0]
        found = at.merge(to, "inner" if how == INNER else "left", on="code")
        if how == FULL:
            alone = np.setdiff1d(np.arange(len(other)), found["right"].dropna())
            found = pd.concat([found, pd.DataFrame({"right": alone})])
        frame = _taken(left.frame, found["left"])
        beside = (
            right.frame
            if parameters["Keep right key columns in joined table"]
            else right.frame.drop(columns=keys[1])
        )
        more = apart(_taken(beside, found["right"]), frame.columns)
        return {"Results dataset": left.with_frame(with_columns(frame, more))}

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        left, right = inputs["Dataset1"], inputs["Dataset2"]
        left.selected(parameters["Join key columns for L"])
        right.selected(parameters["Join key columns for R"])
        semi = parameters["Join type"] == SEMI
        joined = left.with_rows("chosen") if semi else left.beside(right).open()
        return {"Results dataset": joined}


def _codes(left: Table, right: Table, match_case: bool) -> tuple[Any, Any]:
    """The number of each row's key, on both sides; -1 where some of it is missing."""
    count = len(left)
    total = np.zeros(count + len(right), np.int64)
    missing = np.zeros(len(total), bool)
    for one, two in zip(left.columns, right.columns, strict=True):
        values = pd.concat([_text(left[one], match_case), _text(right[two], match_case)], ignore_index=True)
        codes, found = pd.factorize(values)
        missing |= codes < 0
        total = pd.factorize(total * (len(found) + 1) + codes)[0]
    total = np.where(missing, -1, total)
    return total[:count], total[count:]


def _text(values: Series, match_case: bool) -> Series:
    texts = values.astype(object).map(level_text, na_action="ignore")
    return texts if match_case else texts.map(str.casefold, na_action="ignore")


def _taken(frame: Table, rows: Series) -> Table:
    """The rows at these positions; missing ones where there is none."""
    if rows.isna().any():
        return frame.reset_index(drop=True).reindex(rows.to_numpy()).reset_index(drop=True)
    return frame.iloc[rows.to_numpy().astype("int64")].reset_index(drop=True)
