"""Do synthetic rows help where real ones are few? Their number is chosen by cross-validation, none included.

Run as ``python docs/benchmarks/augmentation.py FOLDER [--rows 50 200] [--seeds 0 1 2]``. Of each Parquet table with
classes some rows train and 2,000 test. A GMMGANOverSampler in front of a random forest adds rows in the proportions of
the classes; ``GridSearchCV`` chooses how many by log-loss. One JSON line a fit goes to stdout; means over seeds are
printed at the end, to stderr.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import pandas as pd
from benchmark import TARGETS, tell_versions
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import OneHotEncoder

from skgmmgan.over_sampling import GMMGANOverSampler

TABLES = ("adult", "default", "magic", "shoppers")
NUMBERS = [0, 1.0, 5.0]  # times the training rows
TEST = 2000


def pipeline(seed):
    """A random forest behind an encoder, behind the sampler."""
    text = make_column_selector(dtype_exclude="number")
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), text), remainder="passthrough")
    sampler = GMMGANOverSampler(random_state=seed)
    return make_pipeline(sampler, encoder, RandomForestClassifier(random_state=seed))


def records(folder, sizes, seeds):
    """Test scores of each number of synthetic rows, and of the one that a search chooses, printed as they come."""
    for name in TABLES:
        target = TARGETS[name]
        for n in sizes:
            for seed in seeds:
                table = pd.read_parquet(folder / f"{name}.parquet").sample(n + TEST, random_state=seed)
                X, y = table.drop(columns=target), (table[target] != table[target].mode()[0]).to_numpy(dtype=int)
                X_train, y_train, X_test, y_test = X.iloc[:n], y[:n], X.iloc[n:], y[n:]
                model = pipeline(seed)
                grid = {"gmmganoversampler__n_synthetic": NUMBERS}
                folds = StratifiedKFold(3, shuffle=True, random_state=seed)
                begin = time.perf_counter()
                search = GridSearchCV(model, grid, scoring="neg_log_loss", cv=folds).fit(X_train, y_train)
                chosen = search.best_params_["gmmganoversampler__n_synthetic"]
                seconds = time.perf_counter() - begin
                for number in NUMBERS:
                    fitted = clone(model).set_params(gmmganoversampler__n_synthetic=number).fit(X_train, y_train)
                    p = fitted.predict_proba(X_test)[:, 1]
                    scores = {
                        "AUC": roc_auc_score(y_test, p),
                        "accuracy": accuracy_score(y_test, p > 0.5),
                        "log loss": log_loss(y_test, p.clip(1e-6, 1 - 1e-6)),
                    }
                    for label in [f"{number:g} times"] + ["chosen"] * (number == chosen):
                        record = {
                            "table": name,
                            "rows": n,
                            "seed": seed,
                            "synthetic": label,
                            "number": number,
                            **scores,
                        }
                        print(json.dumps({**record, "search_s": round(seconds, 1)}), flush=True)
                        yield record


def main():
    """Run all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", nargs="*", type=int, default=[50, 200])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    arguments = parser.parse_args()
    tell_versions("numpy", "scikit-learn", "imbalanced-learn", "torch")
    frame = pd.DataFrame(records(arguments.folder, arguments.rows, arguments.seeds))
    for score in ("AUC", "accuracy", "log loss"):
        table = frame.pivot_table(index="synthetic", columns=["table", "rows"], values=score, sort=False)
        print(f"\nmean {score}\n{table.round(3).to_string()}", file=sys.stderr)
    chosen = frame[frame["synthetic"] == "chosen"].groupby("rows")["number"].value_counts()
    print(f"\nchosen\n{chosen.to_string()}", file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
