import re
from collections.abc import Mapping
from typing import Any, Final

from graph.calculation.words import SENTENCE, texts
from graph.data.datasets import Dataset
from graph.data.frames import with_columns
from graph.errors import ModuleFailure
from graph.flow import Column, Flow
from graph.libraries import np
from graph.spec import Module, Parameter, Parameters, Port, Ports, choice

_FLAGS: Final = (
    "Remove stop words",
    "Detect sentences",
    "Normalize case to lowercase",
    "Remove numbers",
    "Remove special characters",
    "Remove duplicate characters",
    "Remove email addresses",
    "Remove URLs",
    "Expand verb contractions",
    "Normalize backslashes to slashes",
    "Split tokens on special characters",
)
_LATER: Final = ("Lemmatization", "Remove by part of speech")
_CONTRACTIONS: Final = (
    (r"\bcan't\b", "can not"),
    (r"\bwon't\b", "will not"),
    (r"\bshan't\b", "shall not"),
    (r"\blet's\b", "let us"),
    (r"n't\b", " not"),
    (r"'re\b", " are"),
    (r"'ve\b", " have"),
    (r"'ll\b", " will"),
    (r"\bI'm\b", "I am"),
)


class PreprocessText(Module):
    """Cleans English text; the result is a column called `Preprocessed` and the text column's name.

    Lemmatization and parts of speech need dictionaries that are not here: asked for, they are refused, and their default is
    false, other than in Studio. Stop words are scikit-learn's list, or the first column of the second input.
    """

    name = "Preprocess Text"
    inputs = (Port("Dataset"), Port("Stop words", optional=True))
    on_arrays = True
    texts = "Text column to clean"
    parameters = (
        choice("Language", "English"),
        Parameter("Text column to clean", "ColumnPicker"),
        Parameter("Custom regular expression", "String", ""),
        Parameter("Custom replacement string", "String", ""),
        *(Parameter(flag, "Boolean", True) for flag in _FLAGS),
        *(Parameter(flag, "Boolean", False) for flag in _LATER),
    )

    def check(self, parameters: Parameters) -> None:
        for flag in _LATER:
            if parameters[flag]:
                raise ModuleFailure("0039", f"{flag} is not offered: set it to false.")
        try:
            re.compile(parameters["Custom regular expression"])
        except (re.error, OverflowError, RecursionError) as error:
            raise ModuleFailure(
                "0002", f'Failed to parse "Custom regular expression" parameter value: {error}.'
            ) from None

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        stop: frozenset[str] = frozenset()
        if parameters["Remove stop words"]:
            if "Stop words" in inputs:
                given = inputs["Stop words"].frame
                stop = frozenset(map(str.casefold, texts(given[next(iter(given.columns))])))
            else:
                from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

                stop = frozenset(ENGLISH_STOP_WORDS)
        made: dict[str, Any] = {}
        for name in parameters["Text column to clean"].select(dataset.frame):
            known: dict[str, str] = {}
            for text in texts(dataset.frame[name]):
                if text not in known:
                    known[text] = _cleaned(text, parameters, stop)
            made[f"Preprocessed {name}"] = np.array([known[t] for t in texts(dataset.frame[name])], object)
        return {"Results dataset": dataset.with_frame(with_columns(dataset.frame, made))}

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        chosen = inputs["Dataset"].selected(parameters["Text column to clean"])
        if chosen is None:
            return {"Results dataset": inputs["Dataset"].open()}
        return {
            "Results dataset": inputs["Dataset"].having({f"Preprocessed {name}": Column() for name in chosen})
        }


def _cleaned(text: str, on: Mapping[str, Any], stop: frozenset[str]) -> str:
    if stop:
        text = " ".join(word for word in text.split() if word.strip(".,;:!?\"'()").casefold() not in stop)
    if on["Remove URLs"]:
        text = re.sub(r"\b(?:(?:https?|ftp)://|www\.)\S+", " ", text)
    if on["Remove email addresses"]:
        text = re.sub(r"[^\s@]+@[^\s@]+", " ", text)
    if on["Custom regular expression"]:
        text = re.sub(on["Custom regular expression"], lambda _: on["Custom replacement string"], text)
    if on["Normalize backslashes to slashes"]:
        text = text.replace("\\", "/")
    for pattern, full in _CONTRACTIONS if on["Expand verb contractions"] else ():
        text = re.sub(pattern, full, text, flags=re.IGNORECASE)
    if on["Remove numbers"]:
        text = re.sub(r"(?<!\w)[0-9][0-9.,]*(?!\w)", " ", text)
    sentences = re.split(r"[.!?]+(?:\s+|$)", text) if on["Detect sentences"] else [text]
    cleaned = [_sentence(each, on) for each in sentences]
    return f" {SENTENCE} ".join(each for each in cleaned if each)


def _sentence(text: str, on: Mapping[str, Any]) -> str:
    if on["Normalize case to lowercase"]:
        text = text.lower()
    if on["Split tokens on special characters"]:
        text = re.sub(r"([^\w\s'])", r" \1 ", text)
    if on["Remove special characters"]:
        text = re.sub(r"[^\w\s]|_", "|", text)
    if on["Remove duplicate characters"]:
        text = re.sub(r"(\w)\1{2,}", "", text)
    return " ".join(text.split())
