import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from graph.calculation.feature_scores import COUNT, MEASURES, score
from graph.calculation.words import SENTENCE, distinct, hold_size, ngrams, texts, words
from graph.data.datasets import Dataset
from graph.data.frames import with_columns
from graph.errors import ModuleFailure, refused
from graph.fitting import Fits, Learnt
from graph.flow import Flow
from graph.libraries import Table, np, pd
from graph.spec import TRANSFORMATION, InScoring, Parameter, Parameters, Port, Ports, choice
from graph.steps import Made

CREATE, READ_ONLY, UPDATE, MERGE = "Create", "ReadOnly", "Update", "Merge"
BINARY, TF, IDF, TF_IDF = "Binary Weight", "TF Weight", "IDF Weight", "TF-IDF Weight"
_SHOWN: Final = ("NgramsString", "NumUniqueNgrams", "HasOutOfVocabulary")
_SETTINGS: Final = {
    "size": "N-Grams size",
    "skip": "K-Skip size",
    "shortest": "Minimum word length",
    "longest": "Maximum word length",
    "weighting": "Weighting function",
    "oov": "Detect out-of-vocabulary rows",
    "begin": "Mark begin-of-sentence",
    "normalize": "Normalize n-gram feature vectors",
}
_VOCABULARY: Final = ("Id", "Ngram", "DF", "IDF")


class ExtractNGramFeaturesFromText(Fits):
    """Makes a column of each n-gram that enough texts have, called `Text.[n_gram]`, in the place of the text column.

    The transformation, which Studio does not offer here, does it to other rows with the vocabulary that was found. Which
    n-grams a row has is told in columns that are no features. Weights are logarithms to the base e; the graph weight is
    not offered.
    """

    name = "Extract N-Gram Features from Text"
    inputs = (Port("Dataset"), Port("Input vocabulary", optional=True))
    outputs = (
        Port("Results dataset"),
        Port("Result vocabulary"),
        Port("N-gram transformation", TRANSFORMATION),
    )
    parameters = (
        Parameter("Text column", "ColumnPicker"),
        choice("Vocabulary mode", CREATE, READ_ONLY, UPDATE, MERGE),
        Parameter("N-Grams size", "Int", 1, minimum=1, maximum=10),
        Parameter("K-Skip size", "Int", 0, minimum=0, maximum=10),
        choice("Weighting function", BINARY, TF, IDF, TF_IDF),
        Parameter("Minimum word length", "Int", 3, minimum=1),
        Parameter("Maximum word length", "Int", 25, minimum=2),
        Parameter("Minimum n-gram document absolute frequency", "Float", 5.0, minimum=1),
        Parameter("Maximum n-gram document ratio", "Float", 1.0, minimum=0.0001),
        Parameter("Detect out-of-vocabulary rows", "Boolean", True),
        Parameter("Mark begin-of-sentence", "Boolean", False),
        Parameter("Normalize n-gram feature vectors", "Boolean", True),
        Parameter("Use filter-based feature selection", "Boolean", True),
        Parameter("Feature scoring method", "Enumerated", "Fisher Score", MEASURES),
        Parameter("Target column", "ColumnPicker", None),
        Parameter("Number of desired features", "Int", 1, minimum=1),
        Parameter("Minimum number of non-zero elements", "Int", 1, minimum=1),
    )
    learns = {
        "columns": {"*": {"ngrams": [str], "idf": [float]}},
        **{"size": int, "skip": int, "shortest": int, "longest": int, "weighting": str},
        **{"oov": bool, "begin": bool, "normalize": bool},
    }

    def check(self, parameters: Parameters) -> None:
        selects = (
            parameters["Use filter-based feature selection"] and parameters["Vocabulary mode"] != READ_ONLY
        )
        if selects and parameters["Feature scoring method"] != COUNT and parameters["Target column"] is None:
            raise ModuleFailure("0003", 'Parameter "Target column" is null or empty.')
        if parameters["Minimum word length"] > parameters["Maximum word length"]:
            raise ModuleFailure("0008", 'Parameter "Minimum word length" is above "Maximum word length".')

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        given = _read(inputs["Input vocabulary"].frame) if "Input vocabulary" in inputs else {}
        if parameters["Vocabulary mode"] != CREATE and not given:
            raise ModuleFailure("0003", 'Input "Input vocabulary" is null or empty.')
        name = parameters["Text column"].one(dataset.frame, "Text column")
        settings = {each: parameters[parameter] for each, parameter in _SETTINGS.items()}
        found = _vocabulary(dataset.frame, name, given, parameters, settings)
        learnt = {
            "columns": {name: {"ngrams": list(found), "idf": [idf for _, idf in found.values()]}},
            **settings,
        }
        if parameters["Use filter-based feature selection"] and parameters["Vocabulary mode"] != READ_ONLY:
            kept = _selected(self.apply(dataset.frame, learnt), dataset.frame, name, found, parameters)
            found = {ngram: found[ngram] for ngram in kept}
            column = {"ngrams": kept, "idf": [idf for _, idf in found.values()]}
            learnt = {**learnt, "columns": {name: column}}
        rows = [(at, ngram, df, idf) for at, (ngram, (df, idf)) in enumerate(found.items())]
        results, vocabulary, function = (port.name for port in self.outputs)
        marks = {**dataset.marks, **{f"{name}.{each}": "Nothing" for each in _SHOWN}}
        return {
            results: replace(dataset.with_frame(self.apply(dataset.frame, learnt)), marks=marks),
            vocabulary: Dataset(pd.DataFrame(rows, columns=list(_VOCABULARY))),
            function: self.step(dataset.frame, learnt),
        }

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        ((name, vocabulary),) = learnt["columns"].items()
        if name not in frame.columns:
            return frame
        place = {ngram: at for at, ngram in enumerate(vocabulary["ngrams"])}
        hold_size(len(frame), len(place))
        matrix = np.zeros((len(place), len(frame)))
        shown: list[tuple[str, int, bool]] = []
        for row, text in enumerate(texts(frame[name])):
            counts = Counter(_ngrams(text, learnt))
            there = sorted(place[ngram] for ngram in counts if ngram in place)
            weights = [
                _weight(counts[vocabulary["ngrams"][at]], vocabulary["idf"][at], learnt) for at in there
            ]
            length = math.sqrt(math.fsum(weight * weight for weight in weights))
            for at, weight in zip(there, weights, strict=True):
                matrix[at, row] = weight / length if learnt["normalize"] and length > 0 else weight
            inside = [f'"{ngram}"' for ngram in counts if ngram in place]
            shown.append((f"[{','.join(inside)}]", len(inside), len(inside) < len(counts)))
        told = [list(each) for each in zip(*shown, strict=True)] if shown else [[], [], []]
        made: dict[str, Any] = {
            f"{name}.{each}": told[at] for at, each in enumerate(_SHOWN[: 2 + learnt["oov"]])
        }
        made |= {f"{name}.[{ngram}]": matrix[at] for ngram, at in place.items()}
        return with_columns(frame, made).drop(columns=[name])

    def makes(self, learnt: Learnt) -> Sequence[Made]:
        ((name, vocabulary),) = learnt["columns"].items()
        shown = (f"{name}.{each}" for each in _SHOWN)
        return [((name,), (*shown, *(f"{name}.[{ngram}]" for ngram in vocabulary["ngrams"])))]

    def in_scoring(self, parameters: Parameters) -> InScoring:
        return "kept" if parameters["Vocabulary mode"] == READ_ONLY else "applied"

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        chosen = dataset.selected(parameters["Text column"])
        dataset.selected(parameters["Target column"])
        return {"Results dataset": dataset.without(chosen).open()} if chosen is not None else {}


def _ngrams(text: str, learnt: Learnt) -> list[str]:
    low, high = learnt["shortest"], learnt["longest"]
    tokens = [word for word in words(text) if word == SENTENCE or low <= len(word) <= high]
    found = list(ngrams(tokens, learnt["size"], learnt["skip"]))
    if learnt["begin"]:
        first = [
            word
            for before, word in zip([SENTENCE, *tokens], tokens, strict=False)
            if before == SENTENCE != word
        ]
        found += [f"{SENTENCE}_{word}" for word in first]
    return found


def _vocabulary(
    frame: Table,
    name: str,
    given: Mapping[str, tuple[int, float]],
    parameters: Parameters,
    settings: Learnt,
) -> dict[str, tuple[int, float]]:
    """The n-grams in the order of the alphabet, each with the texts that have it and its weight."""
    mode, rows = parameters["Vocabulary mode"], len(frame)
    if mode == READ_ONLY:
        return dict(given)
    counts = Counter(ngram for text in texts(frame[name]) for ngram in distinct(_ngrams(text, settings)))
    least, most = (
        parameters["Minimum n-gram document absolute frequency"],
        parameters["Maximum n-gram document ratio"] * rows,
    )
    found = {ngram: df for ngram, df in counts.items() if least <= df <= most}
    # How many texts the given vocabulary is of, its weights tell.
    before = max((round(df * math.exp(idf)) for df, idf in given.values()), default=0)
    for ngram, (df, _) in given.items():
        if mode == UPDATE or ngram in found:
            found[ngram] = found.get(ngram, 0) + df
    if not found:
        raise refused("0018", "no n-gram is frequent enough for the vocabulary")
    return {ngram: (found[ngram], math.log((rows + before) / found[ngram])) for ngram in sorted(found)}


def _selected(
    made: Table,
    frame: Table,
    name: str,
    found: Mapping[str, tuple[int, float]],
    parameters: Parameters,
) -> list[str]:
    measure, target = parameters["Feature scoring method"], parameters["Target column"]
    if measure == COUNT:
        kept = [n for n in found if found[n][0] >= parameters["Minimum number of non-zero elements"]]
    else:
        label = frame[target.one(frame, "Target column")]
        scores = {ngram: score(made[f"{name}.[{ngram}]"], label, measure) for ngram in found}
        kept = sorted(found, key=lambda ngram: -scores[ngram])[: parameters["Number of desired features"]]
    if not kept:
        raise refused("0018", "feature selection leaves no n-gram")
    return sorted(kept)


def _weight(count: int, idf: float, learnt: Learnt) -> float:
    return {BINARY: 1.0, TF: float(count), IDF: idf, TF_IDF: count * idf}.get(learnt["weighting"], 1.0)


def _read(frame: Table) -> dict[str, tuple[int, float]]:
    if list(frame.columns) != list(_VOCABULARY) or frame["Ngram"].duplicated().any():
        raise ModuleFailure(
            "0018", f"The input vocabulary has the columns {', '.join(_VOCABULARY)}, and each n-gram once."
        )
    rows = zip(texts(frame["Ngram"]), frame["DF"].tolist(), frame["IDF"].tolist(), strict=True)
    return {ngram: (int(df), float(idf)) for ngram, df, idf in rows}
