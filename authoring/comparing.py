"""What changed between two versions of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from graph import net_type

if TYPE_CHECKING:
    import pandas as pd

_FEW: Final = 50  # values of which each is counted
_MOVED: Final = 0.1  # a shift from here on is shown: in standard deviations, or in shares


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was: *what*, its *old* and *new* state in words, and a *note*."""

    what: str
    old: str
    new: str
    note: str = ""


def compare(old: pd.DataFrame, new: pd.DataFrame) -> list[Change]:
    """What changed: rows, columns, types, missing values, and values that moved; empty where the rows are the same."""
    if list(old.columns) == list(new.columns) and old.equals(new):
        return []
    found = [Change("rows", f"{len(old):,}", f"{len(new):,}", _shared(old, new))]
    found += [Change(f"column {name}", net_type(old[name]), "none") for name in old if name not in new]
    found += [Change(f"column {name}", "none", net_type(new[name])) for name in new if name not in old]
    for name in old:
        if name in new:
            found += _column(str(name), old[name], new[name])
    return found


def _shared(old: pd.DataFrame, new: pd.DataFrame) -> str:
    """How many rows the two share, where they have the same columns."""
    import pandas as pd

    if list(old.columns) != list(new.columns) or old.empty or new.empty:
        return ""
    before, after = (set(pd.util.hash_pandas_object(frame, index=False).tolist()) for frame in (old, new))
    return f"{len(before & after):,} different rows are in both"


def _column(name: str, old: pd.Series[Any], new: pd.Series[Any]) -> Iterator[Change]:
    was, now = net_type(old), net_type(new)
    if was != now:
        yield Change(f"type of {name}", was, now)
    gaps = old.isna().mean(), new.isna().mean()
    if abs(gaps[0] - gaps[1]) > 0.005:
        yield Change(f"missing in {name}", f"{100 * gaps[0]:.3g} %", f"{100 * gaps[1]:.3g} %")
    if was == now == "DateTime":
        periods = [f"{each.min()} to {each.max()}" for each in (old, new)]
        if periods[0] != periods[1]:
            yield Change(f"period of {name}", *periods)
    elif not {"String", "DateTime"} & {was, now}:
        yield from _moved(name, old, new)
    elif was == now == "String" and max(old.nunique(), new.nunique()) <= _FEW:
        yield from _mixed(name, old, new)


def _moved(name: str, old: pd.Series[Any], new: pd.Series[Any]) -> Iterator[Change]:
    """How far the mean of numbers moved, in standard deviations of the old ones."""
    before, after, spread = old.mean(), new.mean(), old.std()
    if spread > 0 and abs(after - before) / spread >= _MOVED:
        yield Change(
            f"mean of {name}",
            f"{before:.6g}",
            f"{after:.6g}",
            f"by {(after - before) / spread:+.2f} standard deviations",
        )


def _mixed(name: str, old: pd.Series[Any], new: pd.Series[Any]) -> Iterator[Change]:
    """Values that came or went, or whose share moved."""
    before, after = old.value_counts(normalize=True), new.value_counts(normalize=True)
    for value in [*before.index, *(each for each in after.index if each not in before.index)]:
        was, now = float(before.get(value, 0.0)), float(after.get(value, 0.0))
        if (was == 0) is not (now == 0) or abs(was - now) >= _MOVED:
            yield Change(f"{name} = {value}", f"{100 * was:.3g} %", f"{100 * now:.3g} %")
