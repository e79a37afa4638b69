"""Trains a logistic regression on tumours, logs what it shows on held-out rows, and writes it as JSON.

python train.py --data tumours.csv --model model/
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

LABEL = "diagnosis"
POSITIVE, NEGATIVE = "malignant", "benign"


def main() -> None:
    """Train, log, write."""
    given = _arguments()
    table = pd.read_csv(given.data)
    features, happened = table.drop(columns=LABEL), table[LABEL] == POSITIVE
    known, held, known_labels, held_labels = train_test_split(
        features, happened, test_size=given.held_out, random_state=given.seed, stratify=happened
    )
    scaler = StandardScaler().fit(known)
    learner = LogisticRegression(C=1 / given.penalty, max_iter=1000)
    learner.fit(scaler.transform(known), known_labels)
    probability = learner.predict_proba(scaler.transform(held))[:, 1]
    with mlflow.start_run():
        mlflow.log_params({"penalty": given.penalty, "held_out": given.held_out, "seed": given.seed})
        mlflow.log_metrics(_metrics(held_labels, probability))
    model = {
        "columns": list(features.columns),
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "coefficients": learner.coef_[0].tolist(),
        "intercept": float(learner.intercept_[0]),
        "classes": [NEGATIVE, POSITIVE],
    }
    given.model.mkdir(parents=True, exist_ok=True)
    (given.model / "model.json").write_text(json.dumps(model, indent=1), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder that the model is written to")
    parser.add_argument("--penalty", type=float, default=1.0, help="of large coefficients")
    parser.add_argument("--held-out", type=float, default=0.25, help="share of rows to measure on")
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    return parser.parse_args()


def _metrics(happened: pd.Series, probability: pd.Series) -> dict[str, float]:
    """By the names that a gate's rules have."""
    said = probability >= 0.5
    return {
        "auc": roc_auc_score(happened, probability),
        "accuracy": accuracy_score(happened, said),
        "precision": precision_score(happened, said, zero_division=0),
        "recall": recall_score(happened, said, zero_division=0),
        "f1": f1_score(happened, said, zero_division=0),
        "log_loss": log_loss(happened, probability, labels=[False, True]),
        "rows": len(happened),
    }


if __name__ == "__main__":
    main()
