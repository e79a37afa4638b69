from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from graph.calculation.sampling import SEED, generator, strata
from graph.data.datasets import Dataset
from graph.errors import ModuleFailure, refused
from graph.flow import Flow
from graph.libraries import np
from graph.spec import Module, Parameter, Parameters, Port, Ports, choice
from tables import real

HEAD, SAMPLING, ASSIGN, PICK = "Head", "Sampling", "Assign to Folds", "Pick Fold"
EVENLY, PROPORTIONS = "Partition evenly", "Partition with customized proportions"
_LIST: Final = "List of proportions separated by comma"
_MOST: Final = 10_000


class PartitionAndSample(Module):
    """Takes a part of the rows: the first, a sample, or those of a fold that was assigned before; or assigns folds.

    Folds travel with the dataset, unseen, to Pick Fold and Cross Validate Model, and are lost where its rows change. A sample
    and the rows of a fold keep their order; a seed of 0 is a seed like another.
    """

    name = "Partition and Sample"
    outputs = (Port("oDataset"),)
    scoring = "left out"
    parameters = (
        choice("Partition or sample mode", SAMPLING, ASSIGN, PICK, HEAD),
        Parameter("Use replacement in the partitioning", "Boolean", False),
        Parameter("Randomized split", "Boolean", True),
        SEED,
        choice("Specify the partitioner method", EVENLY, PROPORTIONS),
        Parameter("Specify number of folds to split evenly into", "Int", 5, minimum=1, maximum=_MOST),
        Parameter("Stratified split", "Boolean", False),
        Parameter("Stratification key column", "ColumnPicker", None),
        Parameter(_LIST, "String", ""),
        Parameter("Stratified split for customized fold assignment", "Boolean", False),
        Parameter("Stratification key column for customized fold assignment", "ColumnPicker", None),
        Parameter("Specify which fold to be sampled from", "Int", 1, minimum=1, maximum=_MOST),
        Parameter("Pick complement of the selected fold", "Boolean", False),
        Parameter("Rate of sampling", "Float", 0.01, minimum=0, maximum=1),
        Parameter("Random seed for sampling", "Int", 0, minimum=0, maximum=2**31 - 1),
        Parameter("Stratified split for sampling", "Boolean", False),
        Parameter("Stratification key column for sampling", "ColumnPicker", None),
        Parameter("Number of rows to select", "Int", 10, minimum=0),
    )

    def check(self, parameters: Parameters) -> None:
        _shares(parameters)

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        match parameters["Partition or sample mode"]:
            case "Head":
                found = dataset.with_frame(dataset.frame.iloc[: parameters["Number of rows to select"]])
            case "Sampling":
                found = _sampled(dataset, parameters)
            case "Assign to Folds":
                found = replace(dataset, folds=_folds(dataset, parameters))
            case _:
                found = _picked(dataset, parameters)
        return {"oDataset": found}

    def least_rows(self, connected: Collection[str], parameters: Parameters) -> int:
        return max(len(_shares(parameters)), 1)

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        suffix = _suffix(parameters)
        if suffix is not None and parameters[f"Stratified split{suffix}"]:
            inputs["Dataset"].selected(parameters[f"Stratification key column{suffix}"])
        # Whoever works on folds needs no rows beside them.
        assigns = parameters["Partition or sample mode"] == ASSIGN
        return {"oDataset": inputs["Dataset"].with_rows("any") if assigns else inputs["Dataset"]}


def _suffix(parameters: Parameters) -> str | None:
    """How the parameters of the stratification are called in this mode."""
    mode = parameters["Partition or sample mode"]
    if mode == ASSIGN:
        evenly = parameters["Specify the partitioner method"] == EVENLY
        return "" if evenly else " for customized fold assignment"
    return " for sampling" if mode == SAMPLING else None


def _shares(parameters: Parameters) -> list[float]:
    """The share of each fold; raises 0002 or 0008 where the list is none of shares."""
    if (
        parameters["Partition or sample mode"] != ASSIGN
        or parameters["Specify the partitioner method"] == EVENLY
    ):
        count = parameters["Specify number of folds to split evenly into"]
        return [1 / count] * count
    try:
        shares = [real(each) for each in parameters[_LIST].split(",")]
    except ValueError:
        raise ModuleFailure(
            "0002", f'Failed to parse "{_LIST}" parameter value "{parameters[_LIST]}".'
        ) from None
    total = sum(shares)
    if not all(0 < share <= 1 for share in shares) or total > 1 + 1e-9:
        raise ModuleFailure(
            "0008", f'Parameter "{_LIST}": shares are above 0 and add up to 1 at most; these to {total:g}.'
        )
    return [*shares, 1 - total] if total < 1 - 1e-9 else shares


def _sampled(dataset: Dataset, parameters: Parameters) -> Dataset:
    random = generator(parameters["Random seed for sampling"])
    rate = parameters["Rate of sampling"]
    groups = strata(dataset.frame, parameters, " for sampling")
    chosen = [random.permutation(group)[: round(len(group) * rate)] for group in groups]
    return dataset.with_frame(dataset.frame.iloc[np.sort(np.concatenate(chosen))])


def _folds(dataset: Dataset, parameters: Parameters) -> tuple[Any, ...]:
    random = generator(parameters["Random seed"])
    shares = _shares(parameters)
    if len(shares) > dataset.rows:
        raise refused("0021", f"{dataset.rows} for {len(shares)} folds")
    folds: list[list[Any]] = [[] for _ in shares]
    shift = 0
    for group in strata(dataset.frame, parameters, _suffix(parameters) or ""):
        if parameters["Use replacement in the partitioning"]:
            parts = [random.choice(group, round(len(group) * share)) for share in shares]
        elif len(set(shares)) == 1:
            order = random.permutation(group) if parameters["Randomized split"] else group
            parts = [order[(at - shift) % len(shares) :: len(shares)] for at in range(len(shares))]
            shift += len(group)  # so that the folds of small strata are not all the first
        else:
            order = random.permutation(group) if parameters["Randomized split"] else group
            parts = np.split(order, np.round(np.cumsum(shares)[:-1] * len(group)).astype("int64"))
        for fold, part in zip(folds, parts, strict=True):
            fold.append(part)
    return tuple(np.sort(np.concatenate(fold)) for fold in folds)


def _picked(dataset: Dataset, parameters: Parameters) -> Dataset:
    number = parameters["Specify which fold to be sampled from"]
    if number > len(dataset.folds):
        raise ModuleFailure(
            "0018",
            f"Dataset contains invalid data: it has {len(dataset.folds)} folds and no number {number}.",
        )
    rows = dataset.folds[number - 1]
    if parameters["Pick complement of the selected fold"]:
        rows = np.setdiff1d(np.arange(dataset.rows), rows)
    return replace(dataset, frame=dataset.frame.iloc[rows], folds=())
