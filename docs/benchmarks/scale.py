"""Time and memory of fit, score and sample by the size of the table, one process a size.

Run as ``python docs/benchmarks/scale.py [--sweeps rows columns categories components]``. The tables are drawn from ten
Gaussians with random covariances; every third column is cut into five categories. A sweep varies one size and leaves
the others at 10,000 rows, 15 columns, five categories and a chosen number of components. One JSON line a size goes to
stdout; memory is the peak of the process above that before fit, in GB. render.py draws the curves.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from benchmark import tell_versions

from skgmmgan import GMMGAN

SWEEPS = {
    "rows": [1_000, 10_000, 100_000, 1_000_000, 5_000_000],
    "columns": [2, 5, 15, 50, 100, 200],
    "categories": [2, 20, 200, 2_000, 20_000],
    "components": [1, 3, 10, 30, 100],
}
USUAL = {"rows": 10_000, "columns": 15, "categories": 5, "components": None}
N_GAUSSIANS = 10
N_DRAWN = 10_000


def make_table(rows, columns, categories):
    """Numbers, and categories as every third column."""
    rng = np.random.default_rng(0)
    centers, mixing = rng.normal(size=(N_GAUSSIANS, columns)), rng.normal(size=(columns, columns)) / columns**0.5
    X = centers[rng.integers(N_GAUSSIANS, size=rows)] + rng.normal(size=(rows, columns)) @ mixing
    table = pd.DataFrame(X.round(4), columns=[f"x{j}" for j in range(columns)])
    for name in table.columns[2::3]:
        ranks = table[name].rank(pct=True)
        table[name] = pd.Categorical((ranks**2 * (categories - 1)).astype(int).astype(str))
    return table


def peak():
    """Highest memory of this process so far, in GB; Linux counts it in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure(size):
    """Figures of one size."""
    table = make_table(size["rows"], size["columns"], size["categories"])
    before, start = peak(), time.perf_counter()
    model = GMMGAN(n_components=size["components"] or "auto", random_state=0).fit(table)
    fitted = time.perf_counter()
    model.sample(N_DRAWN)
    sampled = time.perf_counter()
    model.score(table.head(N_DRAWN))
    scored = time.perf_counter()
    return {
        "fit_s": fitted - start,
        "sample_s": sampled - fitted,
        "score_s": scored - sampled,
        "memory_gb": peak() - before,
        "n_components_chosen": len(model.weights_),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", nargs="*", default=list(SWEEPS))
    parser.add_argument("--size", type=json.loads, help="measure one size, a JSON object, in this process")
    options = parser.parse_args()
    if options.size:
        print(json.dumps(measure(options.size)))
        return
    tell_versions("numpy", "scikit-learn", "torch")
    for sweep in options.sweeps:
        for value in SWEEPS[sweep]:
            size = {**USUAL, sweep: value}
            command = [sys.executable, __file__, "--size", json.dumps(size)]
            figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(json.dumps({"sweep": sweep, **size, **figures}), flush=True)


if __name__ == "__main__":
    main()
