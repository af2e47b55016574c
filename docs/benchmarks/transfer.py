"""Does a model of a large table help with few rows of another? A warm start against a fit from nothing.

Run as ``python docs/benchmarks/transfer.py FOLDER [--tables adult magic] [--seeds 0 1 2]``. The large table is 10,000
rows of a Parquet table; the other one is what lies in the upper fifth of one of its columns, of which 100 rows train
and 1,000 test. One JSON line a model goes to stdout; medians over seeds are printed at the end, to stderr.
"""

import argparse
import copy
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from benchmark import TARGETS, tell_versions

from skgmmgan import GMMGAN
from skgmmgan.metrics import tstr_score

SHIFTED = {  # the column whose upper fifth is the other table
    "adult": "age",
    "beijing": "TEMP",
    "default": "LIMIT_BAL",
    "magic": "Length",
    "shoppers": "ProductRelated_Duration",
}
LARGE, FEW, TEST, DRAWN = 10_000, 100, 1000, 2000


def split(path, column, target, seed):
    """The large table, and the few rows and test rows of the other one."""
    table = pd.read_parquet(path).dropna(subset=[target]).sample(frac=1, random_state=seed).reset_index(drop=True)
    other = table[table[column] >= table[column].quantile(0.8)]
    few, test = other.iloc[:FEW], other.iloc[FEW : FEW + TEST]
    return table.drop(index=few.index.union(test.index)).iloc[:LARGE], few, test


def models(large, few, seed):
    """Each way to a model of few rows, with the seconds that these rows took."""
    begin = time.perf_counter()
    alone = GMMGAN(random_state=seed).fit(few)
    yield "few rows alone", alone, time.perf_counter() - begin
    model = GMMGAN(random_state=seed).fit(large)
    yield "large table", model, 0.0
    begin = time.perf_counter()
    tuned = copy.deepcopy(model).set_params(warm_start=True).fit(few)
    yield "large table, tuned", tuned, time.perf_counter() - begin


def main():
    """Run the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", nargs="*", default=sorted(SHIFTED))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    arguments = parser.parse_args()
    tell_versions("numpy", "scikit-learn", "torch")
    records = []
    for name in arguments.tables:
        target, column = TARGETS[name], SHIFTED[name]
        for seed in arguments.seeds:
            large, few, test = split(arguments.folder / f"{name}.parquet", column, target, seed)
            for label, model, seconds in models(large, few, seed):
                rows, _ = model.sample(DRAWN, random_state=seed)
                scores = model.score_samples(test)
                record = {"table": name, "seed": seed, "model": label, "s": round(seconds, 1)}
                record["log-likelihood"] = float(scores.mean())
                record["median log-likelihood"] = float(np.median(scores))
                record["TSTR"] = tstr_score(rows, test, target, random_state=0)
                records.append(record)
                print(json.dumps(record), flush=True)
    frame = pd.DataFrame(records)
    for value in ("log-likelihood", "median log-likelihood", "TSTR", "s"):
        table = frame.pivot_table(index="model", columns="table", values=value, aggfunc="median", sort=False)
        print(f"\n{value}, median of seeds\n{table.round(3).to_string()}", file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
