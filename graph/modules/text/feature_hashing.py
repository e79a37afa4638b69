from typing import Any

from graph.calculation.words import distinct, hold_size, ngrams, texts
from graph.data.frames import with_columns
from graph.errors import ModuleFailure
from graph.flow import Column, Flow
from graph.libraries import Table, np
from graph.spec import Module, Parameter, Parameters, Port

_MOST_BITS = 16
_FEW = 1024  # columns of which each is known by name, before anything is run


class FeatureHashing(Module):
    """Makes 2 to the power of the bit size columns of a text column: 1 where a word or n-gram has that hash, else 0.

    Words are what blanks divide, as they are written; the hash is MurmurHash3, as Vowpal Wabbit's. More than 16 bits are
    refused. An own n-gram size of 0 or 1 takes words alone.
    """

    name = "Feature Hashing"
    outputs = (Port("Transformed dataset"),)
    on_arrays = True
    texts = "Target columns"
    parameters = (
        Parameter("Target columns", "ColumnPicker"),
        Parameter("Hashing bitsize", "Int", 10, minimum=1, maximum=31),
        Parameter("N-grams", "Int", 2, minimum=0, maximum=10),
    )

    def check(self, parameters: Parameters) -> None:
        if parameters["Hashing bitsize"] > _MOST_BITS:
            raise ModuleFailure(
                "0007", f'Parameter "Hashing bitsize" should be less than or equal to {_MOST_BITS}.'
            )

    def change(self, frame: Table, parameters: Parameters) -> Table:
        from sklearn.utils import murmurhash3_32

        count = 2 ** parameters["Hashing bitsize"]
        names = parameters["Target columns"].select(frame)
        hold_size(len(frame), count * len(names))
        made: dict[str, Any] = {}
        for name in names:
            found = np.zeros((count, len(frame)))
            for row, text in enumerate(texts(frame[name])):
                for ngram in distinct(ngrams(text.split(), parameters["N-grams"], joint=" ")):
                    found[murmurhash3_32(ngram, seed=0, positive=True) % count, row] = 1.0
            made |= {f"{name} - Hashing feature {at + 1}": found[at] for at in range(count)}
        return with_columns(frame, made)

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset, count = inputs["Dataset"], 2 ** parameters["Hashing bitsize"]
        names = dataset.selected(parameters["Target columns"])
        if names is None or count > _FEW:
            return {"Transformed dataset": dataset.open()}
        made = {f"{name} - Hashing feature {at + 1}": Column() for name in names for at in range(count)}
        return {"Transformed dataset": dataset.having(made)}
