"""The modules that clean, hash and count texts, on small tables."""

from __future__ import annotations

import pandas as pd
import pytest

from graph.errors import ModuleFailure
from tests.graph.modules import call, refit, table

TEXTS = pd.DataFrame(
    {
        "t": [
            "the good old book",
            "a good book",
            "bad food here",
            "bad bad book",
            None,
            "good food. Cold food!",
        ],
        "y": [1, 1, 0, 0, 0, 1],
    }
)


def test_texts_become_features() -> None:
    """N-grams that enough texts have, with weights; the same for other rows by what was learnt."""
    given = {
        "Text_column": ["t"],
        "N__Grams_size": 2,
        "Minimum_n__gram_document_absolute_frequency": 2,
        "Use_filter__based_feature_selection": False,
        "Weighting_function": "TF-IDF Weight",
    }
    outputs = call("Extract N-Gram Features from Text", TEXTS, **given)
    found = outputs["Results dataset"].frame
    assert outputs["Result vocabulary"].frame["Ngram"].tolist() == ["bad", "book", "food", "good"]
    assert found.loc[3, "t.[bad]"] > found.loc[3, "t.[book]"] > 0
    assert (found[["t.[bad]", "t.[book]", "t.[food]", "t.[good]"]] ** 2).sum(axis=1)[0] == pytest.approx(1)
    assert "t" not in found.columns
    for at in range(6):
        assert refit(outputs, TEXTS.iloc[[at]]).to_numpy().tolist() == found.iloc[[at]].to_numpy().tolist()
    again = call(
        "Extract N-Gram Features from Text",
        TEXTS,
        outputs["Result vocabulary"],
        Vocabulary_mode="ReadOnly",
        **given,
    )
    assert again["Results dataset"].frame.equals(found)
    chosen = call(
        "Extract N-Gram Features from Text",
        TEXTS,
        **{**given, "Use_filter__based_feature_selection": True},
        Target_column=["y"],
        Number_of_desired_features=1,
        Feature_scoring_method="Chi Squared",
    )
    assert chosen["Result vocabulary"].frame["Ngram"].tolist() == ["good"]


def test_words_are_hashed() -> None:
    """Equal words have the same column, on each machine."""
    found = table("Feature Hashing", TEXTS, Target_columns=["t"], Hashing_bitsize=5)
    names = [name for name in found.columns if "Hashing" in name]
    assert len(names) == 32
    assert found[names].sum(axis=1).tolist()[4] == 0
    assert found[names].iloc[0].to_numpy().nonzero()[0].tolist() == HASHES
    with pytest.raises(ModuleFailure, match="0007"):
        table("Feature Hashing", TEXTS, Target_columns=["t"], Hashing_bitsize=31)


HASHES = [1, 2, 14, 17, 24, 28, 30]


def test_text_is_cleaned() -> None:
    """By what is asked for; stop words may be the team's."""
    frame = pd.DataFrame({"t": ["Don't MAIL me@x.org, see https://x.org/1 sooooo 42 times! The END", None]})
    found = table("Preprocess Text", frame, Text_column_to_clean=["t"])
    assert found["Preprocessed t"].tolist() == ["do not mail s times ||| end", ""]
    own = table("Preprocess Text", frame, pd.DataFrame({"w": ["mail"]}), Text_column_to_clean=["t"])
    assert "mail" not in own["Preprocessed t"][0].split()
    with pytest.raises(ModuleFailure, match="Lemmatization is not offered"):
        table("Preprocess Text", frame, Text_column_to_clean=["t"], Lemmatization=True)
