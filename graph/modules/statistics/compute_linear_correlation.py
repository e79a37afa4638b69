from graph.data.datasets import Dataset, is_numeric
from graph.errors import ModuleFailure
from graph.fitting import numbers
from graph.flow import Flow
from graph.libraries import np, pd
from graph.spec import Module, Parameters, Ports

_MOST = 1000


class ComputeLinearCorrelation(Module):
    """Pearson's correlation of each column with each other: a row and a column for each, in their order.

    NaN for a column that is not numeric, does not vary, or in which values are missing.
    """

    name = "Compute Linear Correlation"

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        frame = inputs["Dataset"].frame
        if len(frame.columns) > _MOST:
            raise ModuleFailure(
                "0018", f"{len(frame.columns)} columns are too many to correlate: at most {_MOST}."
            )
        matrix = np.full((len(frame.columns), len(frame)), np.nan)
        for at, name in enumerate(frame.columns):
            if is_numeric(frame[name]):
                matrix[at] = numbers(frame[name])
        with np.errstate(all="ignore"), threadpool_limits(limits=1):
            centred = matrix - matrix.mean(axis=1, keepdims=True)
            size = np.sqrt((centred**2).sum(axis=1, keepdims=True))
            centred /= np.where(size > 1e-12 * np.abs(matrix).max(axis=1, keepdims=True), size, np.nan)
            found = np.clip(centred @ centred.T, -1.0, 1.0)
        np.fill_diagonal(found, np.where(np.isnan(found.diagonal()), np.nan, 1.0))
        return {"Results dataset": Dataset(pd.DataFrame(found, columns=frame.columns))}

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        return {"Results dataset": inputs["Dataset"].changed(None, lambda _value: None)}
