"""Do rows without a label help? GMMGANClassifier against itself on labelled rows alone, and against others.

Run as ``python docs/benchmarks/semi_supervised.py [FOLDER] [--sets wine digits] [--seeds 0 1 2 3 4]``; with a FOLDER of
Parquet tables, its magic is among the sets. 30 % of each set are test rows, at most 2,000 of the others train, of which
5, 10 or 50 rows of each class have a label. One JSON line a fit goes to stdout; mean test accuracies over seeds are
printed at the end, to stderr.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from benchmark import tell_versions
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skgmmgan import GMMGANClassifier

MAX_TRAIN = 2000
LABELS = (5, 10, 50)
BUNDLED = {"digits": load_digits, "breast_cancer": load_breast_cancer, "wine": load_wine}
MODELS = {  # and whether they see rows without a label
    "GMMGAN": (lambda seed: GMMGANClassifier(random_state=seed), True),
    "GMMGAN, labelled rows": (lambda seed: GMMGANClassifier(random_state=seed), False),
    "SelfTrainingClassifier": (
        lambda seed: make_pipeline(StandardScaler(), SelfTrainingClassifier(LogisticRegression(max_iter=2000))),
        True,
    ),
    "LabelSpreading": (lambda seed: make_pipeline(StandardScaler(), LabelSpreading(kernel="knn")), True),
    "HistGradientBoosting": (lambda seed: HistGradientBoostingClassifier(random_state=seed), False),
    "logistic regression": (lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)), False),
}


def sets(folder):
    """Rows and labels of each set, by name."""
    found = {name: load(return_X_y=True) for name, load in BUNDLED.items()}
    if folder:
        table = pd.read_parquet(folder / "magic.parquet")
        found["magic"] = table.drop(columns="class").to_numpy(), np.unique(table["class"], return_inverse=True)[1]
    return found


def records(folder, names, seeds):
    """Test accuracy of each model, printed as they come."""
    chosen = sets(folder)
    for name, (X, y) in ((name, chosen[name]) for name in names or chosen):
        for seed in seeds:
            train, test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
            train, y_train = train[:MAX_TRAIN], y_train[:MAX_TRAIN]
            order = np.random.RandomState(seed).permutation(len(train))
            for n in LABELS:
                known = np.concatenate([order[y_train[order] == label][:n] for label in np.unique(y)])
                partly = np.full(len(train), -1)
                partly[known] = y_train[known]
                for model, (make, sees_all) in MODELS.items():
                    begin = time.perf_counter()
                    fitted = make(seed).fit(*((train, partly) if sees_all else (train[known], y_train[known])))
                    seconds = time.perf_counter() - begin
                    record = {"set": name, "seed": seed, "labels": n, "model": model, "s": round(seconds, 1)}
                    record["accuracy"] = float(fitted.score(test, y_test))
                    print(json.dumps(record), flush=True)
                    yield record


def main():
    """Run all sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int, default=range(5))
    arguments = parser.parse_args()
    tell_versions("numpy", "scikit-learn", "torch")
    frame = pd.DataFrame(records(arguments.folder, arguments.sets, arguments.seeds))
    order = {"index": "model", "columns": ["set", "labels"]}
    for value in ("accuracy", "s"):
        table = frame.pivot_table(**order, values=value, sort=False)
        print(f"\nmean {value}\n{table.round(3).to_string()}", file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
